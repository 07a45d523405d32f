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

// PoolSize is the number of assertions in a pool for measurements.
const PoolSize = 4096

// Users is the number of users of a pool in the states in which users return. A pool
// with fewer than twice as many assertions has half as many users as assertions.
const Users = 64

// Audience is the audience of all assertions.
const Audience = "https://rp.example"

// Now is a time at which all assertions are valid.
var Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Generator makes pools. It is safe for concurrent use.
type Generator struct {
	resolver *wellknown.Resolver
	issuers  map[string]*idptest.IdP // by algorithm
	size     int

	mu    sync.Mutex
	users map[string]func() ([]visit, error) // by algorithm and whether all are new
}

// NewGenerator returns a generator of pools of size assertions. It starts an identity
// provider for each algorithm on a server, lets a resolver fetch their support
// documents, and stops the server. Nothing is fetched after that.
func NewGenerator(size int) (*Generator, error) {
	m := &Generator{size: size, issuers: make(map[string]*idptest.IdP), users: make(map[string]func() ([]visit, error))}
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

// Pool is a set of backed assertions of one pair.
type Pool struct {
	Pair  Pair
	Texts []string
	// Domain is the issuer, and the domain of all addresses. Key is its key, and
	// Document its support document.
	Domain   string
	Key      keys.PublicKey
	Document []byte
	users    int // Texts[i] is of the user i modulo users
}

// Pool returns a pool for a state of a pair. The generator keeps the users' tokens, for
// pairs with other issuers, and not the pool.
func (m *Generator) Pool(p Pair, s State) (*Pool, error) {
	visits, err := m.visits(p.User, s.newUsers())()
	if err != nil {
		return nil, fmt.Errorf("users with %s keys: %w", p.User, err)
	}
	idp := m.issuers[p.Issuer]
	pool := &Pool{Pair: p, Domain: idp.Domain, Key: idp.Keys[0].Public(), users: m.usersOf(s.newUsers())}
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

// visit is a user's key and the token that it signed, without a certificate.
type visit struct {
	user      keys.PublicKey
	assertion string
}

func (m *Generator) usersOf(newUsers bool) int {
	if newUsers {
		return m.size
	}
	return min(Users, m.size/2)
}

// visits returns a function that signs the users' tokens once. RSA users share
// rsaRing keys in turn: if that divides the number of returning users, the tokens of new
// users serve for returning ones too.
func (m *Generator) visits(algorithm string, newUsers bool) func() ([]visit, error) {
	if !isDSA(algorithm) && m.usersOf(false)%rsaRing == 0 {
		newUsers = true
	}
	name := fmt.Sprint(algorithm, newUsers)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users[name] == nil {
		m.users[name] = sync.OnceValues(func() ([]visit, error) { return m.generateVisits(algorithm, newUsers) })
	}
	return m.users[name]
}

func (m *Generator) generateVisits(algorithm string, newUsers bool) ([]visit, error) {
	visits := make([]visit, m.size)
	known := make([]signer, m.usersOf(newUsers))
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

// assertionLife is how long assertions are valid. They are signed in advance, so it is
// more than the usual few minutes.
const assertionLife = time.Hour

// newVisit signs an assertion that differs from all others: each expires one
// millisecond after the previous one.
func newVisit(u signer, number int, at time.Time) (visit, error) {
	t := idptest.Token{
		Alg: u.public.Algorithm(), Sign: u.sign,
		Claims: idptest.Object{"aud": Audience, "exp": at.Add(assertionLife).UnixMilli() + int64(number)},
	}
	assertion, err := t.Encode()
	return visit{u.public, assertion}, err
}

// spread runs work on pieces of 0 … n on all processors. The pieces do not depend on the
// number of processors.
func spread(n int, work func(from, to int) error) error {
	const piece = 16
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += piece {
		group.Go(func() error { return work(from, min(from+piece, n)) })
	}
	return group.Wait()
}
