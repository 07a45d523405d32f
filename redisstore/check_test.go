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

// amiss checks, and gives the settings that are amiss with what they are.
func amiss(t *testing.T, s *redisstore.Store) map[string]string {
	t.Helper()
	findings, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range findings {
		got[f.Setting] = f.Got
		if !strings.Contains(f.String(), f.Setting) || !strings.Contains(f.String(), f.Want) {
			t.Errorf("%+v reads %q", f, f)
		}
	}
	return got
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want map[string]string
	}{
		"well": {nil, map[string]string{}},
		"as installed": {[]string{"--appendonly", "no", "--appendfsync", "everysec"},
			map[string]string{"appendonly": "no", "appendfsync": "everysec"}},
		"cache": {[]string{"--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl", "--no-appendfsync-on-rewrite", "yes"},
			map[string]string{"maxmemory-policy": "volatile-ttl", "no-appendfsync-on-rewrite": "yes"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := amiss(t, open(t, redistest.Start(t, c.args...).URL(), patient))
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
	s := open(t, "redis://u:pw@"+server.Addr(), patient)
	want := map[string]string{"appendonly": "", "appendfsync": "", "no-appendfsync-on-rewrite": "", "maxmemory-policy": ""}
	if diff := cmp.Diff(want, amiss(t, s)); diff != "" {
		t.Error(diff)
	}
	expect(t, s, "key", time.Now().Add(time.Minute), true)
	// Another prefix is none of this user's.
	expectError(t, open(t, "redis://u:pw@"+server.Addr(), redisstore.Config{Prefix: "other:"}), "key")
}

func TestCheckErrs(t *testing.T) {
	server := redistest.Start(t)
	stranger := open(t, "redis://u:pw@"+server.Addr(), patient)
	if _, err := stranger.Check(t.Context()); err == nil {
		t.Error("a stranger was answered")
	}
	known := open(t, server.URL(), patient)
	server.Kill()
	if _, err := known.Check(t.Context()); err == nil {
		t.Error("a dead server answered")
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
	s, err := redisstore.New(cluster, patient)
	if err != nil {
		t.Fatal(err)
	}
	awaitWorking(t, s)
	until := time.Now().Add(time.Hour)
	for _, key := range []string{"a", "b", "c", "d"} {
		expect(t, s, key, until, true)
		expect(t, s, key, until, false)
	}
	if diff := cmp.Diff(map[string]string{"appendfsync": "everysec"}, amiss(t, s)); diff != "" {
		t.Error(diff)
	}
	server.Kill()
	expectError(t, s, "e")
	if _, err := s.Check(t.Context()); err == nil {
		t.Error("a dead cluster answered")
	}
}

// The redis.conf that docs/REPLAY.md shows is one that Redis takes and Check
// finds nothing amiss with, and its user may do what is needed.
func TestDocumentedSettings(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "REPLAY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "```conf\n")
	conf, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatal("docs/REPLAY.md has no excerpt of a redis.conf")
	}
	path := filepath.Join(t.TempDir(), "redis.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	server := redistest.Start(t, "--appendonly", "no", "--appendfsync", "no", "--no-appendfsync-on-rewrite", "yes",
		"--maxmemory-policy", "allkeys-lru", "--include", path)
	s := open(t, "redis://vepverify:change-me@"+server.Addr(), patient)
	if diff := cmp.Diff(map[string]string{}, amiss(t, s)); diff != "" {
		t.Error(diff)
	}
	expect(t, s, "key", time.Now().Add(time.Hour), true)
	server.Restart()
	expect(t, s, "key", time.Now().Add(time.Hour), false)
}
