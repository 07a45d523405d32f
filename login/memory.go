package login

import (
	"container/list"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/registrable"
)

// Bounds of the sessions in memory. A session takes about 1 KiB with all that
// belongs to it, so that all of them take about 50 MiB.
const (
	// maxSessions is how many sessions there are.
	maxSessions = 50_000
	// maxOfDomain is how many of them belong to users whose addresses have one
	// registrable domain.
	maxOfDomain = maxSessions / 2
	// maxOfUser is how many of them belong to one user.
	maxOfUser = 10
	// idleTime is how long a session may be unused before a full store replaces it.
	idleTime = 30 * time.Minute
)

// errSessionsFull is the error for a sign-in that has no place in memory.
var errSessionsFull = errors.New("the sessions in memory are full: use a session store with more room")

// owner is whose session it is. It travels in the context to the store.
type owner struct {
	user   string // the ID
	domain string // the registrable domain of the address
}

type ownerKey struct{}

// ownerOf copies what it returns: an address may be a part of a certificate's text,
// which a session would keep.
func ownerOf(id, email string) owner {
	_, host, _ := domain.Email(email) // an address that was verified has a host
	return owner{strings.Clone(id), strings.Clone(registrable.Domain(host))}
}

// memory is a session store in the memory of this process, with a bound that one
// user, and the users of one domain, cannot use up. It is the scs.CtxStore of a
// Config without Sessions.
//
// A user who has maxOfUser sessions loses the oldest with the next sign-in. When
// all places are taken, or all those of a domain, a sign-in replaces another
// session, or another session of that domain: the oldest that was never used after
// its sign-in, or else the one that was not used for the longest time, if that is at
// least idleTime. Without such a session the sign-in is refused. So a session that
// somebody uses does not end by what others do.
type memory struct {
	mu       sync.Mutex
	sessions map[string]*stored    // by token
	users    map[string]*list.List // by ID, the oldest first
	domains  map[string]*places
	all      places
	aged     list.List // the oldest first, which expire first
}

// places are sessions in the order in which they may be replaced.
type places struct {
	unused list.List // never used after the sign-in, the oldest first
	used   list.List // the least recently used first
}

func (p *places) count() int { return p.unused.Len() + p.used.Len() }

// replaceable returns the session that a new one may replace, nil if there is none.
func (p *places) replaceable(now time.Time) *stored {
	if s := oldest(&p.unused); s != nil {
		return s
	}
	if s := oldest(&p.used); s != nil && now.Sub(s.lastUse) >= idleTime {
		return s
	}
	return nil
}

// stored is a session, and where it stands in each list.
type stored struct {
	owner
	token   string
	data    []byte
	expires time.Time
	lastUse time.Time // zero means never

	inAged, inUser  *list.Element
	inAll, inDomain *list.Element // of the lists of places
}

func newMemory() *memory {
	return &memory{
		sessions: make(map[string]*stored), users: make(map[string]*list.List), domains: make(map[string]*places),
	}
}

// FindCtx implements scs.CtxStore. The session is used from then on.
func (m *memory) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	s, found := m.sessions[token]
	if !found || !now.Before(s.expires) {
		return nil, false, nil
	}
	m.use(s, now)
	return s.data, true, nil
}

// CommitCtx implements scs.CtxStore. It returns errSessionsFull if there is no
// place for a new session.
func (m *memory) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, found := m.sessions[token]; found {
		s.data, s.expires = data, expires
		return nil
	}
	now := time.Now()
	m.expire(now)
	who, _ := ctx.Value(ownerKey{}).(owner)
	if !m.makeRoom(who, now) {
		return errSessionsFull
	}
	m.add(&stored{owner: who, token: token, data: data, expires: expires})
	return nil
}

// DeleteCtx implements scs.CtxStore.
func (m *memory) DeleteCtx(_ context.Context, token string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, found := m.sessions[token]; found {
		m.remove(s)
	}
	return nil
}

// Find, Commit and Delete make it an scs.Store. scs calls the methods above.
func (m *memory) Find(token string) ([]byte, bool, error) {
	return m.FindCtx(context.Background(), token)
}

func (m *memory) Commit(token string, data []byte, expires time.Time) error {
	return m.CommitCtx(context.Background(), token, data, expires)
}

func (m *memory) Delete(token string) error { return m.DeleteCtx(context.Background(), token) }

// expire removes what has expired.
func (m *memory) expire(now time.Time) {
	for {
		s := oldest(&m.aged)
		if s == nil || now.Before(s.expires) {
			return
		}
		m.remove(s)
	}
}

// makeRoom reports whether there is a place for a session of who. It takes one
// from another session if it must and may.
func (m *memory) makeRoom(who owner, now time.Time) bool {
	of, d := m.users[who.user], m.domains[who.domain]
	var give *stored
	switch {
	case of != nil && of.Len() >= maxOfUser:
		give = oldest(of)
	case d != nil && d.count() >= maxOfDomain:
		give = d.replaceable(now)
	case len(m.sessions) >= maxSessions:
		give = m.all.replaceable(now)
	default:
		return true
	}
	if give != nil {
		m.remove(give)
	}
	return give != nil
}

// oldest returns the first session of a list, nil if it is empty.
func oldest(l *list.List) *stored {
	if first := l.Front(); first != nil {
		return first.Value.(*stored)
	}
	return nil
}

func (m *memory) add(s *stored) {
	of, d := m.users[s.user], m.domains[s.domain]
	if of == nil {
		of = list.New()
		m.users[s.user] = of
	}
	if d == nil {
		d = new(places)
		m.domains[s.domain] = d
	}
	m.sessions[s.token] = s
	s.inAged, s.inUser = m.aged.PushBack(s), of.PushBack(s)
	s.inAll, s.inDomain = m.all.unused.PushBack(s), d.unused.PushBack(s)
}

// use notes that the session is used.
func (m *memory) use(s *stored, now time.Time) {
	d := m.domains[s.domain]
	m.leave(s)
	s.lastUse = now
	s.inAll, s.inDomain = m.all.used.PushBack(s), d.used.PushBack(s)
}

// leave takes the session out of the lists of places. An element that is not in a
// list is left alone.
func (m *memory) leave(s *stored) {
	d := m.domains[s.domain]
	for _, l := range []*list.List{&m.all.unused, &m.all.used} {
		l.Remove(s.inAll)
	}
	for _, l := range []*list.List{&d.unused, &d.used} {
		l.Remove(s.inDomain)
	}
}

func (m *memory) remove(s *stored) {
	m.leave(s)
	delete(m.sessions, s.token)
	m.aged.Remove(s.inAged)
	of := m.users[s.user]
	of.Remove(s.inUser)
	if of.Len() == 0 {
		delete(m.users, s.user)
	}
	if m.domains[s.domain].count() == 0 {
		delete(m.domains, s.domain)
	}
}
