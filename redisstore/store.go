package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/assertion"
)

// Config says how to keep entries. Each field's zero value is a good choice.
type Config struct {
	// Prefix begins the name of every entry in Redis. What is used for
	// different ends needs different prefixes. Empty: "vepverify:".
	Prefix string

	// Timeout bounds a call, connecting included; a context can end it sooner. 0: 1 s.
	Timeout time.Duration

	// Skew is how far the clocks of the processes that share the entries may differ
	// or jump, and Redis's own may jump. Entries outlive their time by
	// this, and by Timeout. 0: 5 s; negative: not at all.
	Skew time.Duration

	// MaxLife is how far in the future an entry's time may be, because the signer
	// of an assertion chooses how long it takes room. Zero means 24 h. A verifier
	// rejects assertions that need more, see assertion.Config.MaxLife.
	MaxLife time.Duration

	// Now is the clock of whoever uses the store. Nil: time.Now.
	Now func() time.Time
}

// Store lets each key pass once. It serves any number of goroutines.
type Store struct {
	client redis.UniversalClient
	own    bool // the client is the store's, to be closed with it
	config Config
}

// New makes a store of a client of yours, a *redis.Client (redis.NewFailoverClient
// makes one for Sentinel) or a *redis.ClusterClient, which Close leaves open. The
// client needs ContextTimeoutEnabled, or calls could outlast their bound. A
// redis.Ring is refused: when a shard fails it asks another, which knows nothing.
func New(client redis.UniversalClient, c Config) (*Store, error) {
	var bounded bool
	switch client := client.(type) {
	case *redis.Client:
		bounded = client != nil && client.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		bounded = client != nil && client.Options().ContextTimeoutEnabled
	default:
		return nil, fmt.Errorf("a one-use store needs a *redis.Client or a *redis.ClusterClient, not %T", client)
	}
	if !bounded {
		return nil, errors.New("a one-use store needs a client with ContextTimeoutEnabled")
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return &Store{client: client, config: c}, nil
}

// complete puts defaults in for zero values.
func (c *Config) complete() error {
	if c.Timeout < 0 || c.MaxLife < 0 {
		return errors.New("a one-use store's Timeout and MaxLife cannot be negative")
	}
	if c.Prefix == "" {
		c.Prefix = "vepverify:"
	}
	if c.Timeout == 0 {
		c.Timeout = time.Second
	}
	if c.Skew == 0 {
		c.Skew = 5 * time.Second
	}
	c.Skew = max(c.Skew, 0)
	if c.MaxLife == 0 {
		c.MaxLife = 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Close closes the connections of a store that Open made.
func (s *Store) Close() error {
	if !s.own {
		return nil
	}
	return s.client.Close()
}

// MaxLife returns how far ahead an entry's time may be: Config.MaxLife.
func (s *Store) MaxLife() time.Duration { return s.config.MaxLife }

// FirstUse says whether key was not used before, and notes that it is now, in
// one atomic step; the note is kept until the time given, and a little longer.
// Every error means that it could not be found out, assertion.ErrRetention among them: a key
// whose time has passed is not let through, since its note may be gone.
func (s *Store) FirstUse(ctx context.Context, key string, until time.Time) (bool, error) {
	asked := s.config.Now()
	left := until.Sub(asked)
	if left < 0 || left > s.config.MaxLife {
		return false, assertion.ErrRetention
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	set := s.set(ctx, key, left)
	switch err := s.client.Process(ctx, set); {
	case err == redis.Nil: // and no error that wraps it
		return false, nil
	case err != nil:
		return false, undecided(err)
	case set.Val() != "OK":
		return false, errNonsense
	case s.config.Now().Sub(asked) > s.config.Timeout:
		// The process was stopped meanwhile. An earlier note of the key may
		// have run out before Redis was asked.
		return false, undecided(context.DeadlineExceeded)
	}
	return true, nil
}

// set is the command that notes key. The note must outlive until not only for this
// call, but for every other that may find until not yet passed on its own clock and
// takes as long as Timeout to ask.
func (s *Store) set(ctx context.Context, key string, left time.Duration) once {
	life := left + s.config.Skew + s.config.Timeout
	ms := (life + time.Millisecond - 1) / time.Millisecond // never shorter
	return once{redis.NewStatusCmd(ctx, "set", s.name(key), 1, "px", int64(ms), "nx")}
}

// name is the key's name in Redis. Keys can be long, and made of what Redis
// has no business to know.
func (s *Store) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.config.Prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// once is a command that go-redis does not send again when its answer is lost.
type once struct{ *redis.StatusCmd }

// NoRetry implements redis.Cmder.
func (once) NoRetry() bool { return true }
