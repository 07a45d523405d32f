package vepauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// Authenticator verifies the signatures of requests and issues the tokens with which
// they are signed. Use New to create one. It is safe for concurrent use.
type Authenticator struct {
	config Config // with all defaults
	scheme signature.Scheme
	routes routes
	public origin.Origin // Config.PublicOrigin, if it is set
	causes *causes
}

// Identity is the signer of a request.
type Identity struct {
	// Email is the verified email address, with the domain in lower case.
	Email string
	// Issuer is the domain that certified the address.
	Issuer string
	// Scope is the scope of the token, to which the request belongs.
	Scope Scope
	// Expires is the time at which the token expires.
	Expires time.Time
}

// Scope is the origin, application and version for which a token is valid. It is valid for
// no others.
type Scope struct {
	// Origin is the origin of this server as clients see it: scheme://host in lower
	// case, and :port unless it is the default of the scheme.
	Origin string
	// Application and Version are those of Config.Applications. They are empty if there
	// are none.
	Application, Version string
}

// FromContext returns the signer of the request with this context. It reports whether the
// request is signed.
func FromContext(ctx context.Context) (id Identity, ok bool) {
	s, ok := ctx.Value(contextKey{}).(*signer)
	if !ok {
		return Identity{}, false
	}
	return s.identity, true
}

type contextKey struct{}

// signer is the value in the context of a verified request. The Authenticator does not
// verify the request again: its nonce is used.
type signer struct {
	verifier *Authenticator
	identity Identity
}

// hasVerified reports whether a has verified the request with this context.
func (a *Authenticator) hasVerified(ctx context.Context) bool {
	s, ok := ctx.Value(contextKey{}).(*signer)
	return ok && s.verifier == a
}

// Handler serves the token endpoint and passes other requests on to next. A request
// with a valid signature has an identity in its context, see FromContext; a request
// without credentials of this scheme has none. A request with bad credentials does
// not reach next: the answer is 401 with a challenge.
func (a *Authenticator) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.serve(w, r, next, next)
	})
}

// Require is like Handler, but also answers requests without credentials with 401
// and a challenge. It may be used inside a Handler of the same Authenticator. The
// identities of another Authenticator do not count.
func (a *Authenticator) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.serve(w, r, next, http.HandlerFunc(a.Challenge))
	})
}

// Challenge answers 401 with a challenge. It is for handlers inside Handler that
// decide themselves which requests must be signed.
func (a *Authenticator) Challenge(w http.ResponseWriter, r *http.Request) {
	a.refuse(w, r, incomingTarget(r), a.noCredentials(r))
}

// serve calls signed for a request with a valid signature, and unsigned for a request
// without credentials.
func (a *Authenticator) serve(w http.ResponseWriter, r *http.Request, signed, unsigned http.Handler) {
	if a.hasVerified(r.Context()) {
		signed.ServeHTTP(w, r)
		return
	}
	t := incomingTarget(r)
	if values, ok := a.routes.tokenEndpoint(r, t); ok && !a.config.DisableTokenEndpoint {
		a.serveToken(w, r, t, values)
		return
	}
	auth, err := signature.Parse(a.scheme, r.Header["Authorization"])
	switch {
	case err != nil:
		a.refuse(w, r, t, err)
		return
	case auth == nil:
		unsigned.ServeHTTP(w, r)
		return
	}
	id, r, err := a.verify(r, t, auth)
	if err != nil {
		a.refuse(w, r, t, err)
		return
	}
	ctx := context.WithValue(r.Context(), contextKey{}, &signer{a, id})
	signed.ServeHTTP(w, r.WithContext(ctx))
}

// verify returns the identity that signed a request. The request that it returns has
// the body of the original. The checks go from cheap to expensive: the body is read
// after the token was authenticated. The nonce is last, because its check is the only
// one with an effect: only the signer of a request can use up its nonce.
func (a *Authenticator) verify(r *http.Request, t requestTarget, auth *signature.Authorization) (id Identity, restored *http.Request, err error) {
	if t.err != nil {
		return id, r, t.err
	}
	at, err := a.checkTimestamp(auth.Timestamp)
	if err != nil {
		return id, r, err
	}
	if !isNonce(auth.Nonce) {
		return id, r, unauthorized("malformed nonce")
	}
	o, ok := a.origin(r)
	if !ok {
		return id, r, a.unknownOrigin(r, http.StatusUnauthorized)
	}
	id, secret, err := a.checkToken(r, t, o, auth.Token)
	if err != nil {
		return id, r, err
	}
	r, err = a.checkSignature(r, t, o, auth, secret)
	if err != nil {
		return id, r, err
	}
	return id, r, a.useNonce(r.Context(), auth, at)
}

// checkTimestamp parses a timestamp. It returns an error if the clock differs from it by
// more than Config.Leeway.
func (a *Authenticator) checkTimestamp(text string) (time.Time, error) {
	at, ok := parseTimestamp(text)
	if !ok {
		return at, unauthorized("malformed timestamp")
	}
	now := a.config.Now()
	if now.Sub(at) > a.config.Leeway || at.Sub(now) > a.config.Leeway {
		return at, outOfRange(now, at)
	}
	return at, nil
}

// parseTimestamp parses whole seconds since 1970, without leading zeros.
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

// isNonce reports whether a nonce has at most maxNonce bytes, all of them printable
// ASCII.
func isNonce(s string) bool {
	return len(s) <= maxNonce && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// checkToken returns the identity and the secret of a token. It returns an error if the
// token is not valid for the request.
func (a *Authenticator) checkToken(r *http.Request, t requestTarget, o origin.Origin, token string) (id Identity, secret string, err error) {
	id, secret, err = a.config.Tokens.ParseToken(r, token)
	switch {
	case errors.Is(err, ErrRefused):
		return id, "", refuseToken(err)
	case err != nil:
		return id, "", unavailable("tokens cannot be checked now", err)
	case secret == "":
		return id, "", unavailable("tokens cannot be checked now", errors.New("the TokenManager returned no secret"))
	}
	values, ok := a.routes.application(r, t)
	if !ok || id.Scope != scopeOf(o, values) {
		return id, "", a.refuseScope(r, o, id.Scope)
	}
	if !hostsAgree(r, o) {
		return id, "", unauthorized("the request names two hosts")
	}
	return id, secret, nil
}

// scopeOf returns the scope of an origin and of the application among the values of
// TokenURL's placeholders.
func scopeOf(o origin.Origin, values map[string]string) Scope {
	return Scope{Origin: o.String(), Application: values[applicationName], Version: values[applicationVersion]}
}

// checkSignature verifies the signature, and that what it covers is what the next
// handler gets: the URL, the form, and the values that were parsed from them before. The request
// that it returns has the body of the original.
func (a *Authenticator) checkSignature(r *http.Request, t requestTarget, o origin.Origin, auth *signature.Authorization, secret string) (restored *http.Request, err error) {
	var form string
	if a.scheme.CoversForm() {
		if form, r, err = incomingForm(r, t.Query(), a.config.MaxForm); err != nil {
			return r, err
		}
	}
	if err := a.scheme.Verify(auth, secret, message(r.Method, o, t, form)); err != nil {
		if errors.Is(err, signature.ErrSignature) {
			err = a.badSignature(r, t, o, auth, secret, form)
		}
		return r, err
	}
	if !t.matchesURL(r.URL) {
		return r, errURLMismatch
	}
	if !formsAgree(r, t.Query(), form, a.scheme.CoversForm()) {
		return r, errParsedForm
	}
	return r, nil
}

// message returns the part of a request that is signed.
func message(method string, o origin.Origin, t requestTarget, form string) signature.Message {
	return signature.Message{Method: method, Origin: o.String(), Host: o.Host(), Port: o.EffectivePort(), Target: t.Text, Form: form}
}

// useNonce accepts each nonce once for each token and timestamp. The entry is kept
// one leeway longer than this server would accept the request, for servers whose
// clocks are behind. The clock is read again: a request that took so long that its
// own entry could have expired is refused.
func (a *Authenticator) useNonce(ctx context.Context, auth *signature.Authorization, at time.Time) error {
	first, err := a.config.Nonces.FirstUse(ctx, nonceKey(auth), at.Add(2*a.config.Leeway))
	switch {
	case errors.Is(err, assertion.ErrFull):
		return unavailable(reasonNonces, fmt.Errorf("%w: more signed requests than Config.Nonces has room for", err))
	case err != nil:
		return unavailable(reasonNonces, err)
	case !first:
		return unauthorized("nonce already used")
	case a.config.Now().Sub(at) > a.config.Leeway:
		return unauthorized(reasonOutOfRange)
	}
	a.causes.accepted()
	return nil
}

// nonceKey returns the key of a nonce in the store. All keys have one length, and
// they differ if the token, the nonce or the timestamp differs.
func nonceKey(auth *signature.Authorization) string {
	const label = "vepauth nonce\x00" // neither nonces nor timestamps contain a zero byte
	text := append(make([]byte, 0, 1024), label...)
	text = append(append(text, auth.Token...), 0)
	text = append(append(text, auth.Nonce...), 0)
	key := sha256.Sum256(append(text, auth.Timestamp...))
	return base64URL(key[:])
}

// base64URL encodes about 32 bytes with one allocation (BenchmarkSigned).
func base64URL(b []byte) string {
	var buf [64]byte
	return string(base64.RawURLEncoding.AppendEncode(buf[:0], b))
}
