package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// maxTold bounds how much of what a server says is told, in bytes.
const maxTold = 400

// tell writes a line of the explanation. The mark is > for what is sent, < for what
// is answered, * for what happens between.
func (x *exchange) tell(mark, format string, args ...any) {
	if !x.explain {
		return
	}
	line := mark + " " + printable(fmt.Sprintf(format, args...))
	if x.asciiOnly() {
		line = strings.ReplaceAll(line, "…", "...")
	}
	fmt.Fprintln(x.err, line)
}

func (x *exchange) tellRequest(r *http.Request, forToken bool) {
	x.tell(">", "%s %s", r.Method, r.URL)
	if header := r.Header.Get("Authorization"); header != "" {
		x.tell(">", "Authorization: %s", withoutSecrets(header))
	}
	if forToken {
		x.tell(">", "assertion=… (%d bytes)", r.ContentLength)
	}
}

func (x *exchange) tellAnswer(res *http.Response) {
	x.tell("<", "%d %s", res.StatusCode, http.StatusText(res.StatusCode))
	if res.StatusCode != http.StatusUnauthorized {
		return
	}
	for _, challenge := range res.Header.Values("WWW-Authenticate") {
		x.tell("<", "WWW-Authenticate: %s", told(challenge))
	}
}

// tellEnd says why an answer came without credentials.
func (x *exchange) tellEnd(res *http.Response) {
	switch {
	case x.asked:
	case res.StatusCode == http.StatusUnauthorized:
		x.tell("*", "asked for no credentials of OAuth+VEP or MAC+BrowserID")
	default:
		x.tell("*", "answered without asking for credentials")
	}
}

// parameter is one of a header Authorization.
var parameter = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)

// withoutSecrets shows of a header Authorization what is not the token's and not
// this request's alone.
func withoutSecrets(header string) string {
	return parameter.ReplaceAllStringFunc(header, func(text string) string {
		name, _, _ := strings.Cut(text, "=")
		switch name {
		case "oauth_signature_method", "oauth_version", "oauth_timestamp", "ts":
			return text
		}
		return name + `="…"`
	})
}

// longWord is what a token or an assertion has, and no text for people.
var longWord = regexp.MustCompile(`[\w.~=+-]{41,}`)

// told shows what a server says, but not what it might echo.
func told(text string) string { return shortened(longWord.ReplaceAllString(text, "…"), maxTold) }

// readToken tells what a token endpoint answers, and notes the reason if it refuses.
// The body can be read as before.
func (w *wire) readToken(res *http.Response) {
	const limit = 64 << 10
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), res.Body), res.Body}
	if err != nil || len(data) > limit {
		return // which is said by whoever reads it
	}
	object, err := strictjson.ParseObject(data)
	if err != nil {
		w.tell("<", "no JSON object")
		return
	}
	if res.StatusCode != http.StatusOK {
		raw, _ := object.Get("reason")
		reason, _ := strictjson.String(raw)
		w.reason = told(reason)
		w.tell("<", "reason: %s", w.reason)
		return
	}
	names := make([]string, len(object))
	for i, member := range object {
		names[i] = fmt.Sprintf("%q: …", member.Name)
	}
	w.tell("<", "%s", told("{"+strings.Join(names, ", ")+"}"))
}
