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

// Limits of the sessions in memory. A session takes about 1 KiB with its indexes, so
// maxSessions take about 50 MiB.
const (
	// maxSessions is the largest number of sessions.
	maxSessions = 50_000
	// maxOfDomain is the largest number of sessions of users whose addresses have one
	// registrable domain.
	maxOfDomain = maxSessions / 2
	// maxOfUser is the largest number of sessions of one user.
	maxOfUser = 10
	// idleTime is how long a session must be unused before a new one may replace it.
	idleTime = 30 * time.Minute
)

// errSessionsFull is the error of a login if no session may be replaced.
var errSessionsFull = errors.New("the sessions in memory are full: use a session store with more room")

// owner is the owner of a session. The store gets it from the context.
type owner struct {
	user   string // the ID
	domain string // the registrable domain of the address
}

type ownerKey struct{}

// ownerOf returns the owner of a session. It copies the strings: an address may be a part
// of the text of a certificate, which the session would keep in memory.
func ownerOf(id, email string) owner {
	_, host, _ := domain.Email(email) // a verified address has a host
	return owner{strings.Clone(id), strings.Clone(registrable.Domain(host))}
}

// memory is a session store in the memory of this process: the scs.CtxStore of a Config
// without Sessions. It has a limit, which neither one user nor the users of one domain can
// use up.
//
// A user with maxOfUser sessions loses the oldest at the next login. At the other
// limits, a login replaces a session: one of the same domain at the limit of a domain,
// any at the limit of all. That is the oldest session which was not used after its
// login or, if there is none, the least recently used one, if it was not used for
// idleTime. If there is no such session, the login fails. So a login never ends a
// session that another user is using.
type memory struct {
	now func() time.Time

	mu       sync.Mutex
	sessions map[string]*stored    // by token
	users    map[string]*list.List // by ID, the oldest first
	domains  map[string]*queues    // by registrable domain
	all      queues
	byAge    list.List // the oldest first, which expire first
}

// queues are sessions in the order in which they may be replaced.
type queues struct {
	unused list.List // not used after the login, the oldest first
	used   list.List // the least recently used first
}

// len returns the number of sessions.
func (q *queues) len() int { return q.unused.Len() + q.used.Len() }

// replaceable returns the session that a new one may replace, or nil.
func (q *queues) replaceable(now time.Time) *stored {
	if s := first(&q.unused); s != nil {
		return s
	}
	if s := first(&q.used); s != nil && now.Sub(s.lastUse) >= idleTime {
		return s
	}
	return nil
}

// stored is a session in the store, with its element of each list.
type stored struct {
	owner   owner
	token   string
	data    []byte
	expires time.Time
	lastUse time.Time // zero means never

	byAge, ofUser   *list.Element
	ofAll, ofDomain *list.Element // in one of the queues
}

// newMemory returns an empty store.
func newMemory(now func() time.Time) *memory {
	return &memory{
		now: now, sessions: make(map[string]*stored), users: make(map[string]*list.List), domains: make(map[string]*queues),
	}
}

// FindCtx implements scs.CtxStore. It counts as a use of the session.
func (m *memory) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	s, found := m.sessions[token]
	if !found || !now.Before(s.expires) {
		return nil, false, nil
	}
	m.use(s, now)
	return s.data, true, nil
}

// CommitCtx implements scs.CtxStore. It returns errSessionsFull if there is no room
// for a new session.
func (m *memory) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, found := m.sessions[token]; found {
		s.data, s.expires = data, expires
		return nil
	}
	now := m.now()
	m.expire(now)
	o, _ := ctx.Value(ownerKey{}).(owner)
	if !m.makeRoom(o, now) {
		return errSessionsFull
	}
	m.add(&stored{owner: o, token: token, data: data, expires: expires})
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

// Find implements scs.Store. scs calls FindCtx instead.
func (m *memory) Find(token string) ([]byte, bool, error) {
	return m.FindCtx(context.Background(), token)
}

// Commit implements scs.Store. scs calls CommitCtx instead.
func (m *memory) Commit(token string, data []byte, expires time.Time) error {
	return m.CommitCtx(context.Background(), token, data, expires)
}

// Delete implements scs.Store. scs calls DeleteCtx instead.
func (m *memory) Delete(token string) error { return m.DeleteCtx(context.Background(), token) }

// expire removes expired sessions.
func (m *memory) expire(now time.Time) {
	for {
		s := first(&m.byAge)
		if s == nil || now.Before(s.expires) {
			return
		}
		m.remove(s)
	}
}

// makeRoom reports whether a session of the owner can be added. At a limit it removes a
// session that may be replaced.
func (m *memory) makeRoom(o owner, now time.Time) bool {
	user, inDomain := m.users[o.user], m.domains[o.domain]
	var victim *stored
	switch {
	case user != nil && user.Len() >= maxOfUser:
		victim = first(user)
	case inDomain != nil && inDomain.len() >= maxOfDomain:
		victim = inDomain.replaceable(now)
	case len(m.sessions) >= maxSessions:
		victim = m.all.replaceable(now)
	default:
		return true
	}
	if victim != nil {
		m.remove(victim)
	}
	return victim != nil
}

// first returns the first session of a list, or nil.
func first(l *list.List) *stored {
	if e := l.Front(); e != nil {
		return e.Value.(*stored)
	}
	return nil
}

// add adds a session that is not in the store.
func (m *memory) add(s *stored) {
	user, inDomain := m.users[s.owner.user], m.domains[s.owner.domain]
	if user == nil {
		user = list.New()
		m.users[s.owner.user] = user
	}
	if inDomain == nil {
		inDomain = new(queues)
		m.domains[s.owner.domain] = inDomain
	}
	m.sessions[s.token] = s
	s.byAge, s.ofUser = m.byAge.PushBack(s), user.PushBack(s)
	s.ofAll, s.ofDomain = m.all.unused.PushBack(s), inDomain.unused.PushBack(s)
}

// use moves the session to the end of the used ones.
func (m *memory) use(s *stored, now time.Time) {
	m.dequeue(s)
	s.lastUse = now
	s.ofAll, s.ofDomain = m.all.used.PushBack(s), m.domains[s.owner.domain].used.PushBack(s)
}

// dequeue removes the session from its queues. list.Remove ignores an element of another
// list.
func (m *memory) dequeue(s *stored) {
	m.all.unused.Remove(s.ofAll)
	m.all.used.Remove(s.ofAll)
	inDomain := m.domains[s.owner.domain]
	inDomain.unused.Remove(s.ofDomain)
	inDomain.used.Remove(s.ofDomain)
}

// remove removes a session from the store.
func (m *memory) remove(s *stored) {
	m.dequeue(s)
	delete(m.sessions, s.token)
	m.byAge.Remove(s.byAge)
	user := m.users[s.owner.user]
	user.Remove(s.ofUser)
	if user.Len() == 0 {
		delete(m.users, s.owner.user)
	}
	if m.domains[s.owner.domain].len() == 0 {
		delete(m.domains, s.owner.domain)
	}
}
