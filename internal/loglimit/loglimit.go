// Package loglimit limits how often a program logs the same message.
//
// If a server cannot be reached, every call that needs it reports that, which can
// be thousands of times a second. The log needs the first report and then one in each
// minute, with the number of reports that were skipped.
//
// # Where to start
//
// [Logger] is for packages with a *slog.Logger. [Logger.LogCause] logs why an outcome
// is undecided or a fault, at level Warn or Error, with all causes that the error wraps:
//
//	causes := loglimit.NewLogger(config.Logger) // once for each handler
//
//	causes.LogCause(ctx, slog.LevelWarn, "undecided", err, slog.String("request", id))
//
// The causes are told apart by class, so that one does not hide another. Errors of
// wellknown and redisstore know their class, see [Classified]. The hosts of one class
// share 8 buckets: a client can name any number of hosts, and cause 8 lines a minute.
//
// [Limiter] is the limit alone. Its keys are names of causes, such as the format string
// of a message. They must be few and must not be chosen by a client, because the limiter
// keeps them as long as it lives.
package loglimit

import (
	"sync/atomic"
	"time"

	gocache "github.com/patrickmn/go-cache"
)

// Limiter allows each key once in an interval. It is safe for concurrent use.
type Limiter struct {
	recent  *gocache.Cache // keys that were allowed; they expire after the interval
	skipped *gocache.Cache // *atomic.Int64 by key; they do not expire
}

// New returns a Limiter for an interval, which must be positive.
func New(interval time.Duration) *Limiter {
	// No janitor runs: an expired key is replaced when it is used again, and keys
	// are few.
	return &Limiter{recent: gocache.New(interval, 0), skipped: gocache.New(gocache.NoExpiration, 0)}
}

// Allow reports whether a message with this key may be logged now, because none was
// allowed in the last interval. If ok is true, skipped is the number of messages
// that were not allowed since the last one that was.
func (l *Limiter) Allow(key string) (skipped int64, ok bool) {
	count := l.count(key)
	if l.recent.Add(key, nil, gocache.DefaultExpiration) != nil {
		count.Add(1)
		return 0, false
	}
	return count.Swap(0), true
}

// count returns the counter of the skipped messages of a key.
func (l *Limiter) count(key string) *atomic.Int64 {
	if n, found := l.skipped.Get(key); found {
		return n.(*atomic.Int64)
	}
	n := new(atomic.Int64)
	if l.skipped.Add(key, n, gocache.DefaultExpiration) != nil { // another goroutine was first
		return l.count(key)
	}
	return n
}
