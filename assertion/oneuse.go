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

	"github.com/vepverify/vepverify/internal/oneuse"
	"github.com/vepverify/vepverify/internal/registrable"
)

// OneUse is a guard against replayed assertions: it accepts each key once.
//
// FirstUse reports whether key is new, and stores it, in one atomic step. It keeps
// the entry until the time given. If it cannot keep it, it returns an error, and
// the verifier returns ErrUndecided. If the reason is that time, the error should
// match ErrRetention. The text of the error is logged: it must name the cause, and
// contain neither the key nor a password.
//
// A guard may have two more methods:
//
//   - MaxLife() time.Duration returns how far ahead the time of an entry may be.
//     The verifier rejects assertions that need more, see Config.MaxLife.
//     *MemoryOneUse and *redisstore.Store have it.
//   - FirstUseBy(ctx context.Context, party, key string, until time.Time) (bool,
//     error) is called in place of FirstUse. The party is the registrable domain
//     of the email address, by which the guard can divide its capacity. It is empty,
//     which means no limit, for trusted issuers and the fallback. *MemoryOneUse
//     has it.
type OneUse interface {
	FirstUse(ctx context.Context, key string, until time.Time) (bool, error)
}

// checkFirstUse asks the one-use guard. It is the last step, because it has an
// effect.
func (v *verification) checkFirstUse() error {
	if v.config.OneUse == nil {
		return nil
	}
	first, err := v.firstUse()
	switch {
	case err != nil:
		const reason = "the record of used assertions is not available"
		return &Error{
			Kind: ErrUndecided, Reason: reason, detail: withCause(reason, err), cause: err, Found: err.Error(),
			Advice: "try again; if the error persists, check the one-use store", Setting: "OneUse",
		}
	case !first:
		return &Error{
			Kind: ErrReplayed, Reason: "the assertion was used before",
			Found: "a second use", Expected: "one use", Advice: "ask for a fresh assertion",
		}
	}
	return nil
}

func (v *verification) firstUse() (bool, error) {
	key, until := v.oneUseKey(), v.assertion.Validity.Expires.Add(v.config.Leeway)
	return oneuse.FirstUse(v.ctx, v.config.OneUse, v.party(), key, until)
}

// oneUseKey returns the name of the assertion for the one-use guard. It covers what
// the user signed, and with which key. It does not cover the signature and the
// certificate, of which there are other valid encodings (PROTOCOL 7.one-use-key).
func (v *verification) oneUseKey() string {
	h := sha256.New()
	h.Write([]byte(v.assertion.Signed()))
	h.Write([]byte{0}) // a byte that no token contains
	h.Write(v.userKey().Canonical())
	return hex.EncodeToString(h.Sum(nil))
}

// party returns the party whose entry the assertion is: the registrable domain of
// the email address. Only the owner of that domain can let an issuer speak for it,
// so that more parties cost more registered domains. The party is not the issuer,
// because any domain can delegate to an issuer. It is empty for trusted issuers and
// the fallback.
func (v *verification) party() string {
	if v.trusted[v.issuer()] || v.issuer() == v.fallback {
		return ""
	}
	return registrable.Domain(v.emailDomain)
}

// The errors of one-use guards. Both make an assertion undecided.
var (
	// ErrFull means that a MemoryOneUse has as many live entries as it may have.
	ErrFull = errors.New("one-use store: full (entries remain until their assertions expire: raise the maximum, or lower MaxLife)")
	// ErrRetention means that the time until which an entry must be kept is not
	// possible. Either it has passed, and an earlier entry may be gone, or it is
	// further ahead than the guard keeps entries. *MemoryOneUse and *redisstore.Store return it.
	ErrRetention = errors.New("one-use store: no entry is kept until that time")
)

// errPartyFull is the [ErrFull] of one party.
var errPartyFull = fmt.Errorf("%w: for this domain, which may have half of the entries that are free", ErrFull)

// maxOneUseLife is how far ahead the time of an entry may be. The signer of an
// assertion chooses that time.
const maxOneUseLife = 24 * time.Hour

// MemoryOneUse is a OneUse in the memory of one process. A restart loses its
// entries, and other processes do not see them. It is safe for concurrent use.
//
// It is bounded: if it is full of live entries it returns ErrFull, so that no
// assertion passes twice. A party, which is a registrable domain, has at most half
// as many entries as are free, so that one domain cannot fill the store. If only
// one domain has entries, it has at most a third of the maximum. Use NewMemoryOneUse to create
// one: a nil or zero one is always full.
type MemoryOneUse struct {
	mu      sync.Mutex
	max     int
	now     func() time.Time
	used    map[string]struct{}
	parties map[string]*party // those that have entries
	queue   expiryQueue
}

// party counts the live entries of one party.
type party struct {
	name    string
	entries int
}

// NewMemoryOneUse returns a store of at most max entries. An entry takes about 200
// bytes, or 270 if each entry is of another party. Entries expire by the clock
// now, which must be that of the verifier. Nil means time.Now.
func NewMemoryOneUse(max int, now func() time.Time) *MemoryOneUse {
	if now == nil {
		now = time.Now
	}
	return &MemoryOneUse{max: max, now: now, used: make(map[string]struct{}), parties: make(map[string]*party)}
}

// MaxLife returns how far ahead the time of an entry may be: 24 hours.
func (m *MemoryOneUse) MaxLife() time.Duration { return maxOneUseLife }

// FirstUse implements OneUse. The entry counts for no party.
func (m *MemoryOneUse) FirstUse(ctx context.Context, key string, until time.Time) (bool, error) {
	return m.FirstUseBy(ctx, "", key, until)
}

// FirstUseBy is FirstUse for an entry that counts for a party. It returns an error
// matching ErrFull if the party has half as many entries as are free. The entries
// of the empty party are not limited.
func (m *MemoryOneUse) FirstUseBy(ctx context.Context, party, key string, until time.Time) (bool, error) {
	if m == nil {
		return false, ErrFull
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.max <= 0 { // such as the zero value, which has no clock
		return false, ErrFull
	}
	now := m.now()
	if left := until.Sub(now); left < 0 || left > maxOneUseLife {
		return false, ErrRetention
	}
	m.removeExpired(now)
	if _, used := m.used[key]; used {
		return false, nil
	}
	p, err := m.reserve(party)
	if err != nil {
		return false, err
	}
	m.used[key] = struct{}{}
	heap.Push(&m.queue, oneUseEntry{until, key, p})
	return true, nil
}

// reserve counts one more entry for a party if there is room for it. It returns nil
// for the empty party.
func (m *MemoryOneUse) reserve(name string) (*party, error) {
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
		return nil, errPartyFull
	}
	p.entries++
	return p, nil
}

// removeExpired removes the entries that expired before now.
func (m *MemoryOneUse) removeExpired(now time.Time) {
	for len(m.queue) > 0 && m.queue[0].expires.Before(now) {
		e := heap.Pop(&m.queue).(oneUseEntry)
		delete(m.used, e.key)
		if e.party == nil {
			continue
		}
		if e.party.entries--; e.party.entries == 0 {
			delete(m.parties, e.party.name)
		}
	}
}

type oneUseEntry struct {
	expires time.Time
	key     string
	party   *party // nil if it counts for none
}

// expiryQueue is a heap of entries, the earliest to expire first.
type expiryQueue []oneUseEntry

func (q expiryQueue) Len() int           { return len(q) }
func (q expiryQueue) Less(i, j int) bool { return q[i].expires.Before(q[j].expires) }
func (q expiryQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *expiryQueue) Push(x any)        { *q = append(*q, x.(oneUseEntry)) }
func (q *expiryQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = oneUseEntry{} // so that the key can be collected
	*q = old[:len(old)-1]
	return last
}
