package assertion

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
)

// useKey names an assertion for the one-use guard. It covers what the user
// signed and with which key, and neither signature nor certificate: those have
// other forms that hold as well (PROTOCOL §7).
func useKey(t *certchain.Token, key keys.PublicKey) string {
	h := sha256.New()
	h.Write([]byte(t.Signed()))
	h.Write([]byte{0}) // no byte of a token
	h.Write(key.Canonical())
	return hex.EncodeToString(h.Sum(nil))
}

// Why a MemoryOneUse cannot tell. Both make an assertion undecided.
var (
	// ErrFull: it holds as many live entries as it may.
	ErrFull = errors.New("the one-use store is full")
	// ErrUntil: the time until which an entry is to be kept has passed, so that
	// it may be forgotten already, or is more than a day ahead: whoever signs an
	// assertion chooses for how long it takes room.
	ErrUntil = errors.New("no one-use entry can be kept until then")
)

// maxOneUseLife is how far ahead an entry's time may be.
const maxOneUseLife = 24 * time.Hour

// MemoryOneUse is a OneUse in the memory of one process: restarting forgets,
// and another process does not know. It is bounded: when it is full of live
// entries it errs with ErrFull, so that no assertion passes twice.
type MemoryOneUse struct {
	mu    sync.Mutex
	max   int
	now   func() time.Time
	until map[string]time.Time
	queue expiries
}

// NewMemoryOneUse makes a store of at most max entries, of some 200 bytes each,
// which expire by the given clock; nil is time.Now. A verifier's store needs the
// verifier's own clock.
func NewMemoryOneUse(max int, now func() time.Time) *MemoryOneUse {
	if now == nil {
		now = time.Now
	}
	return &MemoryOneUse{max: max, now: now, until: make(map[string]time.Time)}
}

// MaxLife returns how far ahead an entry's time may be: 24 hours.
func (m *MemoryOneUse) MaxLife() time.Duration { return maxOneUseLife }

// FirstUse implements OneUse.
func (m *MemoryOneUse) FirstUse(_ context.Context, key string, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if left := until.Sub(now); left < 0 || left > maxOneUseLife {
		return false, ErrUntil
	}
	m.forget(now)
	if _, used := m.until[key]; used {
		return false, nil
	}
	if len(m.until) >= m.max {
		return false, ErrFull
	}
	m.until[key] = until
	heap.Push(&m.queue, expiry{until, key})
	return true, nil
}

// forget drops what expired before now.
func (m *MemoryOneUse) forget(now time.Time) {
	for len(m.queue) > 0 && m.queue[0].at.Before(now) {
		delete(m.until, heap.Pop(&m.queue).(expiry).key)
	}
}

type expiry struct {
	at  time.Time
	key string
}

// expiries is a heap, the earliest first.
type expiries []expiry

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *expiries) Push(x any)        { *e = append(*e, x.(expiry)) }
func (e *expiries) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = expiry{} // let the key go
	*e = old[:len(old)-1]
	return last
}
