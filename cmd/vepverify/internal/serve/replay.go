package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
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
	store   oneUseStore
	monitor *replayMonitor // the store, if it is on servers; nil if not
}

// open returns the guard. It does not connect to a Redis server. The files of TLS are added to files.
func (r *replay) open(now func() time.Time, files *files) (guard, error) {
	switch r.store {
	case "off":
		return guard{}, nil
	case "memory":
		return guard{store: assertion.NewMemoryOneUse(replayEntries, now)}, nil
	}
	c := redisstore.Config{Prefix: "vepverify:assertion:", Now: now}
	if len(r.tls.files()) > 0 {
		if err := r.tls.open(now, files); err != nil {
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
	m := newReplayMonitor(store, files.logger)
	return guard{m, m}, nil
}

// check logs whether the store works, and is configured so that it loses no entry. The service
// starts anyway: the store works as soon as its servers do.
func (g guard) check(ctx context.Context) {
	if g.monitor != nil {
		g.monitor.check(ctx)
	}
}

// close closes the connections to the servers.
func (g guard) close() error {
	if g.monitor == nil {
		return nil
	}
	return g.monitor.Close()
}
