package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

var _ assertion.OneUse = (*redisstore.Store)(nil)

// longTimeout is the configuration of tests that must not time out on a slow machine.
var longTimeout = redisstore.Config{Timeout: 30 * time.Second}

func open(t testing.TB, url string, c redisstore.Config) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(url, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// client returns a client of a server.
func client(t testing.TB, server *redistest.Server) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, DisableIdentity: true})
	t.Cleanup(func() { c.Close() })
	return c
}

// expect fails the test unless FirstUse returns want.
func expect(t testing.TB, s *redisstore.Store, key string, until time.Time, want bool) {
	t.Helper()
	if got, err := s.FirstUse(t.Context(), key, until); err != nil || got != want {
		t.Fatalf("FirstUse(%q) = %v, %v; want %v", key, got, err, want)
	}
}

// expectError fails the test unless FirstUse returns an error, which it returns.
func expectError(t testing.TB, s *redisstore.Store, key string) error {
	t.Helper()
	first, err := s.FirstUse(t.Context(), key, time.Now().Add(time.Minute))
	if err == nil || first {
		t.Fatalf("FirstUse(%q) = %v, %v; want an error", key, first, err)
	}
	return err
}

func TestEachKeyOnce(t *testing.T) {
	server := redistest.Start(t)
	stores := []*redisstore.Store{open(t, server.URL(), longTimeout), open(t, server.URL(), longTimeout)}
	until := time.Now().Add(time.Hour)
	const keys, goroutines = 5000, 32

	var first [keys]atomic.Int32
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			// Each key is used by a goroutine of each store, at about the same time.
			for k := g / 2; k < keys; k += goroutines / 2 {
				ok, err := stores[g%2].FirstUse(t.Context(), fmt.Sprint(k), until)
				if err != nil {
					t.Error(err)
					return
				}
				if ok {
					first[k].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for k := range first {
		if n := first[k].Load(); n != 1 {
			t.Fatalf("key %d was accepted %d times", k, n)
		}
	}
}

// TestPrefix checks that prefixes separate the keys of two stores.
func TestPrefix(t *testing.T) {
	server := redistest.Start(t)
	a, b := open(t, server.URL(), longTimeout), open(t, server.URL(), redisstore.Config{Timeout: longTimeout.Timeout, Prefix: "nonce:"})
	until := time.Now().Add(time.Hour)
	expect(t, a, "key", until, true)
	expect(t, b, "key", until, true)
	expect(t, a, "key", until, false)
	expect(t, b, "key", until, false)
}

func TestEntriesExpire(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	const timeout = 2 * time.Second
	s := open(t, server.URL(), redisstore.Config{Timeout: timeout, Skew: -1})
	until := time.Now().Add(time.Second)
	expect(t, s, "key", until, true)
	// With a later time, the key is accepted again once its entry has expired.
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for first := false; !first; <-tick.C {
		var err error
		first, err = s.FirstUse(t.Context(), "key", time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if early := time.Until(until); first && early >= 0 {
			t.Fatalf("the entry expired %v too early", early)
		}
	}
}

// recorder is a hook that records commands in place of sending them.
type recorder struct {
	commands [][]any
	answer   string
}

func (r *recorder) DialHook(next redis.DialHook) redis.DialHook { return next }
func (r *recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (r *recorder) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		r.commands = append(r.commands, cmd.Args())
		cmd.(interface{ SetVal(string) }).SetVal(r.answer)
		return nil
	}
}

// store returns a store whose client has the hook.
func (r *recorder) store(t *testing.T, c redisstore.Config) *redisstore.Store {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	client.AddHook(r)
	s, err := redisstore.New(client, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCommand(t *testing.T) {
	now := time.Date(2013, 4, 1, 0, 0, 0, 999_999, time.UTC) // far from the clock of Redis
	config := redisstore.Config{Timeout: time.Second, Skew: 2 * time.Second, MaxLife: time.Hour, Now: func() time.Time { return now }}
	for left, ms := range map[time.Duration]int64{
		0: 3000, time.Nanosecond: 3001, time.Millisecond: 3001, time.Millisecond + 1: 3002, time.Second: 4000, time.Hour: 3_603_000,
	} {
		r := &recorder{answer: "OK"}
		expect(t, r.store(t, config), "alice@idp.example", now.Add(left), true)
		want := [][]any{{"set", "vepverify:vkFxSg00zr1hoO-EhwjfBQ45KGP25Y6LmzQahJrx1Pc", 1, "px", ms, "nx"}}
		if diff := cmp.Diff(want, r.commands); diff != "" {
			t.Errorf("%v left: %s", left, diff)
		}
	}
}

func TestRetention(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &recorder{answer: "OK"}
	s := r.store(t, redisstore.Config{Now: func() time.Time { return now }})
	for _, until := range []time.Time{
		now.Add(-1), now.Add(24*time.Hour + 1), {}, time.UnixMilli(1 << 53), time.Unix(1<<60, 0), time.Unix(-1<<60, 0),
	} {
		if first, err := s.FirstUse(t.Context(), "key", until); first || !errors.Is(err, assertion.ErrRetention) {
			t.Errorf("FirstUse until %v = %v, %v; want ErrRetention", until, first, err)
		}
	}
	if len(r.commands) > 0 {
		t.Errorf("sent %v", r.commands)
	}
}

// TestLateAnswer checks that FirstUse returns an error if the process was suspended
// between command and answer.
func TestLateAnswer(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { now = now.Add(time.Second + 1); return now }
	s := (&recorder{answer: "OK"}).store(t, redisstore.Config{Timeout: time.Second, Now: clock})
	if err := expectError(t, s, "key"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestAnswersOtherThanOK(t *testing.T) {
	for _, answer := range []string{"", "ok", "QUEUED", "1"} {
		expectError(t, (&recorder{answer: answer}).store(t, redisstore.Config{}), "key")
	}
}

func TestNewErrors(t *testing.T) {
	withTimeout := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	withoutTimeout := redis.NewClient(&redis.Options{})
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	for _, c := range []redis.UniversalClient{withTimeout, withoutTimeout, cluster, ring} {
		defer c.Close()
	}
	for name, test := range map[string]struct {
		client redis.UniversalClient
		config redisstore.Config
	}{
		"nil":                  {nil, redisstore.Config{}},
		"nil client":           {(*redis.Client)(nil), redisstore.Config{}},
		"nil cluster":          {(*redis.ClusterClient)(nil), redisstore.Config{}},
		"ring":                 {ring, redisstore.Config{}},
		"no timeouts":          {withoutTimeout, redisstore.Config{}},
		"cluster, no timeouts": {cluster, redisstore.Config{}},
		"timeout":              {withTimeout, redisstore.Config{Timeout: -1}},
		"life":                 {withTimeout, redisstore.Config{MaxLife: -1}},
	} {
		if s, err := redisstore.New(test.client, test.config); err == nil || s != nil {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func TestClose(t *testing.T) {
	server := redistest.Start(t)
	own := open(t, server.URL(), longTimeout)
	expect(t, own, "key", time.Now().Add(time.Hour), true)
	if err := own.Close(); err != nil {
		t.Fatal(err)
	}
	if err := expectError(t, own, "other"); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("error %v", err)
	}

	shared := client(t, server)
	s, err := redisstore.New(shared, longTimeout)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := shared.Ping(t.Context()).Err(); err != nil {
		t.Errorf("the caller's client is closed: %v", err)
	}
}

func TestKeysAreHashed(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), longTimeout)
	secret := strings.Repeat("alice@idp.example", 10_000)
	expect(t, s, secret, time.Now().Add(time.Hour), true)
	expect(t, s, secret, time.Now().Add(time.Hour), false)
	expect(t, s, secret+"x", time.Now().Add(time.Hour), true)
	expect(t, s, "", time.Now().Add(time.Hour), true)
	keys, err := client(t, server).Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 3 {
		t.Fatalf("keys %q, %v", keys, err)
	}
	for _, key := range keys {
		if len(key) > 60 || strings.Contains(key, "alice") {
			t.Errorf("redis holds %q", key)
		}
	}
}
