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
// wellknown and redisstore know their class, see [Classified]. A class is logged for at
// most 8 hosts a minute, because a client can name any number of hosts.
//
// [Limiter] is the limit alone. Its keys are texts such as the format string of a
// message. They must be few and must not be chosen by a client, because the limiter
// keeps them as long as it lives.
package loglimit

import (
	"sync"
	"time"

	gocache "github.com/patrickmn/go-cache"
)

// Limiter allows each key once in an interval. It is safe for concurrent use.
type Limiter struct {
	interval time.Duration
	mu       sync.Mutex
	keys     map[string]*key // they remain as long as the limiter
}

// key is what a limiter knows about a key.
type key struct {
	recent  *gocache.Cache // names that were allowed; they expire after the interval
	skipped int64          // messages that were not allowed since the last one that was
}

// New returns a Limiter for an interval, which must be positive.
func New(interval time.Duration) *Limiter {
	return &Limiter{interval: interval, keys: make(map[string]*key)}
}

// Allow reports whether a message with this key may be logged now, because none was
// allowed in the last interval. If ok is true, skipped is the number of messages
// that were not allowed since the last one that was.
func (l *Limiter) Allow(key string) (skipped int64, ok bool) { return l.allowName(key, "", 1) }

// allowName is like Allow for messages that are about different names. It allows a key
// once for each name, and for at most max names in an interval, so that a client may
// choose the names.
func (l *Limiter) allowName(key, name string, max int) (skipped int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.key(key)
	k.recent.DeleteExpired()
	_, found := k.recent.Get(name)
	if found || k.recent.ItemCount() >= max {
		k.skipped++
		return 0, false
	}
	k.recent.SetDefault(name, nil)
	skipped, k.skipped = k.skipped, 0
	return skipped, true
}

// key returns what is known about a key.
func (l *Limiter) key(name string) *key {
	k := l.keys[name]
	if k == nil {
		k = &key{recent: gocache.New(l.interval, 0)} // without a janitor, which would be a goroutine
		l.keys[name] = k
	}
	return k
}
