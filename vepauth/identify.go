package vepauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// identify returns the identity that signed a request; nil without an error if
// the request has no credentials. The request that it returns has the body of the
// one that it got. The checks go from cheap to expensive: the body is read after
// the token was authenticated. The last check is the only one that leaves a
// trace, so that only the signer can use up a nonce.
func (a *Authenticator) identify(r *http.Request, t target) (*found, *http.Request, error) {
	p, err := a.presented(r)
	if p == nil || err != nil {
		return nil, r, err
	}
	if t.err != nil {
		return nil, r, t.refusal()
	}
	at, err := a.checkTimestamp(p)
	if err != nil {
		return nil, r, err
	}
	if !isNonce(p.nonce) {
		return nil, r, unauthorized("malformed nonce")
	}
	o, ok := a.originOf(r)
	if !ok {
		return nil, r, unauthorized("the request's origin is not known")
	}
	who, secret, err := a.checkToken(r, t, p, o)
	if err != nil {
		return nil, r, err
	}
	r, err = a.checkSignature(r, t, p, o, secret)
	if err != nil {
		return nil, r, err
	}
	if err := a.useNonce(r.Context(), p, at); err != nil {
		return nil, r, err
	}
	return who, r, nil
}

// presented gives the credentials of our scheme that come with a request, nil
// when there are none.
func (a *Authenticator) presented(r *http.Request) (*proof, error) {
	headers := r.Header["Authorization"]
	for _, header := range headers {
		rest, ok := cutScheme(header, a.dialect.authScheme())
		if !ok {
			continue
		}
		if len(headers) > 1 {
			return nil, unauthorized("more than one header Authorization")
		}
		p := new(proof)
		params, err := appendAuthParams(p.header[:0], rest)
		if err != nil {
			return nil, unauthorized(err.Error())
		}
		return p, a.dialect.read(p, params)
	}
	return nil, nil
}

func (a *Authenticator) checkTimestamp(p *proof) (time.Time, error) {
	at, ok := parseTimestamp(p.timestamp)
	if !ok {
		return at, unauthorized("malformed timestamp")
	}
	now := a.now()
	if now.Sub(at) > a.leeway || at.Sub(now) > a.leeway {
		return at, errOutOfRange
	}
	return at, nil
}

var errOutOfRange = unauthorized("timestamp out of range")

// parseTimestamp reads whole seconds since the epoch, in the one way to write
// them.
func parseTimestamp(s string) (time.Time, bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
	}
	if len(s) == 0 || len(s) > 11 || s[0] == '0' {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// isNonce reports whether a nonce can be one: at most MaxNonce bytes, all of them
// printable ASCII.
func isNonce(s string) bool {
	return len(s) <= MaxNonce && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// checkToken asks the token manager for the identity and the secret, and holds
// what the token was made for against what the request is for.
func (a *Authenticator) checkToken(r *http.Request, t target, p *proof, o origin) (*found, string, error) {
	identity, secret, err := a.tokens.ParseToken(r, p.token)
	switch {
	case errors.Is(err, ErrRefused):
		return nil, "", unauthorized("unknown or expired token")
	case err != nil:
		return nil, "", unavailable("tokens cannot be checked now", err)
	case secret == "":
		return nil, "", unavailable("tokens cannot be checked now", errors.New("the token manager gave no secret"))
	}
	name, version, _, ok := a.applicationAt(r, t)
	if !ok || identity.Scope != (Scope{o.text, name, version}) {
		return nil, "", unauthorized("the token was not made for this place")
	}
	if !isFor(r, o) {
		return nil, "", unauthorized("the request names two hosts")
	}
	return &found{r.Context(), a, identity}, secret, nil
}

// checkSignature verifies the signature, and that what it covers is what the
// next handler gets: the URL, the form, and what was parsed of them before. The
// request that it returns has the body of the one that it got.
func (a *Authenticator) checkSignature(r *http.Request, t target, p *proof, o origin, secret string) (*http.Request, error) {
	m := message{method: r.Method, origin: o, target: t.text}
	if a.dialect.signsForms() {
		var err error
		if m.form, r, err = a.readSigned(r, t); err != nil {
			return r, unreadable(err)
		}
	}
	want, err := a.dialect.mac(p, secret, m)
	if err != nil {
		return r, unauthorized(err.Error())
	}
	var room [64]byte // more than any MAC has
	got, err := strictBase64.AppendDecode(room[:0], []byte(p.signature))
	if err != nil || !hmac.Equal(got, want) || p.foreign {
		return r, errSignature
	}
	if !t.isServed(r.URL) {
		return r, t.refusal()
	}
	if !formsAgree(r, m, a.dialect.signsForms()) {
		return r, unauthorized(errParsedForm.Error())
	}
	return r, nil
}

// readSigned reads the form of a request, if it has one, after the parameters of
// the query have been counted. Errors are those of incomingForm.
func (a *Authenticator) readSigned(r *http.Request, t target) (string, *http.Request, error) {
	parameters := MaxParameters - countParameters(t.query())
	switch {
	case parameters < 0:
		return "", r, errTooMany
	case !hasForm(r):
		return "", r, nil
	}
	return incomingForm(r, a.maxForm, parameters)
}

var (
	strictBase64 = base64.StdEncoding.Strict()
	errSignature = unauthorized("bad signature")
)

// refusal is the answer to a target that cannot be served, or is not the one
// that the next handler would serve.
func (t target) refusal() *refusal {
	switch t.err {
	case nil:
		return unauthorized("the request target is not what would be served")
	case errLongTarget:
		return &refusal{status: http.StatusRequestURITooLong, reason: t.err.Error()}
	}
	return unauthorized(t.err.Error())
}

// unreadable is the answer to a body that could not be read, or to a query or
// form that is not.
func unreadable(err error) *refusal {
	switch {
	case errors.Is(err, errTooLarge):
		return &refusal{status: http.StatusRequestEntityTooLarge, reason: "the body is too large"}
	case errors.Is(err, errTooMany):
		return badRequest(err.Error())
	case errors.Is(err, errEncodedForm):
		return unauthorized(err.Error())
	}
	return badRequest("the body cannot be read")
}

// useNonce lets each nonce pass once for each token and timestamp. The note is
// kept one leeway longer than this server would accept the request, for servers
// whose clocks are behind. A request that took so long until here that its own
// note could have been dropped before is refused, by the clock read once more.
func (a *Authenticator) useNonce(ctx context.Context, p *proof, at time.Time) error {
	first, err := a.nonces.FirstUse(ctx, nonceKey(p), at.Add(2*a.leeway))
	switch {
	case err != nil:
		return unavailable("nonces cannot be checked now", err)
	case !first:
		return unauthorized("nonce already used")
	case a.now().Sub(at) > a.leeway:
		return errOutOfRange
	}
	return nil
}

// nonceKey names a use: of one size, whatever the client sent, and different
// for different tokens, nonces and times.
func nonceKey(p *proof) string {
	const label = "vepauth nonce\x00" // none of the parts has a zero byte
	text := append(make([]byte, 0, 1024), label...)
	text = append(append(text, p.token...), 0)
	text = append(append(text, p.nonce...), 0)
	key := sha256.Sum256(append(text, p.timestamp...))
	return base64URL(key[:])
}

// base64URL encodes 32 bytes or so with one allocation.
func base64URL(b []byte) string {
	var room [64]byte
	return string(base64.RawURLEncoding.AppendEncode(room[:0], b))
}
