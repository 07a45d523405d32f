package redisstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/assertion"
)

// Config configures a [Store]. The zero value of each field is a good choice. A
// negative value is an error, except where the field says otherwise.
type Config struct {
	// Prefix begins the name of every entry in Redis. Stores for different purposes
	// need different prefixes. Empty means "vepverify:".
	Prefix string

	// Timeout limits a call, with connecting and waiting; a context can end it sooner.
	// Zero means 1 s.
	Timeout time.Duration

	// Skew is how far the clocks of the processes that share the entries may differ
	// or jump, and how far the clock of Redis may jump. Entries are kept longer by
	// Skew and Timeout. Zero means 5 s; negative means none.
	Skew time.Duration

	// MaxLife is how far in the future the time of an entry may be. The signer of
	// an assertion chooses its lifetime, and with it how long an entry takes memory.
	// Zero means 24 h. A verifier rejects assertions that need more, see
	// assertion.Config.MaxLife.
	MaxLife time.Duration

	// Now is the clock. It must be the clock of the verifier. Nil means time.Now.
	Now func() time.Time

	// TLS returns the configuration of connections with TLS, such as one with a private
	// authority or a client certificate. It is called for each connection, so that renewed
	// certificates need no restart, and must be safe for concurrent use. If ServerName is
	// empty, it is the host of the connection: of the URL, or as nodes of a Cluster or
	// Sentinels name it. Nil means Go's defaults. Only Open uses it, and it is an error if
	// the URL does not begin with rediss.
	TLS func() *tls.Config
}

const (
	defaultPrefix  = "vepverify:"
	defaultTimeout = time.Second
	defaultSkew    = 5 * time.Second
	defaultMaxLife = 24 * time.Hour
)

// validate returns an error for the first field that is out of bounds.
func (c Config) validate() error {
	switch {
	case c.Timeout < 0:
		return fmt.Errorf("redisstore: Timeout: %v is negative", c.Timeout)
	case c.MaxLife < 0:
		return fmt.Errorf("redisstore: MaxLife: %v is negative", c.MaxLife)
	}
	return nil
}

// withDefaults returns c with the defaults in place of zero values.
func (c Config) withDefaults() Config {
	c.Prefix = cmp.Or(c.Prefix, defaultPrefix)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.Skew = max(cmp.Or(c.Skew, defaultSkew), 0)
	c.MaxLife = cmp.Or(c.MaxLife, defaultMaxLife)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Store accepts each key once. Open and New return one; FirstUse and checks of a nil or zero Store
// return errors. It is safe for concurrent use.
type Store struct {
	client redis.UniversalClient
	own    bool // the store closes the client
	config Config
	at     *location                 // a pointer, so that printing a Store shows no password
	master masterHook                // of a store that uses Sentinels
	gaveUp atomic.Pointer[time.Time] // when a call last waited in vain for a server that refuses commands
}

// New returns a store that uses a client: a *redis.Client, which
// redis.NewFailoverClient returns for Sentinel too, or a *redis.ClusterClient.
// Close does not close it. The client must have ContextTimeoutEnabled, because its
// calls could exceed their timeout otherwise. A redis.Ring is an error: when a shard
// fails, it asks another one, which does not have the entries.
func New(client redis.UniversalClient, c Config) (*Store, error) {
	if err := validateClient(client); err != nil {
		return nil, fmt.Errorf("redisstore: client: %w", err)
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.TLS != nil {
		return nil, errors.New("redisstore: TLS: set, but the client has its own")
	}
	s := &Store{client: client, config: c.withDefaults(), at: new(location)}
	if _, ok := client.(*redis.ClusterClient); ok {
		s.at.kind = cluster
	}
	return s, nil
}

// validateClient returns an error if the client is not one that New accepts.
func validateClient(client redis.UniversalClient) error {
	var hasTimeout bool
	switch client := client.(type) {
	case *redis.Client:
		hasTimeout = client != nil && client.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		hasTimeout = client != nil && client.Options().ContextTimeoutEnabled
	default:
		return fmt.Errorf("%T, want *redis.Client or *redis.ClusterClient", client)
	}
	if !hasTimeout {
		return errors.New("nil, or without ContextTimeoutEnabled")
	}
	return nil
}

// Close closes the connections of a store that Open returned.
func (s *Store) Close() error {
	if s == nil || !s.own {
		return nil
	}
	return s.client.Close()
}

// MaxLife returns how far in the future the time of an entry may be: Config.MaxLife.
func (s *Store) MaxLife() time.Duration {
	if s == nil {
		return 0
	}
	return s.config.MaxLife
}

// notMade is the cause of the errors of a store that Open and New have not made.
var notMade = cause{"Store not made by Open or New", "the program must use one of them"}

// checkMade returns an error if s is nil or zero.
func (s *Store) checkMade() error {
	if s == nil || s.client == nil {
		return server{}.newError(notMade.what, notMade, nil)
	}
	return nil
}

// FirstUse reports whether key was not used before, and records that it is used
// now, in one atomic step. The entry is kept until the given time, and a little
// longer: Config.Skew and Config.Timeout. If that time has passed, or is more than
// MaxLife ahead, FirstUse returns an error matching assertion.ErrRetention: an
// earlier entry for a time that has passed may be deleted already. After any error,
// the caller must reject what the key stands for.
func (s *Store) FirstUse(ctx context.Context, key string, until time.Time) (bool, error) {
	if err := s.checkMade(); err != nil {
		return false, err
	}
	began := s.config.Now()
	left := until.Sub(began)
	if left < 0 || left > s.config.MaxLife {
		return false, assertion.ErrRetention
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	first, err := s.send(ctx, s.newSet(ctx, key, left))
	switch {
	case err != nil:
		return false, err
	case first && s.config.Now().Sub(began) > s.config.Timeout:
		// The process was suspended meanwhile. An earlier entry of the key may
		// have expired before Redis was asked.
		return false, s.server().newError(slow.what, slow, context.DeadlineExceeded)
	}
	return first, nil
}

// sendOnce sends a command of setOnce. It reports whether the entry is new.
func (s *Store) sendOnce(ctx context.Context, set *onceCmd) (bool, error) {
	ctx, nodes := withAsked(ctx)
	switch err := s.client.Process(ctx, set); {
	case err == redis.Nil: // and no error that wraps it
		return false, nil
	case err != nil:
		s.findMasters(ctx)
		about := s.server()
		about.addr = cmp.Or(nodes.node(err), about.addr)
		return false, about.undecided(err)
	case set.Val() != "OK":
		return false, s.server().newError(notRedis.what, notRedis, nil)
	}
	return true, nil
}

// findMasters makes a client of a cluster ask for the masters, because another may have taken
// over. The client does that by itself only if a node redirects it, or once a minute. The
// client of Sentinel asks when it connects, and is told.
func (s *Store) findMasters(ctx context.Context) {
	if client, ok := s.client.(*redis.ClusterClient); ok {
		client.ReloadState(ctx)
	}
}

// newSet returns the command that records key. The entry must exist until the given
// time, also for every other call whose own clock has not reached that time and that
// takes as long as Timeout.
func (s *Store) newSet(ctx context.Context, key string, left time.Duration) *onceCmd {
	life := left + s.config.Skew + s.config.Timeout
	ms := (life + time.Millisecond - 1) / time.Millisecond // never shorter
	return setOnce(ctx, s.entryName(key), int64(ms))
}

// server returns what errors say about the server. Clients of a cluster and of Sentinel
// have no address of one server.
func (s *Store) server() server {
	about := server{prefix: s.config.Prefix, kind: s.at.kind}
	if client, ok := s.client.(*redis.Client); ok && strings.ContainsAny(client.Options().Addr, ":/") {
		about.addr = client.Options().Addr
	}
	if s.at.kind == sentinel {
		about.addr = s.master.last()
	}
	return about
}

// entryName returns the name of the key's entry in Redis. Keys can be long, and
// contain what Redis must not learn.
func (s *Store) entryName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.config.Prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}
