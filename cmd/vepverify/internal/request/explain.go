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

// maxShown is the length at which texts of a server are cut off, in bytes.
const maxShown = 400

// explainf writes a line of the explanation if --explain is set. The mark is > for what
// is sent, < for what is received, and * for everything else.
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

// explainRequest explains a request. With forToken it is the one to the token endpoint,
// whose body is the assertion.
func (x *exchange) explainRequest(r *http.Request, forToken bool) {
	x.explainf(">", "%s %s", r.Method, r.URL)
	if header := r.Header.Get("Authorization"); header != "" {
		x.explainf(">", "Authorization: %s", withoutSecrets(header))
	}
	if forToken {
		x.explainf(">", "assertion=… (%d bytes)", r.ContentLength)
	}
}

// explainResponse explains the status, and the challenges of a 401.
func (x *exchange) explainResponse(res *http.Response) {
	x.explainf("<", "%d %s", res.StatusCode, http.StatusText(res.StatusCode))
	if res.StatusCode != http.StatusUnauthorized {
		return
	}
	for _, challenge := range res.Header.Values("WWW-Authenticate") {
		x.explainf("<", "WWW-Authenticate: %s", withoutTokens(challenge))
	}
}

// explainEnd explains a response for which no credentials were needed.
func (x *exchange) explainEnd(res *http.Response) {
	switch {
	case x.asked:
	case res.StatusCode == http.StatusUnauthorized:
		x.explainf("*", "asked for no credentials of OAuth+VEP or MAC+BrowserID")
	default:
		x.explainf("*", "answered without asking for credentials")
	}
}

// parameter is a parameter of a header Authorization.
var parameter = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)

// withoutSecrets returns a header Authorization without the token, the signature
// and the nonce.
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

// longWord matches words that may be a part of a token or an assertion. Texts for
// people have shorter words.
var longWord = regexp.MustCompile(`[\w.~=+-]{41,}`)

// withoutTokens returns a text of a server without the words that may be a secret. A
// server may send back what it received.
func withoutTokens(text string) string {
	return cli.Shorten(longWord.ReplaceAllString(text, "…"), maxShown)
}

// readToken explains the response of a token endpoint, and keeps the reason if it is a
// refusal. The body can be read again afterwards.
func (x *exchange) readToken(res *http.Response) {
	const limit = 64 << 10
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), res.Body), res.Body}
	if err != nil || len(data) > limit {
		return // package vepauth returns an error
	}
	object, err := strictjson.ParseObject(data)
	if err != nil {
		x.explainf("<", "not a JSON object")
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
