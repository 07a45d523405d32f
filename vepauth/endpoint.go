package vepauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/vepverify/vepverify/assertion"
)

// TokenEndpoint is the token endpoint alone, for mounting it elsewhere than
// within Handler. Where Config.TokenURL has no placeholders it serves whatever
// path it is mounted at, and challenges name TokenURL; with placeholders it
// answers 404 to paths that do not match. It answers 404 to all of them when
// Config.DisableTokenEndpoint is set.
func (a *Authenticator) TokenEndpoint() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := serverTarget(r)
		values, ok := a.atTokenURL(r, t)
		if a.disabled || !ok && a.tokenURL.lastPlaceholder() >= 0 {
			a.refuse(w, r, t, &refusal{status: http.StatusNotFound, reason: "no such token endpoint"})
			return
		}
		a.serveToken(w, r, t, values)
	})
}

// serveToken answers an assertion with a token.
func (a *Authenticator) serveToken(w http.ResponseWriter, r *http.Request, t target, values map[string]string) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		a.refuse(w, r, t, &refusal{status: http.StatusMethodNotAllowed, reason: "only GET and POST"})
		return
	}
	token, err := a.exchange(w, r, t, values)
	if err != nil {
		a.refuse(w, r, t, err)
		return
	}
	answer, err := json.Marshal(a.members(token))
	if err != nil {
		a.refuse(w, r, t, err)
		return
	}
	answerJSON(w, http.StatusOK, answer)
}

// members are those of the answer; what the token manager adds never takes the
// place of a credential.
func (a *Authenticator) members(t Token) map[string]any {
	answer := a.dialect.answer(t)
	for name, value := range t.Extra {
		if _, credential := answer[name]; !credential {
			answer[name] = value
		}
	}
	return answer
}

// exchange goes through the checks, in the order in which they are documented.
func (a *Authenticator) exchange(w http.ResponseWriter, r *http.Request, t target, values map[string]string) (Token, error) {
	if !t.isServed(r.URL) {
		return Token{}, t.refusal()
	}
	text, err := assertionOf(w, r)
	if err != nil {
		return Token{}, err
	}
	if _, err := assertion.Parse(text); err != nil {
		return Token{}, notVerified(err)
	}
	o, ok := a.originOf(r)
	if !ok || !isFor(r, o) {
		return Token{}, badRequest("the request's origin is not known")
	}
	g := Grant{Values: values, Scope: Scope{o.text, values[applicationName], values[applicationVersion]}}
	if len(a.applications) > 0 && !a.isApplication(g.Scope.Application, g.Scope.Version) {
		return Token{}, &refusal{status: http.StatusNotFound, reason: "unknown application"}
	}
	if g.Result, err = a.verify(r, text); err != nil {
		return Token{}, err
	}
	return a.makeToken(r, g)
}

func (a *Authenticator) verify(r *http.Request, text string) (*assertion.Result, error) {
	res, err := a.verifier.Verify(r.Context(), text, a.audiences...)
	if err == nil && res != nil {
		return res, nil
	}
	return nil, notVerified(err)
}

// notVerified is the answer to an assertion that was not accepted. It has the
// error's public reason and nothing else of it: the cause can tell which names
// this server's network knows, and is for the log.
func notVerified(err error) *refusal {
	failed := assertion.Failure(err)
	switch {
	case failed == nil: // misuse, or an error that no verifier should have
		return unavailable("assertions cannot be verified now", errors.Join(errors.New("no verdict"), err))
	case failed.Undecided:
		return unavailable(failed.Reason, err)
	}
	return &refusal{status: http.StatusBadRequest, reason: failed.Reason, cause: err}
}

func (a *Authenticator) makeToken(r *http.Request, g Grant) (Token, error) {
	token, err := a.tokens.MakeToken(r, g)
	switch {
	case errors.Is(err, ErrRefused):
		return token, unauthorized("no token for this identity")
	case err != nil:
		return token, unavailable("tokens cannot be made now", err)
	case token.ID == "" || token.Secret == "":
		return token, unavailable("tokens cannot be made now", errors.New("the token manager gave no token, or no secret"))
	}
	return token, nil
}

// assertionOf gives the assertion that a request posts as a form, or has in its
// header, which then counts.
func assertionOf(w http.ResponseWriter, r *http.Request) (string, error) {
	switch headers := r.Header["Authorization"]; {
	case len(headers) > 1:
		return "", badRequest("more than one header Authorization")
	case len(headers) == 1:
		rest, ok := cutScheme(headers[0], "Browser-ID")
		if !ok {
			return "", badRequest("unsupported Authorization scheme")
		}
		return strings.TrimSpace(rest), nil
	case r.Method == http.MethodGet:
		return "", errNoAssertion
	}
	return assertionInForm(w, r)
}

var errNoAssertion = unauthorized("no assertion")

func assertionInForm(w http.ResponseWriter, r *http.Request) (string, error) {
	limited := http.MaxBytesReader(w, r.Body, MaxAssertionBody)
	body, err := readAtMost(&parameterLimit{limited, MaxParameters}, MaxAssertionBody)
	if err != nil {
		return "", unreadable(err)
	}
	if len(body) == 0 {
		return "", errNoAssertion
	}
	if !isFormType(r.Header.Get("Content-Type")) {
		return "", &refusal{status: http.StatusUnsupportedMediaType, reason: "not " + formType}
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
