package login

import (
	"context"
	"time"

	"github.com/alexedwards/scs/v2"
)

// The seams of the tests.
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

// NewMemory makes one.
func NewMemory() *Memory { return &Memory{newMemory()} }

var _ scs.CtxStore = (*memory)(nil)

// SignIn stores a session for a user with that address.
func (m *Memory) SignIn(token, id, email string, expires time.Time) error {
	ctx := context.WithValue(context.Background(), ownerKey{}, ownerOf(id, email))
	return m.CommitCtx(ctx, token, []byte(token), expires)
}

// Len returns the number of entries in each of its tables.
func (m *Memory) Len() (sessions, users, domains, aged, unused int) {
	return len(m.sessions), len(m.users), len(m.domains), m.aged.Len(), m.all.unused.Len()
}
