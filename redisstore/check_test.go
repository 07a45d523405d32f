package redisstore_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// misconfigured returns the settings that Check reports, with their current values.
func misconfigured(t *testing.T, s *redisstore.Store) map[string]string {
	t.Helper()
	found, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range found {
		got[m.Setting] = m.Got
		if !strings.Contains(m.String(), m.Setting) || !strings.Contains(m.String(), m.Want) {
			t.Errorf("%+v is printed as %q", m, m)
		}
	}
	return got
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want map[string]string
	}{
		"recommended": {nil, map[string]string{}},
		"default": {[]string{"--appendonly", "no", "--appendfsync", "everysec"},
			map[string]string{"appendonly": "no", "appendfsync": "everysec"}},
		"cache": {[]string{"--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl", "--no-appendfsync-on-rewrite", "yes"},
			map[string]string{"maxmemory-policy": "volatile-ttl", "no-appendfsync-on-rewrite": "yes"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := misconfigured(t, open(t, redistest.Start(t, c.args...).URL(), longTimeout))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCheckPermissions checks that Check needs the permission that FirstUse needs, and no
// other. A user that may not read the settings is no error.
func TestCheckPermissions(t *testing.T) {
	server := redistest.Start(t)
	for name, c := range map[string]struct {
		rights []any
		path   string
		class  string // of the error; empty means that the store works
	}{
		"documented":    {[]any{"~vepverify:*", "+set", "+config|get"}, "", ""},
		"only SET":      {[]any{"~vepverify:*", "+set"}, "", ""},
		"only SELECT":   {[]any{"~vepverify:*", "+set", "+select"}, "/1", ""},
		"no SET":        {[]any{"~vepverify:*", "+ping", "+info", "+config|get", "+hello"}, "", "NOPERM: the user may not run the command"},
		"no SELECT":     {[]any{"~vepverify:*", "+set"}, "/1", "NOPERM: the user may not run SELECT"},
		"another key":   {[]any{"~other:*", "+@all"}, "", "NOPERM: the user may not use keys"},
		"read-only key": {[]any{"%R~vepverify:*", "+@all"}, "", "NOPERM: the user may not use keys"},
	} {
		t.Run(name, func(t *testing.T) {
			rights := append([]any{"acl", "setuser", "u", "reset", "on", ">pw", "-@all"}, c.rights...)
			if err := client(t, server).Do(t.Context(), rights...).Err(); err != nil {
				t.Fatal(err)
			}
			s := open(t, "redis://u:pw@"+server.Addr()+c.path, longTimeout)
			found, err := s.Check(t.Context())
			if c.class != "" {
				for _, err := range []error{err, expectError(t, s, "key")} {
					if err == nil || !strings.Contains(err.Error(), c.class) || !strings.Contains(err.Error(), "+set and ~vepverify:*") {
						t.Errorf("error %v, want %s", err, c.class)
					}
				}
				return
			}
			reads := slices.Contains(c.rights, any("+config|get"))
			if err != nil || reads != (len(found) == 0) {
				t.Errorf("Check: %v, %v", found, err)
			}
			for _, m := range found {
				if m.Got != "" {
					t.Errorf("reported %+v", m)
				}
			}
			expect(t, s, name, time.Now().Add(time.Minute), true)
		})
	}
}

// TestCheckLeavesNothing checks that the entry of Check expires at once, and that several
// checks at the same time succeed.
func TestCheckLeavesNothing(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), longTimeout)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for c := client(t, server); ; <-tick.C {
		if keys, err := c.Keys(t.Context(), "*").Result(); err != nil || len(keys) == 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
	}
}

// TestCheckBehindProxy checks that a proxy that closes the connection at an unknown command
// is no error: the store works.
func TestCheckBehindProxy(t *testing.T) {
	for _, drops := range []bool{false, true} {
		f := startFakeServer(t, "+OK\r\n", false)
		f.dropsConfig = drops
		want := map[string]string{"appendonly": "", "appendfsync": "", "no-appendfsync-on-rewrite": "", "maxmemory-policy": ""}
		if diff := cmp.Diff(want, misconfigured(t, open(t, f.url(), longTimeout))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCheckErrors(t *testing.T) {
	server := redistest.Start(t)
	unknown := open(t, "redis://u:pw@"+server.Addr(), longTimeout)
	if _, err := unknown.Check(t.Context()); err == nil {
		t.Error("unknown user: no error")
	}
	known := open(t, server.URL(), longTimeout)
	server.Kill()
	if _, err := known.Check(t.Context()); err == nil {
		t.Error("killed server: no error")
	}
}

// excerpts returns the excerpts of configurations in docs/REPLAY.md.
func excerpts(t *testing.T) (base, several, sentinelUser, sentinels, cluster string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "docs", "REPLAY.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, block := range strings.Split(string(doc), "```conf\n")[1:] {
		text, _, closed := strings.Cut(block, "```\n")
		if !closed {
			t.Fatal("docs/REPLAY.md: an excerpt has no end")
		}
		all = append(all, text)
	}
	if len(all) != 5 {
		t.Fatalf("docs/REPLAY.md: %d excerpts, want 5", len(all))
	}
	return all[0], all[1], all[2], all[3], all[4]
}

// documented returns arguments for a server with excerpts, and without the settings that they
// must have.
func documented(t *testing.T, conf ...string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "redis.conf")
	if err := os.WriteFile(path, []byte(strings.Join(conf, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--appendonly", "no", "--appendfsync", "no", "--no-appendfsync-on-rewrite", "yes",
		"--maxmemory-policy", "allkeys-lru", "--include", path}
}

// TestDocumentedSettings checks that Redis accepts the redis.conf of
// docs/REPLAY.md, that Check reports nothing about it, and that its user may do
// what a store needs.
func TestDocumentedSettings(t *testing.T) {
	base, _, _, _, _ := excerpts(t)
	server := redistest.Start(t, documented(t, base)...)
	s := open(t, "redis://vepverify:change-me@"+server.Addr(), longTimeout)
	if diff := cmp.Diff(map[string]string{}, misconfigured(t, s)); diff != "" {
		t.Error(diff)
	}
	expect(t, s, "key", time.Now().Add(time.Hour), true)
	server.Restart()
	expect(t, s, "key", time.Now().Add(time.Hour), false)
}

// TestDocumentedSentinel is the same for Sentinels, and ends the master.
func TestDocumentedSentinel(t *testing.T) {
	t.Parallel()
	base, several, sentinelUser, conf, _ := excerpts(t)
	args := documented(t, base, several, sentinelUser, "min-replicas-to-write 0\n") // until there are replicas
	master := redistest.Start(t, args...)
	replicas := []*redistest.Server{redistest.StartReplica(t, master.Addr(), args...), redistest.StartReplica(t, master.Addr(), args...)}
	for _, server := range append(replicas, master) {
		do(t, server, "config", "set", "min-replicas-to-write", "1")
	}
	monitor, conf, _ := strings.Cut(conf, "\n")
	if monitor != "sentinel monitor mymaster 10.0.0.5 6379 2" {
		t.Fatalf("the excerpt begins with %q", monitor)
	}
	conf = strings.Replace(conf, "mymaster 5000", "mymaster 1000", 1) // quicker
	sentinels := redistest.StartSentinels(t, "mymaster", master.Addr(), 2, conf)
	s := open(t, "redis+sentinel://vepverify:change-me@"+sentinels.Addrs()+"/mymaster?sentinel_username=watcher&sentinel_password=change-me-4", longTimeout)
	if diff := cmp.Diff(map[string]string{}, findings(t, s)); diff != "" {
		t.Error(diff)
	}
	useAll(t, s, newKeys("documented"))
	replicated(t, master, len(replicas))
	master.Kill()
	awaitCause(t, s, "refused")
	awaitWorking(t, s) // also the new master has a replica
	if again := acceptedAgain(t, s, newKeys("documented")); len(again) > 0 {
		t.Errorf("accepted again: %q", again)
	}
}

// TestDocumentedCluster is the same for a Cluster.
func TestDocumentedCluster(t *testing.T) {
	t.Parallel()
	base, several, _, _, conf := excerpts(t)
	withoutUser, _, found := strings.Cut(base, "user vepverify")
	if !found {
		t.Fatal("the first excerpt does not end with the user")
	}
	args := documented(t, withoutUser, several, conf, "min-replicas-to-write 0\n") // one replica each, to start fewer
	c := redistest.StartCluster(t, 3, 1, append(args, "--cluster-node-timeout", "1000")...)
	s := open(t, "redis://vepverify:change-me@"+c.Addrs(), longTimeout)
	if diff := cmp.Diff(map[string]string{}, findings(t, s)); diff != "" {
		t.Error(diff)
	}
	useAll(t, s, newKeys("documented"))
	for _, master := range c.Masters() {
		replicated(t, master, 1)
	}
	c.Masters()[1].Kill()
	c.AwaitFailover(t, c.Replica(1))
	awaitWorking(t, s)
	for len(failures(t, s, "probe")) > 0 { // until the store knows all masters
		time.Sleep(20 * time.Millisecond)
	}
	if again := acceptedAgain(t, s, newKeys("documented")); len(again) > 0 {
		t.Errorf("accepted again: %q", again)
	}
}

// failures returns the errors of some uses, which go to all masters.
func failures(t *testing.T, s *redisstore.Store, name string) (failed []error) {
	t.Helper()
	for _, key := range newKeys(name) {
		if _, err := s.FirstUse(t.Context(), key, time.Now().Add(time.Hour)); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}
