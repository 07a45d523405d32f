package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Misconfiguration is a setting with which a server can lose entries, or that the
// server does not report.
type Misconfiguration struct {
	Setting string // as in redis.conf
	Want    string // the value with which the server loses no entry
	Got     string // empty means that the server does not report it
}

// String returns one line for an operator's log.
func (m Misconfiguration) String() string {
	if m.Got == "" {
		return fmt.Sprintf("redis does not report its setting of %s, which should be %s", m.Setting, m.Want)
	}
	return fmt.Sprintf("redis can lose entries: %s is %q and should be %s", m.Setting, m.Got, m.Want)
}

// wanted are the settings with which a server loses no entry, see docs/REPLAY.md.
var wanted = []Misconfiguration{
	{Setting: "appendonly", Want: "yes"},
	{Setting: "appendfsync", Want: "always"},
	{Setting: "no-appendfsync-on-rewrite", Want: "no"},
	{Setting: "maxmemory-policy", Want: "noeviction"},
}

// Check sends the command that FirstUse sends, with a key that expires at once. It
// returns an error if that command fails: until its cause is removed, FirstUse fails too.
// It then asks the server, or every master of a cluster, for its settings, and returns
// those with which it can lose entries. Hosted servers, and users with few permissions,
// often may not read the settings; the operator must then check them by other means.
// The command has the timeout Config.Timeout, and so have the questions to each server.
func (s *Store) Check(ctx context.Context) ([]Misconfiguration, error) {
	if err := s.tryCommand(ctx); err != nil {
		return nil, err
	}
	return s.checkSettings(ctx), nil
}

// tryCommand sends the command of FirstUse. Its key has another form than that of an
// entry. The answer may be that the key exists: another process checks at the same time.
func (s *Store) tryCommand(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	_, err := s.send(ctx, setOnce(ctx, s.config.Prefix+"check", 1))
	return err
}

// checkSettings returns the settings with which the servers can lose entries.
func (s *Store) checkSettings(ctx context.Context) []Misconfiguration {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.checkServer(ctx, s.client)
	}
	var mu sync.Mutex
	var all []Misconfiguration
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		found := s.checkServer(ctx, master)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, found...)
		return nil
	})
	if err != nil { // the masters are not known
		return slices.Clone(wanted)
	}
	slices.SortFunc(all, func(a, b Misconfiguration) int {
		return cmp.Or(cmp.Compare(a.Setting, b.Setting), cmp.Compare(a.Got, b.Got))
	})
	return slices.Compact(all)
}

// checkServer returns the settings of one server with which it can lose entries. A server
// or a proxy that cannot be asked for a setting does not report it, and works.
func (s *Store) checkServer(ctx context.Context, server redis.Cmdable) (found []Misconfiguration) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	for _, m := range wanted {
		m.Got = server.ConfigGet(ctx, m.Setting).Val()[m.Setting]
		if m.Got != m.Want {
			found = append(found, m)
		}
	}
	return found
}
