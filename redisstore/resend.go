package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	firstPause   = 10 * time.Millisecond // before a command is sent for the second time; then twice as long each time
	longestPause = 100 * time.Millisecond
)

// send sends a command of setOnce, and reports whether the entry is new. While servers refuse it and
// that can pass, it waits and sends the command again. The client of a Cluster itself follows a few
// redirections, and sends again a few times after READONLY.
//
// After a call that has waited in vain, none waits for ten times Config.Timeout: if servers refuse
// for long, calls return the error at once, and send no more commands.
func (s *Store) send(ctx context.Context, set *onceCmd) (bool, error) {
	first, err := s.sendOnce(ctx, set)
	if gaveUp := s.gaveUp.Load(); gaveUp != nil && time.Since(*gaveUp) < 10*s.config.Timeout {
		return first, err
	}
	began := time.Now()
	for d := firstPause; s.passes(set) && s.pause(ctx, d); d = min(2*d, longestPause) {
		first, err = s.sendOnce(ctx, set)
	}
	if now := time.Now(); s.passes(set) && now.Sub(began) > s.config.Timeout/2 { // else the caller had less time
		s.gaveUp.Store(&now)
	}
	return first, err
}

// passes reports whether all that a command got are refusals that can pass by themselves.
func (s *Store) passes(set *onceCmd) bool {
	for _, err := range set.errs {
		if !s.canPass(err) {
			return false
		}
	}
	return true
}

// canPass reports whether an error is a refusal that can pass by itself. Redis sends these before it
// executes a command.
func (s *Store) canPass(err error) bool {
	var refused redis.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch errorCode(refused.Error()) {
	case "READONLY", "MASTERDOWN", "NOREPLICAS", "LOADING", "BUSY":
		return true
	case "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK":
		return s.at.kind == cluster // otherwise the server is the wrong one
	}
	return false
}

// pause waits. It returns false if the context ends, or if less than a quarter of Config.Timeout would
// be left for an answer.
func (s *Store) pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d+s.config.Timeout/4 {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// onceCmd is a command that go-redis does not send again if its answer is lost.
type onceCmd struct {
	*redis.StatusCmd
	errs []error // all that it got; the last one can be that of ASKING in place of its own
}

// setOnce returns the command that records a name for some milliseconds.
func setOnce(ctx context.Context, name string, ms int64) *onceCmd {
	return &onceCmd{StatusCmd: redis.NewStatusCmd(ctx, "set", name, 1, "px", ms, "nx")}
}

// NoRetry implements redis.Cmder. It reports whether the command must not be sent again.
func (*onceCmd) NoRetry() bool { return true }

// SetErr implements redis.Cmder. Nil means that the command was executed.
func (c *onceCmd) SetErr(err error) {
	c.errs = append(c.errs, err)
	c.StatusCmd.SetErr(err)
}
