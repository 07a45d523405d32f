package login

import (
	"context"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Internals that the tests use.
var (
	IsLocal         = isLocal
	ErrSessionsFull = errSessionsFull
)

const (
	MaxSessions = maxSessions
	MaxOfDomain = maxOfDomain
	MaxOfUser   = maxOfUser
	MaxFields   = maxFields
	IdleTime    = idleTime
)

// Memory is the session store in memory.
type Memory struct{ *memory }

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{newMemory(time.Now)} }

var _ scs.CtxStore = (*memory)(nil)

// SignIn stores a session of a user with that address.
func (m *Memory) SignIn(token, id, email string, expires time.Time) error {
	ctx := context.WithValue(context.Background(), ownerKey{}, ownerOf(id, email))
	return m.CommitCtx(ctx, token, []byte(token), expires)
}

// Len returns the number of entries in each of its tables.
func (m *Memory) Len() (sessions, users, domains, byAge, unused int) {
	return len(m.sessions), len(m.users), len(m.domains), m.byAge.Len(), m.all.unused.Len()
}
