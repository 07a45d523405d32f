package demo

import (
	"context"
	"slices"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/login"
)

// maxMembers is the number of members that a site remembers. Each has a walkthrough,
// of about 50 KiB. Beyond, the least recently seen member is forgotten, and so signed
// out.
const maxMembers = 200

// member is a user who has signed in.
type member struct {
	Email       string
	Since       time.Time // of the last sign-in
	Walkthrough *walkthrough
}

// id returns the member's identifier in the session.
func (m *member) id() string { return m.Email }

// members stands in for the table of users in a site's database.
type members struct {
	byEmail *bounded.Cache[string, *member]
}

func newMembers() *members {
	return &members{bounded.New[string, *member](maxMembers, maxMembers)}
}

// add adds a member, which counts as one byte: only the number is bounded.
func (all *members) add(m *member) { all.byEmail.Set(m.Email, m, 1) }

// find returns the member with that identifier, for package login.
func (all *members) find(_ context.Context, email string) (*member, error) {
	m, ok := all.byEmail.Get(email)
	if !ok {
		return nil, login.ErrNoUser
	}
	return m, nil
}

// list returns all members, the most recent sign-in first.
func (all *members) list() []*member {
	list := all.byEmail.Values()
	slices.SortFunc(list, func(a, b *member) int { return b.Since.Compare(a.Since) })
	return list
}

// admit adds a member for package login. Everyone who proves an address may sign in.
func (s *Site) admit(ctx context.Context, res *assertion.Result) (*member, error) {
	w, err := s.newWalkthrough(ctx, postedAssertion(ctx), res)
	if err != nil {
		return nil, err
	}
	m := &member{Email: res.Email, Since: s.config.Now(), Walkthrough: w}
	s.members.add(m)
	return m, nil
}
