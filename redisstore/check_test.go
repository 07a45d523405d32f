package redisstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

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

func TestCheckWithoutPermission(t *testing.T) {
	server := redistest.Start(t)
	if err := client(t, server).Do(t.Context(), "acl", "setuser", "u", "on", ">pw", "~vepverify:*", "-@all", "+set", "+ping").Err(); err != nil {
		t.Fatal(err)
	}
	s := open(t, "redis://u:pw@"+server.Addr(), longTimeout)
	want := map[string]string{"appendonly": "", "appendfsync": "", "no-appendfsync-on-rewrite": "", "maxmemory-policy": ""}
	if diff := cmp.Diff(want, misconfigured(t, s)); diff != "" {
		t.Error(diff)
	}
	expect(t, s, "key", time.Now().Add(time.Minute), true)
	// The user may not use another prefix.
	expectError(t, open(t, "redis://u:pw@"+server.Addr(), redisstore.Config{Prefix: "other:"}), "key")
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

func TestCluster(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--cluster-enabled", "yes", "--appendfsync", "everysec")
	if err := client(t, server).Do(t.Context(), "cluster", "addslotsrange", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	cluster := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{server.Addr()}, ContextTimeoutEnabled: true, DialerRetries: 1,
	})
	defer cluster.Close()
	s, err := redisstore.New(cluster, longTimeout)
	if err != nil {
		t.Fatal(err)
	}
	awaitWorking(t, s)
	until := time.Now().Add(time.Hour)
	for _, key := range []string{"a", "b", "c", "d"} {
		expect(t, s, key, until, true)
		expect(t, s, key, until, false)
	}
	if diff := cmp.Diff(map[string]string{"appendfsync": "everysec"}, misconfigured(t, s)); diff != "" {
		t.Error(diff)
	}
	server.Kill()
	expectError(t, s, "e")
	if _, err := s.Check(t.Context()); err == nil {
		t.Error("killed cluster: no error")
	}
}

// TestDocumentedSettings checks that Redis accepts the redis.conf of
// docs/REPLAY.md, that Check reports nothing about it, and that its user may do
// what a store needs.
func TestDocumentedSettings(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "REPLAY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "```conf\n")
	conf, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatal("docs/REPLAY.md: no excerpt of a redis.conf")
	}
	path := filepath.Join(t.TempDir(), "redis.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	server := redistest.Start(t, "--appendonly", "no", "--appendfsync", "no", "--no-appendfsync-on-rewrite", "yes",
		"--maxmemory-policy", "allkeys-lru", "--include", path)
	s := open(t, "redis://vepverify:change-me@"+server.Addr(), longTimeout)
	if diff := cmp.Diff(map[string]string{}, misconfigured(t, s)); diff != "" {
		t.Error(diff)
	}
	expect(t, s, "key", time.Now().Add(time.Hour), true)
	server.Restart()
	expect(t, s, "key", time.Now().Add(time.Hour), false)
}
