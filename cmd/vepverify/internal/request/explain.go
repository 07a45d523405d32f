package request

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// maxShown bounds how much of what a server says is told, in bytes.
const maxShown = 400

// tell writes a line of the explanation. The mark is > for what is sent, < for what
// is answered, * for what happens between.
func (x *exchange) explainf(mark, format string, args ...any) {
	if !x.explain {
		return
	}
	line := mark + " " + cli.Printable(fmt.Sprintf(format, args...))
	if x.ASCIIOnly() {
		line = strings.ReplaceAll(line, "…", "...")
	}
	fmt.Fprintln(x.Err, line)
}

func (x *exchange) explainRequest(r *http.Request, forToken bool) {
	x.explainf(">", "%s %s", r.Method, r.URL)
	if header := r.Header.Get("Authorization"); header != "" {
		x.explainf(">", "Authorization: %s", withoutSecrets(header))
	}
	if forToken {
		x.explainf(">", "assertion=… (%d bytes)", r.ContentLength)
	}
}

func (x *exchange) explainAnswer(res *http.Response) {
	x.explainf("<", "%d %s", res.StatusCode, http.StatusText(res.StatusCode))
	if res.StatusCode != http.StatusUnauthorized {
		return
	}
	for _, challenge := range res.Header.Values("WWW-Authenticate") {
		x.explainf("<", "WWW-Authenticate: %s", withoutTokens(challenge))
	}
}

// explainEnd says why an answer came without credentials.
func (x *exchange) explainEnd(res *http.Response) {
	switch {
	case x.asked:
	case res.StatusCode == http.StatusUnauthorized:
		x.explainf("*", "asked for no credentials of OAuth+VEP or MAC+BrowserID")
	default:
		x.explainf("*", "answered without asking for credentials")
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
func withoutTokens(text string) string {
	return cli.Shorten(longWord.ReplaceAllString(text, "…"), maxShown)
}

// readToken tells what a token endpoint answers, and notes the reason if it refuses.
// The body can be read as before.
func (x *exchange) readToken(res *http.Response) {
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
		x.explainf("<", "no JSON object")
		return
	}
	if res.StatusCode != http.StatusOK {
		raw, _ := object.Get("reason")
		reason, _ := strictjson.String(raw)
		x.refusal = withoutTokens(reason)
		x.explainf("<", "reason: %s", x.refusal)
		return
	}
	names := make([]string, len(object))
	for i, member := range object {
		names[i] = fmt.Sprintf("%q: …", member.Name)
	}
	x.explainf("<", "%s", withoutTokens("{"+strings.Join(names, ", ")+"}"))
}
