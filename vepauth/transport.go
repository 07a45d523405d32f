package vepauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Transport is an [http.RoundTripper] that signs in by itself where a server
// asks for it: it answers the challenge with an assertion, keeps the credentials
// that it gets, and signs with them what else goes to the same origin.
//
//	client := &http.Client{Transport: &vepauth.Transport{Assertion: assertionFor}}
//
// The first request goes out unsigned. Answered by a challenge, OAuth+VEP or
// MAC+BrowserID, it is sent again, signed; from then on requests are signed at
// once. A signed request that is answered by a challenge is sent once more as
// well, with new credentials: those before have expired. No request is sent a
// third time. One with a body that cannot be had again, for lack of GetBody, is
// not sent a second time: its 401 is the answer, so that a client which streams
// its bodies gets something small first.
//
// An assertion is made for the origin of the request's URL and posted to that
// origin and nowhere else, whatever the challenge and redirects say, and over
// https, or http to this machine (localhost, 127.0.0.1, ::1). Credentials are
// for the origin that gave them. To a request that has a header Authorization of
// its own nothing is done.
//
// The fields are not to be changed once it is in use. Any number of goroutines
// may use it; while one asks for credentials the others wait for them.
type Transport struct {
	// Assertion gives a backed assertion, certificate~assertion, for a site, whose
	// origin is the audience, such as https://rp.example. An error of it, by
	// which it can refuse a site, is wrapped and given to whoever sent the
	// request. Needed.
	Assertion func(ctx context.Context, audience string) (string, error)

	// Base sends the requests. Nil: http.DefaultTransport.
	Base http.RoundTripper

	// Method is HMACSHA1 or HMACSHA256, for OAuthVEP. Empty: HMACSHA1, which
	// every server knows.
	Method string

	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	mu    sync.Mutex
	sites map[string][]*space // by origin, those used last in front
}

// ErrChallenge: a server asks for credentials that it does not get. It is plain
// http, or not the origin that was asked (by a redirect, or by a Host that
// is not the URL's), or it has the token endpoint at another origin or none, or
// its challenge cannot be read.
var ErrChallenge = errors.New("vepauth: challenge not answered")

var errNoCallback = errors.New("vepauth: a Transport without Assertion")

// RoundTrip implements [http.RoundTripper]. Its errors match ErrChallenge or
// are a *TokenError, or those of the context, of Assertion, [Signer.Sign] and
// Base.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.Assertion == nil {
		closeBody(r.Body)
		return nil, errNoCallback
	}
	if r.URL == nil || len(r.Header["Authorization"]) > 0 {
		return t.base().RoundTrip(r)
	}
	at, forbidden := signable(r)
	var used *session
	if forbidden == nil {
		var err error
		if used, err = t.current(r, at); err != nil {
			closeBody(r.Body)
			return nil, err
		}
	}
	res, err := t.send(r, r.Body, used)
	if err != nil || res.StatusCode != http.StatusUnauthorized || !repeatable(r) {
		return res, err
	}
	c, scheme, found := ownChallenge(res.Header.Values("WWW-Authenticate"))
	if !found {
		return res, nil
	}
	discard(res)
	if forbidden != nil {
		return nil, forbidden
	}
	return t.again(r, at, c, scheme, used)
}

// again answers a challenge and sends the request once more.
func (t *Transport) again(r *http.Request, at origin, c challenge, scheme Scheme, refused *session) (*http.Response, error) {
	endpoint, err := endpointOf(r.URL, at, c)
	if err != nil {
		return nil, err
	}
	s, err := t.obtain(r.Context(), t.space(at, scheme, endpoint), refused)
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
	if err == nil && res.StatusCode == http.StatusUnauthorized && refused != nil && refused.of != s.of {
		t.forget(s) // it was an old one, and perhaps it has expired, too
	}
	return res, err
}

// send sends a copy of the request with that body, signed if there is a session.
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
		res.Request = r // what was signed is nobody else's business
	}
	return res, err
}

// CloseIdleConnections closes those of Base, for [http.Client].
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

func (t *Transport) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// repeatable says whether a request can be sent a second time.
func repeatable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

func closeBody(body io.Closer) {
	if body != nil {
		body.Close()
	}
}

// discard closes an answer's body; a small one is read, so that its connection
// can be used again.
func discard(res *http.Response) {
	if res.Body == nil {
		return
	}
	if res.ContentLength >= 0 && res.ContentLength <= 4<<10 {
		io.Copy(io.Discard, res.Body)
	}
	res.Body.Close()
}
