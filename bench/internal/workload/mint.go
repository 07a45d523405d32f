package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// PoolSize is how many assertions a pool for measuring has, at least.
const PoolSize = 4096

// Users is how many users share the assertions of a pool for those states in
// which users come again; in a pool too small for that, half as many as there
// are assertions.
const Users = 64

// Audience is the relying party that all assertions are for.
const Audience = "https://rp.example"

// Now is the time at which all assertions hold.
var Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Mint mints pools. It is safe for concurrent use.
type Mint struct {
	resolver *wellknown.Resolver
	issuers  map[string]*idptest.IdP // by algorithm
	size     int

	mu    sync.Mutex
	users map[string]func() ([]visit, error) // by algorithm and whether all are newcomers
}

// NewMint makes a mint of pools of so many assertions. It starts an identity
// provider for each algorithm, on a server of its own, has a resolver fetch
// their support documents, and stops the server: nothing is fetched after that.
func NewMint(size int) (*Mint, error) {
	m := &Mint{size: size, issuers: make(map[string]*idptest.IdP), users: make(map[string]func() ([]visit, error))}
	server := idptest.NewServer()
	defer server.Close()
	for _, algorithm := range Algorithms {
		idp := idptest.New(strings.ToLower(algorithm)+".example", idptest.Key(algorithm)).At(Now)
		server.Set(idp.Domain, idptest.Serve(idp))
		m.issuers[algorithm] = idp
	}
	config := server.Config()
	config.Now = func() time.Time { return Now }
	var err error
	if m.resolver, err = wellknown.NewResolver(config); err != nil {
		return nil, err
	}
	for _, idp := range m.issuers {
		if _, err := m.resolver.Authority(context.Background(), idp.Domain, idp.Domain); err != nil {
			return nil, fmt.Errorf("support document of %s: %w", idp.Domain, err)
		}
	}
	return m, nil
}

// Pool is backed assertions of one pair.
type Pool struct {
	Pair  Pair
	Texts []string
	// Domain is the issuer, and that of all addresses; Key is its key, and
	// Document its support document.
	Domain   string
	Key      keys.PublicKey
	Document []byte
	users    int // Texts[i] is from the user i modulo this
}

// Pool mints the pool for a state of a pair. It remembers what the users sign,
// for the pairs with other issuers, and not the pool.
func (m *Mint) Pool(p Pair, s State) (*Pool, error) {
	visits, err := m.visits(p.User, s.newcomers())()
	if err != nil {
		return nil, fmt.Errorf("users with %s keys: %w", p.User, err)
	}
	idp := m.issuers[p.Issuer]
	pool := &Pool{Pair: p, Domain: idp.Domain, Key: idp.Keys[0].Public(), users: m.usersOf(s.newcomers())}
	if pool.Document, err = json.Marshal(idp.Document()); err != nil {
		return nil, err
	}
	certificates := make([]string, pool.users)
	err = spread(len(certificates), func(from, to int) error {
		sign, err := issuer(p.Issuer, from)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			c := idp.Certificate(fmt.Sprintf("user%d@%s", i, idp.Domain), visits[i].user)
			c.Sign = sign.sign
			if certificates[i], err = c.Encode(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("certificates by %s: %w", p.Issuer, err)
	}
	for i, v := range visits {
		pool.Texts = append(pool.Texts, certificates[i%pool.users]+"~"+v.assertion)
	}
	return pool, nil
}

// visit is what a user brings to a relying party, but for the certificate.
type visit struct {
	user      keys.PublicKey
	assertion string
}

func (m *Mint) usersOf(newcomers bool) int {
	if newcomers {
		return m.size
	}
	return min(Users, m.size/2)
}

// visits mints once what can be shared. Users with RSA keys have a ring of them
// in turn: where that fits, what is signed by users who come once serves for
// those who come again.
func (m *Mint) visits(algorithm string, newcomers bool) func() ([]visit, error) {
	if !isDSA(algorithm) && m.usersOf(false)%rsaRing == 0 {
		newcomers = true
	}
	name := fmt.Sprint(algorithm, newcomers)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users[name] == nil {
		m.users[name] = sync.OnceValues(func() ([]visit, error) { return m.mintVisits(algorithm, newcomers) })
	}
	return m.users[name]
}

func (m *Mint) mintVisits(algorithm string, newcomers bool) ([]visit, error) {
	visits := make([]visit, m.size)
	known := make([]signer, m.usersOf(newcomers))
	err := spread(len(known), func(from, to int) error {
		next, err := users(algorithm, from)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			if known[i], err = next(); err != nil {
				return err
			}
			for j := i; j < m.size; j += len(known) {
				if visits[j], err = newVisit(known[i], j, Now); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return visits, err
}

// assertionLife is how long assertions hold. They are minted ahead, so it is
// more than the usual few minutes.
const assertionLife = time.Hour

// newVisit signs an assertion that no other one is equal to: each expires a
// millisecond later than the one before.
func newVisit(u signer, number int, at time.Time) (visit, error) {
	t := idptest.Token{
		Alg: u.public.Algorithm(), Sign: u.sign,
		Claims: idptest.Object{"aud": Audience, "exp": at.Add(assertionLife).UnixMilli() + int64(number)},
	}
	assertion, err := t.Encode()
	return visit{u.public, assertion}, err
}

// spread splits 0 … n among the processors, in pieces that do not depend on how
// many there are.
func spread(n int, work func(from, to int) error) error {
	const piece = 16
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += piece {
		group.Go(func() error { return work(from, min(from+piece, n)) })
	}
	return group.Wait()
}
