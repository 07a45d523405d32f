package login_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/login"
)

// signIns stores one session of each of n users of a domain.
func signIns(t testing.TB, m *login.Memory, n int, domain string) {
	t.Helper()
	expires := time.Now().Add(time.Hour)
	for i := range n {
		name := fmt.Sprintf("%d@%s", i, domain)
		if err := m.SignIn(name, name, name, expires); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// wantFound fails the test unless all the sessions are found, or none if want is false. It
// counts as a use of them.
func wantFound(t *testing.T, m *login.Memory, want bool, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		data, found, err := m.Find(token)
		if err != nil || found != want || found && string(data) != token {
			t.Errorf("%s: %q, %v, %v", token, data, found, err)
		}
	}
}

// TestMemoryOfUser checks that a user's new session replaces the user's oldest one.
func TestMemoryOfUser(t *testing.T) {
	m := login.NewMemory()
	expires := time.Now().Add(time.Hour)
	for i := range login.MaxOfUser + 3 {
		if err := m.SignIn(fmt.Sprint(i), "alice", "alice@idp.example", expires); err != nil {
			t.Fatal(err)
		}
		if err := m.SignIn("bob", "bob", "bob@idp.example", expires); err != nil {
			t.Fatal(err)
		}
	}
	wantFound(t, m, false, "0", "1", "2")
	wantFound(t, m, true, "3", fmt.Sprint(login.MaxOfUser+2), "bob")
	if n, users, domains, aged, _ := m.Len(); n != login.MaxOfUser+1 || users != 2 || domains != 1 || aged != n {
		t.Errorf("%d sessions, %d users, %d domains", n, users, domains)
	}
}

// TestMemoryOfDomain checks that users of one domain cannot prevent or end the sessions
// of others.
func TestMemoryOfDomain(t *testing.T) {
	m := login.NewMemory()
	signIns(t, m, 1000, "honest.example")
	signIns(t, m, login.MaxOfDomain+1000, "evil.example")
	wantFound(t, m, true, "0@honest.example", "999@honest.example")
	wantFound(t, m, false, "0@evil.example", "999@evil.example") // replaced, because they were not used
	for i := range login.MaxOfDomain {
		wantFound(t, m, true, fmt.Sprintf("%d@evil.example", i+1000))
	}
	expires := time.Now().Add(time.Hour)
	for _, email := range []string{"new@evil.example", "new@a.b.evil.example"} { // all are in use, and both have the same registrable domain
		if err := m.SignIn("new", email, email, expires); !errors.Is(err, login.ErrSessionsFull) {
			t.Errorf("%s: %v", email, err)
		}
	}
	if err := m.SignIn("new", "new@honest.example", "new@honest.example", expires); err != nil {
		t.Error(err)
	}
	wantFound(t, m, true, "1000@evil.example", "new")
}

// TestMemoryFull checks that a full store replaces sessions that were not used, and no
// others.
func TestMemoryFull(t *testing.T) {
	m := login.NewMemory()
	for i := range 4 {
		signIns(t, m, login.MaxSessions/4, fmt.Sprintf("d%d.example", i))
	}
	wantFound(t, m, true, "0@d0.example")
	expires := time.Now().Add(time.Hour)
	if err := m.SignIn("new", "new", "new@honest.example", expires); err != nil {
		t.Error(err)
	}
	wantFound(t, m, true, "0@d0.example", "2@d0.example", "new")
	wantFound(t, m, false, "1@d0.example") // the oldest that was not used
	for i := range 4 {
		for j := range login.MaxSessions / 4 {
			_, _, _ = m.Find(fmt.Sprintf("%d@d%d.example", j, i))
		}
	}
	if err := m.SignIn("more", "more", "more@honest.example", expires); !errors.Is(err, login.ErrSessionsFull) {
		t.Error(err)
	}
	wantFound(t, m, true, "0@d0.example", "2@d0.example", "new")
	if err := m.Delete("new"); err != nil {
		t.Error(err)
	}
	if err := m.SignIn("more", "more", "more@honest.example", expires); err != nil {
		t.Error(err)
	}
	if n, _, _, aged, unused := m.Len(); n != login.MaxSessions || aged != n || unused != 1 {
		t.Errorf("%d sessions, %d by age, %d unused", n, aged, unused)
	}
}

// TestMemoryIdle checks that a full store replaces the least recently used session if
// it was idle for IdleTime.
func TestMemoryIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := login.NewMemory()
		fill := func() {
			t.Helper()
			for d := range 2 {
				domain := fmt.Sprintf("d%d.example", d)
				signIns(t, m, login.MaxOfDomain, domain)
				for i := range login.MaxOfDomain {
					wantFound(t, m, true, fmt.Sprintf("%d@%s", i, domain))
				}
			}
		}
		fill()
		signIn := func(email string, want error) {
			t.Helper()
			if err := m.SignIn(email, email, email, time.Now().Add(time.Hour)); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", email, err, want)
			}
		}
		time.Sleep(login.IdleTime - time.Nanosecond)
		wantFound(t, m, true, "0@d0.example", "1@d0.example") // in use
		signIn("new@d0.example", login.ErrSessionsFull)
		signIn("new@d2.example", login.ErrSessionsFull)
		time.Sleep(time.Nanosecond)
		signIn("new@d2.example", nil) // replaces the first of all idle sessions
		signIn("new@d1.example", nil) // replaces the first idle session of its domain
		wantFound(t, m, false, "2@d0.example", "0@d1.example")
		wantFound(t, m, true, "0@d0.example", "1@d0.example", "3@d0.example", "1@d1.example", "new@d2.example", "new@d1.example")
	})
}

// TestMemoryExpires checks that expired sessions are not found, and are removed.
func TestMemoryExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := login.NewMemory()
		signIns(t, m, login.MaxOfDomain, "idp.example")
		wantFound(t, m, true, "0@idp.example")
		time.Sleep(time.Hour)
		wantFound(t, m, false, "0@idp.example", "1@idp.example")
		if err := m.SignIn("new", "new", "new@idp.example", time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		wantFound(t, m, true, "new")
		if n, users, domains, aged, unused := m.Len(); n != 1 || users != 1 || domains != 1 || aged != 1 || unused != 0 {
			t.Errorf("%d sessions, %d users, %d domains, %d by age, %d unused", n, users, domains, aged, unused)
		}
	})
}

// TestMemoryUpdateAndDelete checks that storing a session again adds none, and that a deleted
// session is not found.
func TestMemoryUpdateAndDelete(t *testing.T) {
	m := login.NewMemory()
	expires := time.Now().Add(time.Hour)
	for range 2 {
		if err := m.SignIn("a", "alice", "alice@idp.example", expires); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Commit("b", []byte("b"), expires); err != nil {
		t.Fatal(err)
	}
	wantFound(t, m, true, "a", "b")
	for _, token := range []string{"a", "a", "b", "absent"} {
		if err := m.Delete(token); err != nil {
			t.Error(err)
		}
	}
	wantFound(t, m, false, "a", "b")
	if n, users, domains, aged, unused := m.Len(); n+users+domains+aged+unused != 0 {
		t.Errorf("%d sessions, %d users, %d domains, %d by age, %d unused", n, users, domains, aged, unused)
	}
}

// BenchmarkMemory measures a login when the store is full of sessions that were not
// used.
func BenchmarkMemory(b *testing.B) {
	m := login.NewMemory()
	for i := range 4 {
		signIns(b, m, login.MaxSessions/4, fmt.Sprintf("d%d.example", i))
	}
	expires := time.Now().Add(time.Hour)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprintf("%d@new%d.example", i, i)
		if err := m.SignIn(name, name, name, expires); err != nil {
			b.Fatal(err)
		}
	}
}
