package demo

import (
	"context"
	"slices"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/login"
)

// maxMembers is how many members a site remembers. Each has a tour, of some
// 50 KiB; the one who has been away for longest is forgotten, and signed out.
const maxMembers = 200

// A member is whoever has signed in.
type member struct {
	Email string
	Since time.Time // of the last sign-in
	Tour  *tour
}

// id is what the session holds.
func (m *member) id() string { return m.Email }

// members are the site's users: all that its database would have.
type members struct{ byEmail *bounded.Cache[string, *member] }

func newMembers() *members {
	return &members{bounded.New[string, *member](maxMembers, maxMembers)}
}

// add counts a member as one byte, so that only their number is bounded.
func (all *members) add(m *member) { all.byEmail.Set(m.Email, m, 1) }

// find is the site's FindByID.
func (all *members) find(_ context.Context, email string) (*member, error) {
	m, known := all.byEmail.Get(email)
	if !known {
		return nil, login.ErrNoUser
	}
	return m, nil
}

// list gives all of them, the last to sign in first.
func (all *members) list() []*member {
	list := all.byEmail.Values()
	slices.SortFunc(list, func(a, b *member) int { return b.Since.Compare(a.Since) })
	return list
}

// admit is the site's FindOrCreate: everybody who proves an address is welcome.
func (s *Site) admit(ctx context.Context, res *assertion.Result) (*member, error) {
	t, err := s.newTour(ctx, postedAssertion(ctx), res)
	if err != nil {
		return nil, err
	}
	m := &member{Email: res.Email, Since: s.config.Now(), Tour: t}
	s.members.add(m)
	return m, nil
}
