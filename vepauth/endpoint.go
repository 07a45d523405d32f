package vepauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// maxAssertionBody is the size of the largest body that the token endpoint reads, in
// bytes.
const maxAssertionBody = 64 << 10

// TokenEndpoint returns the token endpoint alone, to be mounted outside of Handler. If
// Config.TokenURL has no placeholders, it serves every path at which it is mounted, and
// challenges name TokenURL. If it has placeholders, other paths are answered with 404. If
// Config.DisableTokenEndpoint is set, every path is.
func (a *Authenticator) TokenEndpoint() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := incomingTarget(r)
		values, ok := a.routes.tokenEndpoint(r, t)
		if a.config.DisableTokenEndpoint || !ok && a.routes.tokenURL.lastPlaceholder() >= 0 {
			a.refuse(w, r, t, &refusal.Refusal{Status: http.StatusNotFound, Reason: "no such token endpoint"})
			return
		}
		a.serveToken(w, r, t, values)
	})
}

// serveToken exchanges an assertion for a token.
func (a *Authenticator) serveToken(w http.ResponseWriter, r *http.Request, t requestTarget, values map[string]string) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		a.refuse(w, r, t, &refusal.Refusal{Status: http.StatusMethodNotAllowed, Reason: "only GET and POST", Allow: "GET, POST"})
		return
	}
	token, err := a.exchange(w, r, t, values)
	if err != nil {
		a.refuse(w, r, t, err)
		return
	}
	answer, err := json.Marshal(a.answer(token))
	if err != nil {
		a.refuse(w, r, t, err)
		return
	}
	setCommonHeaders(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(answer, '\n')) // an error means that the client has disconnected
}

// answer returns the JSON members of the answer. Token.Extra never replaces a credential.
func (a *Authenticator) answer(t Token) map[string]any {
	answer := a.scheme.Answer(t.ID, t.Secret)
	for name, value := range t.Extra {
		if _, exists := answer[name]; !exists {
			answer[name] = value
		}
	}
	return answer
}

// exchange verifies the assertion of a token request and returns a token for it.
func (a *Authenticator) exchange(w http.ResponseWriter, r *http.Request, t requestTarget, values map[string]string) (Token, error) {
	if t.err != nil {
		return Token{}, t.err
	}
	if !t.matchesURL(r.URL) {
		return Token{}, errURLMismatch
	}
	text, err := incomingAssertion(w, r)
	if err != nil {
		return Token{}, err
	}
	if _, err := assertion.Parse(text); err != nil {
		return Token{}, refuseAssertion(err)
	}
	o, ok := a.origin(r)
	if !ok || !hostsAgree(r, o) {
		return Token{}, a.unknownOrigin(r, http.StatusBadRequest)
	}
	g := Grant{Values: values, Scope: scopeOf(o, values)}
	if len(a.routes.applications) > 0 && !a.routes.isApplication(g.Scope.Application, g.Scope.Version) {
		return Token{}, &refusal.Refusal{Status: http.StatusNotFound, Reason: "unknown application"}
	}
	g.Result, err = a.config.Verifier.Verify(r.Context(), text, a.config.Audiences...)
	if err != nil || g.Result == nil {
		return Token{}, a.explainRefusal(r, o, refuseAssertion(err))
	}
	if err := a.checkOrigin(r, o, g.Result.Audience); err != nil {
		return Token{}, err
	}
	return a.makeToken(r, g)
}

// makeToken calls the TokenManager and checks what it returns.
func (a *Authenticator) makeToken(r *http.Request, g Grant) (Token, error) {
	token, err := a.config.Tokens.MakeToken(r, g)
	switch {
	case errors.Is(err, ErrRefused):
		return token, unauthorized("no token for this identity")
	case err != nil:
		return token, unavailable("tokens cannot be issued now", err)
	case token.ID == "" || token.Secret == "":
		return token, unavailable("tokens cannot be issued now", errors.New("the TokenManager returned no token or no secret"))
	}
	return token, nil
}

// incomingAssertion returns the assertion of a token request: from the Authorization header
// with the scheme Browser-ID or, without that header, from a posted form.
func incomingAssertion(w http.ResponseWriter, r *http.Request) (string, error) {
	switch headers := r.Header["Authorization"]; {
	case len(headers) > 1:
		return "", badRequest(signature.ErrHeaders.Error())
	case len(headers) == 1:
		rest, ok := signature.CutScheme(headers[0], "Browser-ID")
		if !ok {
			return "", badRequest("unsupported Authorization scheme: a token request has Browser-ID, or a form")
		}
		return strings.TrimSpace(rest), nil
	case r.Method == http.MethodGet:
		return "", errNoAssertion
	}
	return assertionInForm(w, r)
}

// assertionInForm returns the assertion in the form of a token request.
func assertionInForm(w http.ResponseWriter, r *http.Request) (string, error) {
	limited := http.MaxBytesReader(w, r.Body, maxAssertionBody)
	body, err := readAtMost(&parameterLimit{limited, maxParameters}, maxAssertionBody)
	if err != nil {
		return "", err
	}
	if len(body) == 0 {
		return "", errNoAssertion
	}
	if !isFormType(r.Header.Get("Content-Type")) {
		return "", &refusal.Refusal{Status: http.StatusUnsupportedMediaType, Reason: "not " + formType}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", badRequest("malformed form")
	}
	switch len(form["assertion"]) {
	case 0:
		return "", errNoAssertion
	case 1:
		return form.Get("assertion"), nil
	}
	return "", badRequest("more than one assertion")
}
