package login

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// sessions is where sessions are kept. All that this package puts into one is
// the user's ID.
type sessions struct {
	scs *scs.SessionManager
	key string
}

// session is the session of one request. It is handled here, not by scs's own
// LoadAndSave, so that a store which fails is noticed before the answer is
// written, and handlers get the plain ResponseWriter.
type session struct {
	sessions
	ctx context.Context
	// shared: the application has LoadAndSave around this, and it is that which
	// sends the cookie.
	shared bool
}

func (s sessions) open(r *http.Request) (session, error) {
	token := ""
	if cookie, err := r.Cookie(s.scs.Cookie.Name); err == nil {
		token = cookie.Value
	}
	// Load gives back the very context that it got if that has a session.
	type mark struct{}
	before := context.WithValue(r.Context(), mark{}, nil)
	ctx, err := s.scs.Load(before, token)
	return session{s, ctx, ctx == before}, err
}

// user gives the ID of whoever is signed in, or nothing.
func (s session) user() string { return s.scs.GetString(s.ctx, s.key) }

// begin makes it the session of the user, under a new token, so that whoever
// knew the old one has nothing. What the application kept for somebody else who
// was signed in goes with them; what it kept for a visitor stays.
func (s session) begin(id string) error {
	if before := s.user(); before != "" && before != id {
		if err := s.scs.Clear(s.ctx); err != nil {
			return err
		}
	}
	if err := s.scs.RenewToken(s.ctx); err != nil {
		return err
	}
	s.scs.Put(s.ctx, s.key, id)
	return nil
}

// end throws all of it away. What is put into it later is under a new token.
func (s session) end() error { return s.scs.Destroy(s.ctx) }

// save stores the session if it changed, and sends its cookie.
func (s session) save(w http.ResponseWriter) error {
	switch s.scs.Status(s.ctx) {
	case scs.Modified:
		token, expires, err := s.scs.Commit(s.ctx)
		if err != nil {
			s.scs.Remove(s.ctx, s.key) // should LoadAndSave have more luck, nobody is signed in
			return err
		}
		if !s.shared {
			s.scs.WriteSessionCookie(s.ctx, w, token, expires)
		}
	case scs.Destroyed:
		if !s.shared {
			s.scs.WriteSessionCookie(s.ctx, w, "", time.Time{})
		}
	}
	return nil
}
