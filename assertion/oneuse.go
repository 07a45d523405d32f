package assertion

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
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
	// ErrRetention: the time until which an entry must be kept has passed, so that
	// it may be forgotten already, or is further ahead than the store keeps
	// entries. The signer of an assertion chooses that time. The stores of this
	// module, redisstore.Store among them, return it.
	ErrRetention = errors.New("one-use entry: no store keeps it until then")
)

// maxOneUseLife is how far ahead an entry's time may be.
const maxOneUseLife = 24 * time.Hour

// errShare is ErrFull for one party.
var errShare = fmt.Errorf("%w: one domain has at most half of the entries that are free", ErrFull)

// MemoryOneUse is a OneUse in the memory of one process: restarting forgets,
// and another process does not know. It is bounded: when it is full of live
// entries it returns ErrFull, so that no assertion passes twice.
//
// A party, which is a registrable domain, has at most half as many entries as are
// free, so that one domain cannot fill the store. A store of which only one domain
// uses any entries has room for a third of its maximum; the rest is for others.
type MemoryOneUse struct {
	mu      sync.Mutex
	max     int
	now     func() time.Time
	used    map[string]struct{}
	parties map[string]*party // those that have entries
	queue   expiries
}

// party counts the live entries of one party.
type party struct {
	name    string
	entries int
}

// NewMemoryOneUse returns a store of at most max entries, of about 200 bytes each
// (270 if each is of another party),
// which expire by the given clock; nil means time.Now. A verifier's store needs the
// verifier's own clock.
func NewMemoryOneUse(max int, now func() time.Time) *MemoryOneUse {
	if now == nil {
		now = time.Now
	}
	return &MemoryOneUse{max: max, now: now, used: make(map[string]struct{}), parties: make(map[string]*party)}
}

// MaxLife returns how far ahead an entry's time may be: 24 hours.
func (m *MemoryOneUse) MaxLife() time.Duration { return maxOneUseLife }

// FirstUse implements OneUse. The entry counts for no party.
func (m *MemoryOneUse) FirstUse(ctx context.Context, key string, until time.Time) (bool, error) {
	return m.FirstUseBy(ctx, "", key, until)
}

// FirstUseBy is FirstUse for an entry that counts for a party: it returns an error
// that matches ErrFull if the party has half as many entries as are free. The
// entries of the empty party are not limited.
func (m *MemoryOneUse) FirstUseBy(_ context.Context, party, key string, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if left := until.Sub(now); left < 0 || left > maxOneUseLife {
		return false, ErrRetention
	}
	m.forget(now)
	if _, used := m.used[key]; used {
		return false, nil
	}
	p, err := m.admit(party)
	if err != nil {
		return false, err
	}
	m.used[key] = struct{}{}
	heap.Push(&m.queue, expiry{until, key, p})
	return true, nil
}

// admit counts one more entry for a party, if there is room for it. It returns nil
// for the empty party.
func (m *MemoryOneUse) admit(name string) (*party, error) {
	free := m.max - len(m.used)
	if free <= 0 {
		return nil, ErrFull
	}
	if name == "" {
		return nil, nil
	}
	p := m.parties[name]
	if p == nil {
		p = &party{name: strings.Clone(name)}
		m.parties[p.name] = p
	}
	if 2*p.entries >= free {
		return nil, errShare
	}
	p.entries++
	return p, nil
}

// forget drops what expired before now.
func (m *MemoryOneUse) forget(now time.Time) {
	for len(m.queue) > 0 && m.queue[0].at.Before(now) {
		e := heap.Pop(&m.queue).(expiry)
		delete(m.used, e.key)
		if e.party == nil {
			continue
		}
		if e.party.entries--; e.party.entries == 0 {
			delete(m.parties, e.party.name)
		}
	}
}

type expiry struct {
	at    time.Time
	key   string
	party *party // nil if it counts for none
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
