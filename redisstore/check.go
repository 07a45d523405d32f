package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Ping says whether the server answers, and accepts the password.
func (s *Store) Ping(ctx context.Context) error {
	err := s.bounded(ctx, func(ctx context.Context) error { return s.client.Ping(ctx).Err() })
	if err != nil {
		return undecided(err)
	}
	return nil
}

// Finding is a setting of the server by which it can lose entries.
type Finding struct {
	Setting string // as in redis.conf
	Want    string
	Got     string // empty: the server does not tell
}

// String says it in a line for an operator's log.
func (f Finding) String() string {
	if f.Got == "" {
		return fmt.Sprintf("redis does not tell its setting of %s, which should be %s", f.Setting, f.Want)
	}
	return fmt.Sprintf("redis can lose entries: %s is %q and should be %s", f.Setting, f.Got, f.Want)
}

// settings are what a server must be set to so that it loses no entry, see docs/REPLAY.md.
var settings = []Finding{
	{Setting: "appendonly", Want: "yes"},
	{Setting: "appendfsync", Want: "always"},
	{Setting: "no-appendfsync-on-rewrite", Want: "no"},
	{Setting: "maxmemory-policy", Want: "noeviction"},
}

// Check asks the server, or every master of a cluster, whether it is set up to
// lose no entries, and gives what is amiss. Hosted servers often do not tell; an
// operator has to know by other means. It errs when a server cannot be asked.
func (s *Store) Check(ctx context.Context) ([]Finding, error) {
	amiss, err := s.check(ctx)
	if err != nil {
		return nil, undecided(err)
	}
	return amiss, nil
}

func (s *Store) check(ctx context.Context) ([]Finding, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.checkServer(ctx, s.client)
	}
	var mu sync.Mutex
	var all []Finding
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		amiss, err := s.checkServer(ctx, master)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, amiss...)
		return err
	})
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Setting, b.Setting), cmp.Compare(a.Got, b.Got))
	})
	return slices.Compact(all), err
}

func (s *Store) checkServer(ctx context.Context, server redis.Cmdable) ([]Finding, error) {
	// A server may refuse to tell its settings, but not this.
	if err := s.bounded(ctx, func(ctx context.Context) error { return server.Ping(ctx).Err() }); err != nil {
		return nil, err
	}
	var amiss []Finding
	for _, f := range settings {
		var err error
		if f.Got, err = s.setting(ctx, server, f.Setting); err != nil {
			return nil, err
		}
		if f.Got != f.Want {
			amiss = append(amiss, f)
		}
	}
	return amiss, nil
}

// setting asks for a setting. It is empty when the server refuses to tell.
func (s *Store) setting(ctx context.Context, server redis.Cmdable, name string) (string, error) {
	var values map[string]string
	err := s.bounded(ctx, func(ctx context.Context) (err error) {
		values, err = server.ConfigGet(ctx, name).Result()
		return err
	})
	var refusal redis.Error
	if err != nil && !errors.As(err, &refusal) {
		return "", err
	}
	return values[name], nil
}

// bounded asks the server something within Timeout.
func (s *Store) bounded(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	return ask(ctx)
}
