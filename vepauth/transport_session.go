package vepauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxSpaces is how many token endpoints of one origin are remembered: one for each
// application of a server, and no more than that if a server makes them up.
const maxSpaces = 16

// space is what the credentials of one token endpoint are good for: all of an
// origin, or one application there. What changes is guarded by Transport.mu.
type space struct {
	at       origin
	scheme   Scheme
	endpoint *url.URL
	session  *session // the last one got, nil before
	asking   *asking  // nil when nobody asks for one
}

// session is credentials in use. It never changes, so that it can be told from
// the one that took its place.
type session struct {
	of          *space
	credentials Credentials
	expires     time.Time // zero if the server does not tell
}

// asking is one call for credentials, which others wait for.
type asking struct {
	done    chan struct{} // closed when the rest is set
	session *session
	err     error
	gaveUp  bool // whoever asked left first: somebody else must
}

// current gives the session to sign a request with, nil when there is none: of
// several that of the token endpoint whose path has most in common with the
// request's. One that has expired is replaced first.
func (t *Transport) current(r *http.Request, at origin) (*session, error) {
	path := parseTarget(r.URL.RequestURI()).path()
	t.mu.Lock()
	var best *space
	most := -1
	for _, s := range t.sites[at.text] {
		if n := commonSegments(s.endpoint.EscapedPath(), path); s.session != nil && n > most {
			best, most = s, n
		}
	}
	var s *session
	if best != nil {
		s = best.session
	}
	t.mu.Unlock()
	if s == nil || !t.expired(s) {
		return s, nil
	}
	return t.obtain(r.Context(), best, s)
}

func (t *Transport) expired(s *session) bool {
	return !s.expires.IsZero() && !t.now().Before(s.expires)
}

// commonSegments says how many segments two paths have in common at their
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

// space finds or makes the one of a token endpoint, and puts it in front.
func (t *Transport) space(at origin, scheme Scheme, endpoint *url.URL) *space {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sites == nil {
		t.sites = make(map[string][]*space)
	}
	known := t.sites[at.text]
	i := slices.IndexFunc(known, func(s *space) bool {
		return s.scheme == scheme && s.endpoint.String() == endpoint.String()
	})
	s := &space{at: at, scheme: scheme, endpoint: endpoint}
	if i >= 0 {
		s = known[i]
		known = slices.Delete(known, i, i+1)
	}
	known = slices.Insert(known, 0, s)
	t.sites[at.text] = known[:min(len(known), maxSpaces)]
	return s
}

// obtain gives a session that is not the one refused. One caller at a time asks
// the token endpoint; those who come meanwhile get the same answer, or leave
// when their own context ends.
func (t *Transport) obtain(ctx context.Context, s *space, refused *session) (*session, error) {
	for {
		t.mu.Lock()
		if s.session != nil && s.session != refused && !t.expired(s.session) {
			defer t.mu.Unlock()
			return s.session, nil
		}
		others := s.asking
		if others == nil {
			own := &asking{done: make(chan struct{}), gaveUp: true}
			s.asking = own
			t.mu.Unlock()
			return t.ask(ctx, s, own)
		}
		t.mu.Unlock()
		select {
		case <-others.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !others.gaveUp {
			return others.session, others.err
		}
	}
}

// ask asks the token endpoint, for everybody who waits.
func (t *Transport) ask(ctx context.Context, s *space, a *asking) (*session, error) {
	defer func() { // of a panic in Assertion, too
		t.mu.Lock()
		defer t.mu.Unlock()
		if a.session != nil {
			s.session = a.session
		}
		s.asking = nil
		close(a.done)
	}()
	a.session, a.err = t.signIn(ctx, s)
	a.gaveUp = a.err != nil && ctx.Err() != nil
	return a.session, a.err
}

// forget drops a session that was refused.
func (t *Transport) forget(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.of.session == s {
		s.of.session = nil
	}
}
