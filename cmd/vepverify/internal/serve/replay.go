package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/redisstore"
)

// replayEntries is the number of assertions that --replay=memory remembers until
// they expire, in about 200 MB. While it is full, no assertion is accepted.
const replayEntries = 1_000_000

// replay is the value of --replay: the store for used assertions.
type replay struct {
	store string
	tls   replayTLS
}

// replaySchemes are the schemes of the URLs of servers. Those with TLS begin with rediss.
var replaySchemes = []string{"redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"}

// Set implements flag.Value.
func (r *replay) Set(s string) error {
	switch scheme, _, _ := strings.Cut(s, "://"); {
	case s == "off", s == "memory":
	case s != scheme && slices.Contains(replaySchemes, scheme):
	default:
		return errors.New("want off, memory, or the URL of a Redis server: redis://host:port, rediss://host:port or unix:///path; " +
			"of a Cluster: redis://host:port,host:port; or of Sentinels: redis+sentinel://host:port,host:port/master")
	}
	r.store = s
	return nil
}

// String implements flag.Value. It returns only the scheme of a URL, which may hold
// a password.
func (r *replay) String() string {
	if scheme, _, isURL := strings.Cut(r.store, "://"); isURL {
		return scheme
	}
	return r.store
}

// Choices returns the values for completion. A URL may hold a password.
func (r *replay) Choices() []string { return []string{"off", "memory"} }

// maxLife is the value of --max-life: how far ahead an assertion may expire if used
// assertions are remembered. Zero means the library's limit, a negative value the
// limit of the store.
type maxLife time.Duration

// Set implements flag.Value.
func (l *maxLife) Set(text string) error {
	if text == "store" {
		*l = -1
		return nil
	}
	d, err := cli.ParseSpan(text)
	if err != nil {
		return fmt.Errorf("%w, or store", err)
	}
	if d < time.Second {
		return errors.New("want a length of time of at least 1s, such as 10m or 24h, or store")
	}
	*l = maxLife(d)
	return nil
}

// String implements flag.Value.
func (l *maxLife) String() string {
	switch {
	case *l == 0:
		return "10m"
	case *l < 0:
		return "store"
	}
	s := cli.Span(*l)
	return s.String()
}

// oneUseStore is a store for used assertions.
type oneUseStore interface {
	assertion.OneUse
	// MaxLife returns how far ahead the time of an entry may be.
	MaxLife() time.Duration
}

// guard is a one-use guard. A nil store means no guard.
type guard struct {
	store oneUseStore
	redis *redisGuard // nil if store is not a Redis store
}

// redisGuard is a Redis store that logs when it works again, and checks its settings then:
// perhaps they could not be checked before, or another server has taken over.
type redisGuard struct {
	*redisstore.Store
	logger  *slog.Logger
	limit   *loglimit.Limiter // of the line that it works again
	failing atomic.Bool       // since a warning
	again   chan struct{}     // asks for a check
	end     func()            // ends the goroutine that checks
}

// newRedisGuard returns a guard. Its close ends its goroutine.
func newRedisGuard(store *redisstore.Store, logger *slog.Logger) *redisGuard {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	g := &redisGuard{
		Store: store, logger: logger, limit: loglimit.New(time.Minute), again: make(chan struct{}, 1),
		end: func() { cancel(); <-ended },
	}
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-g.again:
				g.check(ctx)
			}
		}
	}()
	return g
}

// FirstUse implements assertion.OneUse.
func (g *redisGuard) FirstUse(ctx context.Context, key string, until time.Time) (bool, error) {
	first, err := g.Store.FirstUse(ctx, key, until)
	switch {
	case err == nil:
		g.works(ctx)
	case ctx.Err() == nil && !errors.Is(err, assertion.ErrRetention): // it is the store's error
		g.failing.Store(true)
	}
	return first, err
}

// works notes that the store has answered, and logs it after an error. It logs that once a
// minute: a store that answers only sometimes would fill the log. The last line about the
// store is true in any case, because the note remains until it is logged.
func (g *redisGuard) works(ctx context.Context) {
	if !g.failing.Load() {
		return
	}
	if _, ok := g.limit.Allow("works"); ok {
		g.failing.Store(false)
		g.logger.WarnContext(context.WithoutCancel(ctx), "the replay store works again")
		select {
		case g.again <- struct{}{}:
		default: // a check is due already
		}
	}
}

// open returns the guard. It does not connect to a Redis server.
func (r *replay) open(now func() time.Time, logger *slog.Logger) (guard, error) {
	switch r.store {
	case "off":
		return guard{}, nil
	case "memory":
		return guard{store: assertion.NewMemoryOneUse(replayEntries, now)}, nil
	}
	c := redisstore.Config{Prefix: "vepverify:assertion:", Now: now}
	if len(r.tls.files()) > 0 {
		if err := r.tls.open(now, logger); err != nil {
			return guard{}, err
		}
		c.TLS = r.tls.config
	}
	store, err := redisstore.Open(r.store, c)
	var wrong *redisstore.URLError
	switch {
	case errors.As(err, &wrong):
		return guard{}, fmt.Errorf("--replay: the URL: %s", wrong.Problem)
	case err != nil:
		return guard{}, fmt.Errorf("--replay: %w", err)
	}
	g := newRedisGuard(store, logger)
	return guard{g, g}, nil
}

// check logs whether the store works, and is configured so that it loses no entry. The service
// starts anyway: the store works as soon as its servers do.
func (g guard) check(ctx context.Context) {
	if g.redis != nil {
		g.redis.check(ctx)
	}
}

// check logs whether the servers accept the command that each verification sends, and their
// settings if they can lose entries.
func (g *redisGuard) check(ctx context.Context) {
	findings, err := g.Check(ctx)
	switch {
	case ctx.Err() != nil: // the service stops
		return
	case err != nil:
		g.failing.Store(true)
		g.logger.Warn("the replay store does not work; until it does, assertions are undecided", "error", err)
		return
	}
	var hidden, servers []string
	for _, f := range findings {
		if f.Got != "" {
			g.logger.Warn("the replay store may lose entries", "setting", f.String())
			continue
		}
		hidden, servers = append(hidden, f.Setting+" "+f.Want), append(servers, f.Server)
	}
	if len(hidden) > 0 {
		g.logger.Info("the replay store works, and does not report its settings; check by other means that it has these",
			"settings", unique(hidden), "servers", unique(servers))
	}
}

// unique returns the texts without repetitions and empty ones, in their order.
func unique(texts []string) (all []string) {
	for _, text := range texts {
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// close closes the connections to the servers.
func (g guard) close() error {
	if g.redis == nil {
		return nil
	}
	g.redis.end()
	return g.redis.Close()
}
