package vepauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/target"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// Transport is an [http.RoundTripper] that signs in when a server challenges it. It
// exchanges an assertion for credentials, keeps them, and signs the following requests to
// the same origin with them.
//
//	client := &http.Client{Transport: &vepauth.Transport{Assertion: assertionFor}}
//
// The first request is sent unsigned. If the answer is a challenge, OAuth+VEP or
// MAC+BrowserID, Transport sends the request again, signed. After that it signs requests
// at once. If the answer to a signed request is a challenge, the credentials have expired:
// Transport gets new ones and sends the request once more. It never sends a request a third
// time. A request with a body but without GetBody cannot be sent again: RoundTrip returns its
// 401. A client that streams its bodies should get something small first.
//
// An assertion is made for the origin of the request's URL and posted to that origin only,
// whatever the challenge and redirects say. The origin must have https, or be this machine
// (localhost, 127.0.0.1, ::1). Credentials are used for the origin that issued them.
// A request with an Authorization header of its own is sent unchanged.
//
// A URL with a space, a control or a '%' without two hexadecimal digits in the query, or
// with a query outside ASCII, is an error before anything is sent, also in a redirect:
// net/http would send it as it is. Write such characters percent-encoded.
//
// Transport is safe for concurrent use. The fields must not be modified after the first
// request. While one request gets credentials, the others wait for them.
type Transport struct {
	// Assertion returns a backed assertion, certificate~assertion, for an audience, which
	// is an origin such as https://rp.example. It may refuse an audience with an error,
	// which RoundTrip wraps. Required.
	Assertion func(ctx context.Context, audience string) (string, error)

	// Base sends the requests. Nil means http.DefaultTransport.
	Base http.RoundTripper

	// Method is HMACSHA1 or HMACSHA256, for OAuthVEP. Empty means HMACSHA1, which every
	// server supports.
	Method string

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	mu        sync.Mutex
	endpoints map[origin.Origin][]*tokenEndpoint // by origin, the last used first
}

// ErrChallenge means that a challenge must not, or cannot, be answered: the server is plain
// http; it is not the origin that was asked, because of a redirect or a Host header; its
// token endpoint is missing or at another origin; or the challenge is malformed.
var ErrChallenge = errors.New("challenge not answered")

var errAssertionUnset = errors.New("vepauth: Transport.Assertion: not set")

// RoundTrip implements [http.RoundTripper]. An error matches ErrChallenge, or is a
// *TokenError, or is about the URL, or comes from the context, Assertion, [Signer.Sign] or
// Base.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.Assertion == nil {
		closeBody(r.Body)
		return nil, errAssertionUnset
	}
	if r.URL == nil {
		return t.base().RoundTrip(r)
	}
	if err := checkURL(r); err != nil {
		closeBody(r.Body)
		return nil, err
	}
	if len(r.Header["Authorization"]) > 0 {
		return t.base().RoundTrip(r)
	}
	o, forbidden := signableOrigin(r)
	var used *session
	if forbidden == nil {
		var err error
		if used, err = t.sessionFor(r, o); err != nil {
			closeBody(r.Body)
			return nil, err
		}
	}
	res, err := t.send(r, r.Body, used)
	if err != nil || res.StatusCode != http.StatusUnauthorized || !isRepeatable(r) {
		return res, err
	}
	c, scheme, found := supportedChallenge(res.Header.Values("WWW-Authenticate"))
	if !found {
		return res, nil
	}
	discard(res)
	if forbidden != nil {
		return nil, forbidden
	}
	return t.retry(r, o, c, scheme, used)
}

// retry answers a challenge and sends the request once more.
func (t *Transport) retry(r *http.Request, o origin.Origin, c signature.Challenge, scheme Scheme, refused *session) (*http.Response, error) {
	url, err := endpointURL(r.URL, o, c)
	if err != nil {
		return nil, err
	}
	s, err := t.newSession(r.Context(), t.endpoint(o, scheme, url), refused)
	if err != nil {
		return nil, err
	}
	body := r.Body
	if r.GetBody != nil && body != nil {
		if body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	res, err := t.send(r, body, s)
	if err == nil && res.StatusCode == http.StatusUnauthorized && refused != nil && refused.endpoint != s.endpoint {
		t.drop(s) // a cached session, which may have expired too
	}
	return res, err
}

// send sends the request. With a session it sends a copy with that body, signed.
func (t *Transport) send(r *http.Request, body io.ReadCloser, s *session) (*http.Response, error) {
	out := r
	if s != nil {
		out = r.Clone(r.Context())
		out.Body = body
		if err := (Signer{Credentials: s.credentials, Now: t.Now}).Sign(out); err != nil {
			closeBody(out.Body)
			return nil, err
		}
	}
	res, err := t.base().RoundTrip(out)
	if err == nil {
		res.Request = r // without the signature
	}
	return res, err
}

// CloseIdleConnections closes the idle connections of Base, for [http.Client].
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// base returns Base or its default.
func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

// now returns the time by Now or its default.
func (t *Transport) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// isRepeatable reports whether a request can be sent a second time.
func isRepeatable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// closeBody closes a body if there is one.
func closeBody(body io.Closer) {
	if body != nil {
		body.Close()
	}
}

// discard closes the body of an answer. A small body is read first, so that the
// connection can be used again.
func discard(res *http.Response) {
	if res.Body == nil {
		return
	}
	if res.ContentLength >= 0 && res.ContentLength <= 4<<10 {
		io.Copy(io.Discard, res.Body)
	}
	res.Body.Close()
}

// supportedChallenge returns the challenge to answer, and its scheme. Of several it prefers
// those that are well-formed, then OAuthVEP, which covers more.
func supportedChallenge(headers []string) (c signature.Challenge, scheme Scheme, found bool) {
	var all []signature.Challenge
	size := 0
	for _, header := range headers {
		if size += len(header); size > signature.MaxHeader || len(all) >= signature.MaxChallenges {
			break
		}
		all = append(all, signature.ParseChallenges(header)...)
	}
	for _, malformed := range []bool{false, true} {
		for _, scheme := range []Scheme{OAuthVEP, MACBrowserID} {
			i := slices.IndexFunc(all, func(c signature.Challenge) bool {
				return c.Malformed == malformed && strings.EqualFold(c.Scheme, string(scheme))
			})
			if i >= 0 {
				return all[i], scheme, true
			}
		}
	}
	return c, "", false
}

// signableOrigin returns the origin whose credentials sign a request: that of its URL. It
// returns an error matching ErrChallenge if the request must not be signed.
func signableOrigin(r *http.Request) (origin.Origin, error) {
	o, ok := urlOrigin(r.URL)
	switch {
	case !ok:
		return o, fmt.Errorf("%w: the URL has no origin", ErrChallenge)
	case o.Scheme() != "https" && !origin.IsLoopback(o.Host()):
		return o, fmt.Errorf("%w: %s is plain http", ErrChallenge, o)
	case !hasHostOf(r, o):
		return o, fmt.Errorf("%w: the Host header is not the host of the URL at %s", ErrChallenge, o)
	case isRedirected(r, o):
		return o, fmt.Errorf("%w: another origin redirected to %s", ErrChallenge, o)
	}
	return o, nil
}

// urlOrigin returns the origin of a URL. A host with a zone has none: another machine
// may have the same address elsewhere.
func urlOrigin(u *url.URL) (origin.Origin, bool) {
	return origin.FromHost(u.Scheme, origin.ASCII(u.Host))
}

// hasHostOf reports whether the Host header names the origin. If it names another host,
// the server at the URL need not be that host.
func hasHostOf(r *http.Request, o origin.Origin) bool {
	if r.Host == "" {
		return true
	}
	named, ok := origin.FromHost(o.Scheme(), origin.ASCII(r.Host))
	return ok && named == o
}

// isRedirected reports whether another origin caused the request by a redirect. That origin
// must choose neither which site learns an email address, nor what is requested in the name
// of the user.
func isRedirected(r *http.Request, o origin.Origin) bool {
	for via := r.Response; via != nil; via = via.Request.Response {
		if via.Request == nil || via.Request.URL == nil {
			return true // not known
		}
		if from, ok := urlOrigin(via.Request.URL); !ok || from != o {
			return true
		}
	}
	return false
}

// endpointURL returns the URL of the token endpoint that a challenge names. The error
// matches ErrChallenge if it is not at the origin that was asked.
func endpointURL(asked *url.URL, o origin.Origin, c signature.Challenge) (*url.URL, error) {
	text := c.Param("url")
	switch {
	case c.Malformed:
		return nil, fmt.Errorf("%w: %s sent a malformed one", ErrChallenge, o)
	case text == "":
		return nil, fmt.Errorf("%w: %s names no token endpoint", ErrChallenge, o)
	}
	withoutFragment, _, _ := strings.Cut(text, "#")
	named, err := url.Parse(withoutFragment)
	if err != nil || target.CheckURL(withoutFragment) != nil {
		return nil, errEndpointURL(o)
	}
	base := &url.URL{Scheme: asked.Scheme, Host: asked.Host, Path: asked.Path, RawPath: asked.RawPath}
	endpoint := base.ResolveReference(named)
	if at, ok := urlOrigin(endpoint); !ok || at != o || endpoint.User != nil {
		return nil, fmt.Errorf("%w: the token endpoint of %s is at another origin", ErrChallenge, o)
	}
	return endpoint, nil
}

// errEndpointURL returns the error for a token endpoint that is not a URL.
func errEndpointURL(o origin.Origin) error {
	return fmt.Errorf("%w: the token endpoint of %s is not a URL", ErrChallenge, o)
}
