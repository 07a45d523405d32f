package demo

import (
	"context"
	"slices"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/posted"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/login"
)

// maxMembers is the number of members that a site remembers. Each has a walkthrough,
// of about 50 KiB. The least recently seen member beyond that is evicted, and thereby
// signed out.
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
func (m *members) add(one *member) { m.byEmail.Set(one.Email, one, 1) }

// find returns the member with that identifier, for package login.
func (m *members) find(_ context.Context, email string) (*member, error) {
	found, ok := m.byEmail.Get(email)
	if !ok {
		return nil, login.ErrNoUser
	}
	return found, nil
}

// list returns all members, the most recent sign-in first.
func (m *members) list() []*member {
	list := m.byEmail.Values()
	slices.SortFunc(list, func(a, b *member) int { return b.Since.Compare(a.Since) })
	return list
}

// findOrCreate adds a member, for package login. Every user with a valid assertion may
// sign in.
func (s *Site) findOrCreate(ctx context.Context, res *assertion.Result) (*member, error) {
	w, err := s.newWalkthrough(ctx, posted.Form(ctx).Get("assertion"), res)
	if err != nil {
		return nil, err
	}
	m := &member{Email: res.Email, Since: s.config.Now(), Walkthrough: w}
	s.members.add(m)
	return m, nil
}
