package vepauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/strictjson"
)

const (
	// maxEndpoints is the number of token endpoints of one origin that a Transport
	// remembers: one for each application of a server. It limits the memory if a server
	// names a new one in each challenge.
	maxEndpoints = 16
	// maxTokenAnswer is the size of the largest answer of a token endpoint, in bytes.
	maxTokenAnswer = 64 << 10
	// maxDuration is the longest duration of credentials that a Transport accepts from a
	// server, in seconds.
	maxDuration = 365 * 24 * 60 * 60
)

// tokenEndpoint is the token endpoint of one application, or of a whole origin.
// Transport.mu guards session and exchange.
type tokenEndpoint struct {
	origin   origin.Origin
	scheme   Scheme
	url      *url.URL
	session  *session  // the last one, nil if there was none
	exchange *exchange // in progress, nil if there is none
}

// session holds the credentials from one exchange. It is never modified. Its address
// distinguishes it from the session that replaces it.
type session struct {
	endpoint    *tokenEndpoint
	credentials Credentials
	expires     time.Time // zero if not known
}

// exchange is one exchange of an assertion for credentials, which several requests can
// wait for.
type exchange struct {
	done     chan struct{} // closed when the fields below are set
	session  *session
	err      error
	canceled bool // the context of the request that began it has ended: a waiting request must begin another
}

// sessionFor returns the session with which to sign a request, nil if there is none. Of
// several it returns the one whose token endpoint has the longest common path with the
// request. It replaces an expired session.
func (t *Transport) sessionFor(r *http.Request, o origin.Origin) (*session, error) {
	path := parseTarget(r.URL.RequestURI()).Path()
	t.mu.Lock()
	var best *tokenEndpoint
	most := -1
	for _, e := range t.endpoints[o] {
		if n := commonSegments(e.url.EscapedPath(), path); e.session != nil && n > most {
			best, most = e, n
		}
	}
	var s *session
	if best != nil {
		s = best.session
	}
	t.mu.Unlock()
	if s == nil || !t.isExpired(s) {
		return s, nil
	}
	return t.newSession(r.Context(), best, s)
}

// isExpired reports whether a session has expired.
func (t *Transport) isExpired(s *session) bool {
	return !s.expires.IsZero() && !t.now().Before(s.expires)
}

// commonSegments returns the number of segments that two paths have in common at their
// beginning.
func commonSegments(a, b string) (n int) {
	for {
		var s, other string
		var more, otherMore bool
		s, a, more = strings.Cut(a, "/")
		other, b, otherMore = strings.Cut(b, "/")
		if s != other || !more || !otherMore {
			return n
		}
		n++
	}
}

// endpoint finds or adds a token endpoint, and moves it to the front.
func (t *Transport) endpoint(o origin.Origin, scheme Scheme, url *url.URL) *tokenEndpoint {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.endpoints == nil {
		t.endpoints = make(map[origin.Origin][]*tokenEndpoint)
	}
	known := t.endpoints[o]
	i := slices.IndexFunc(known, func(e *tokenEndpoint) bool {
		return e.scheme == scheme && e.url.String() == url.String()
	})
	e := &tokenEndpoint{origin: o, scheme: scheme, url: url}
	if i >= 0 {
		e = known[i]
		known = slices.Delete(known, i, i+1)
	}
	known = slices.Insert(known, 0, e)
	t.endpoints[o] = known[:min(len(known), maxEndpoints)]
	return e
}

// newSession returns a session other than the refused one. One request at a time begins
// an exchange. Others wait for its result, or until their own context ends.
func (t *Transport) newSession(ctx context.Context, e *tokenEndpoint, refused *session) (*session, error) {
	for {
		t.mu.Lock()
		if e.session != nil && e.session != refused && !t.isExpired(e.session) {
			defer t.mu.Unlock()
			return e.session, nil
		}
		other := e.exchange
		if other == nil {
			own := &exchange{done: make(chan struct{}), canceled: true} // until signIn returns
			e.exchange = own
			t.mu.Unlock()
			return t.runExchange(ctx, e, own)
		}
		t.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !other.canceled {
			return other.session, other.err
		}
	}
}

// runExchange runs an exchange. It ends the exchange even if Assertion panics.
func (t *Transport) runExchange(ctx context.Context, e *tokenEndpoint, x *exchange) (*session, error) {
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if x.session != nil {
			e.session = x.session
		}
		e.exchange = nil
		close(x.done)
	}()
	x.session, x.err = t.signIn(ctx, e)
	x.canceled = x.err != nil && ctx.Err() != nil
	return x.session, x.err
}

// drop removes a session that the server refused.
func (t *Transport) drop(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.endpoint.session == s {
		s.endpoint.session = nil
	}
}

// TokenError means that a token endpoint issued no credentials.
type TokenError struct {
	// Origin is the origin of the token endpoint.
	Origin string
	// Status is the status of the answer: 200 for an answer that is malformed, 0 if there
	// was no answer.
	Status int
	// Err is what is wrong with the answer, or why there was none. It is nil if only
	// Status is wrong.
	Err error
}

// Error implements error. It does not contain the text of a network error, which can
// quote the server.
func (e *TokenError) Error() string {
	text := "no credentials from " + e.Origin + ": "
	switch {
	case e.Status == 0:
		return text + "the token endpoint did not answer"
	case e.Err != nil:
		return text + "the token endpoint's answer has " + e.Err.Error()
	}
	text += "the token endpoint answered with status " + strconv.Itoa(e.Status)
	if e.Status/100 == 3 {
		text += ", a redirect, which is not followed"
	}
	return text
}

// Unwrap returns Err.
func (e *TokenError) Unwrap() error { return e.Err }

// signIn gets an assertion and exchanges it for credentials.
func (t *Transport) signIn(ctx context.Context, e *tokenEndpoint) (*session, error) {
	assertion, err := t.Assertion(ctx, e.origin.String())
	if err != nil {
		return nil, fmt.Errorf("no assertion for %s: %w", e.origin, err)
	}
	answer, err := t.post(ctx, e, assertion)
	if err != nil {
		return nil, err
	}
	c, life, err := parseCredentials(e.scheme, answer)
	if err != nil {
		return nil, &TokenError{e.origin.String(), http.StatusOK, err}
	}
	if e.scheme == OAuthVEP {
		c.Method = t.Method
	}
	s := &session{endpoint: e, credentials: c}
	if life > 0 {
		s.expires = t.now().Add(life)
	}
	return s, nil
}

// post returns the answer of the token endpoint to an assertion. It does not use an
// http.Client, which would follow redirects.
func (t *Transport) post(ctx context.Context, e *tokenEndpoint, assertion string) ([]byte, error) {
	form := url.Values{"assertion": {assertion}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url.String(), strings.NewReader(form))
	if err != nil {
		return nil, errEndpointURL(e.origin)
	}
	r.Header.Set("Content-Type", formType)
	r.Header.Set("Accept", "application/json")
	res, err := t.base().RoundTrip(r)
	if err != nil {
		return nil, noAnswer(ctx, e.origin, err)
	}
	defer discard(res)
	if res.StatusCode != http.StatusOK {
		return nil, &TokenError{Origin: e.origin.String(), Status: res.StatusCode}
	}
	answer, err := readAtMost(res.Body, maxTokenAnswer)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &TokenError{e.origin.String(), http.StatusOK, errors.New("more than 64 KiB")}
	case err != nil:
		return nil, noAnswer(ctx, e.origin, err)
	}
	return answer, nil
}

// noAnswer returns the error for an answer that is missing or incomplete. It wraps the
// error of the context if that has ended.
func noAnswer(ctx context.Context, o origin.Origin, cause error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("no credentials from %s: %w", o, err)
	}
	return &TokenError{Origin: o.String(), Err: cause}
}

// parseCredentials returns the credentials in the answer of a token endpoint, and how long
// they are valid: the member duration, in seconds, which some servers send. 0 means that it
// is not known: the credentials are then used until the next challenge. Other members are
// ignored.
func parseCredentials(scheme Scheme, answer []byte) (c Credentials, life time.Duration, err error) {
	if len(answer) == 0 {
		return c, 0, errors.New("no content")
	}
	object, err := strictjson.ParseObject(answer)
	if err != nil {
		return c, 0, fmt.Errorf("no JSON object: %w", err)
	}
	s, err := scheme.signatureScheme()
	if err != nil {
		return c, 0, err
	}
	id, secret, err := s.ParseAnswer(object)
	switch {
	case err != nil:
		return c, 0, err
	case id == "" || secret == "":
		return c, 0, errors.New("no token or no secret")
	case strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }):
		return c, 0, errors.New("a token with characters that no header can have")
	}
	duration, _ := object.Get("duration")
	if seconds, err := strconv.Atoi(string(duration)); err == nil && seconds > 0 && seconds <= maxDuration {
		life = time.Duration(seconds) * time.Second
	}
	return Credentials{Scheme: scheme, ID: id, Secret: secret}, life, nil
}
