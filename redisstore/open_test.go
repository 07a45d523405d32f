package redisstore_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// TestUnmade checks that nil and zero stores accept nothing, and say why.
func TestUnmade(t *testing.T) {
	for name, s := range map[string]*redisstore.Store{"nil": nil, "zero": new(redisstore.Store)} {
		expectCause(t, s, "Store not made by Open or New")
		if life := s.MaxLife(); life != 0 {
			t.Errorf("%s: keeps entries for %v", name, life)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := assertion.NewVerifier(assertion.Config{OneUse: s}); !errors.Is(err, assertion.ErrMisuse) {
			t.Errorf("%s: a verifier accepts it: %v", name, err)
		}
	}
}

func TestOpen(t *testing.T) {
	// The servers need not exist.
	for _, url := range []string{
		"redis://", "redis://localhost", "redis://localhost:1/15", "redis://127.0.0.1:65535", "redis://[::1]:6379", "redis://:p%40ss@localhost?db=3",
		"rediss://user:password@redis.example:6380/0", "unix:///run/redis/redis.sock", "unix:///run/redis/redis.sock?db=2",
		"redis://a:7000,b:7001", "REDIS://a:7000,b:7001/", "rediss://user:p%2C%40ss@a:7000,[::1]:7001,127.0.0.1:65535", "redis+cluster://a:7000", "rediss+cluster://a:1,b:2",
		"redis+sentinel://a:26379/mymaster", "rediss+sentinel://:p%40ss@a:26379,[::1]:26379/my-master.1/15",
		"redis+sentinel://u:p@a:26379,b:1/m?sentinel_username=u&sentinel_password=p%26", "redis+sentinel://a:26379/m?sentinel_password=p", "redis://:a,b@localhost", "unix:///a,b",
	} {
		open(t, url, redisstore.Config{})
	}
	const secret = "s3cret"
	for url, problem := range map[string]string{
		"": scheme, secret: scheme, "localhost:6379": scheme, "http://:" + secret + "@localhost": scheme, "redis-sentinel://localhost": scheme, "redis:": form,
		"redis:" + secret: form, "redis://:#" + secret + "@localhost": form, "redis://:" + secret + "/@localhost": port,
		"redis://:%" + secret + "@localhost": form, "redis://:" + secret + "\x7f@localhost": form, "redis://localhost#" + secret: form,
		"redis://:" + secret + "@localhost:0": port, "redis://:" + secret + "@localhost:65536": port, "redis://:" + secret + "@localhost:port": port,
		"redis://:" + secret + "@localhost/x" + secret: database, "redis://:" + secret + "@localhost/-1": database, "redis://:" + secret + "@localhost/1/2": database,
		"redis://:" + secret + "@localhost?db=" + secret: database, "unix://": socket, "unix://?db=1": socket,
		"redis://localhost?max_retries=3": option, "redis://localhost?" + secret + "=1": option,
		"redis://:" + secret + "@a:1,b": list, "redis://a,b:" + secret: list, "redis://:" + secret + "@a:1, b:2": list, "redis://:" + secret + "@a:1,,b:2": list,
		"redis://:" + secret + "@a:1,b:2,": list, "redis://,:" + secret + "@,a:1": list, "redis://a:1,b:0": list, "redis://a:1,b:65536": list, "redis://a:1,:2": list,
		"redis://a:1,redis://:" + secret + "@b:2": list, "redis://u:" + secret + "@a:1,u:" + secret + "@b:2": list, "redis://a:1,b:2,unix:///" + secret: list,
		"redis+cluster://": list, "redis+cluster://a": list, "redis+cluster://:" + secret + "@a": list, "redis+sentinel://": list, "redis+sentinel://a/m": list,
		"redis://:" + secret + "/x@a:1,b:2": port, "redis://:%" + secret + "@a:1,b:2": form, "redis://a:1,b:2#" + secret: form, "redis://::1:1,a:2": list,
		"redis://a:1,b:2/0": clusterPath, "redis://:" + secret + "@a:1,b:2/mymaster": clusterPath, "redis+cluster://a:1?db=1": clusterPath, "redis+cluster://a:1?": clusterPath,
		"redis+sentinel://a:1": master, "redis+sentinel://:" + secret + "@a:1,b:2/": master, "redis+sentinel://a:1//1": master,
		"redis+sentinel://a:1/m/" + secret: masterDatabase, "redis+sentinel://a:1/m/": masterDatabase, "redis+sentinel://a:1/m/-1": masterDatabase, "redis+sentinel://a:1/m/1/2": masterDatabase,
		"redis+sentinel://a:1/m?db=1": masterOption, "redis+sentinel://a:1/m?sentinel_password=" + secret + "&sentinel_password=x": masterOption,
		"redis+sentinel://a:1/m?sentinel_username=" + secret: masterOption, "redis+sentinel://a:1/m?" + secret: masterOption, "redis+sentinel://a:1/m?sentinel_password=%" + secret: form,
		"redis+unix://a:1": scheme, "redis+" + secret + "://a:1,b:2": scheme, "unix://a:1,b:2": socket, "http://a:1,b:2": scheme,
		"rediss://localhost?skip_verify=true": option, "redis://localhost?pool_size=99999999999": option,
	} {
		s, err := redisstore.Open(url, redisstore.Config{})
		var wrong *redisstore.URLError
		if !errors.As(err, &wrong) || s != nil || !strings.Contains(wrong.Problem, problem) || strings.Contains(err.Error(), secret) {
			t.Errorf("Open(%q): %v, want a URLError about the %s", url, err, problem)
		}
	}
	if _, err := redisstore.Open("redis://localhost", redisstore.Config{Timeout: -1}); err == nil {
		t.Error("negative Timeout: no error")
	}
}

// What problems of URLs are about.
const (
	scheme, form, port, database, socket, option = "begin with", "not a URL", "port", "database", "socket", "option"
	list, clusterPath, master                    = "list of hosts", "follows the hosts of a Cluster", "no name of the master"
	masterDatabase, masterOption                 = "database after the master", "sentinel_username"
)

// FuzzOpen checks that Open accepts a URL or returns an error that contains nothing
// of it.
func FuzzOpen(f *testing.F) {
	for _, url := range []string{
		"redis://user:password@host:6379/0", "rediss://[::1]:6380", "unix:///run/redis.sock?db=2", "redis://:p%40ss@localhost?db=3", "",
		"redis://:s3cret@localhost:0", "http://:s3cret@localhost", "redis://localhost?skip_verify=true", "redis://:%s3cret@localhost", "redis:s3cret",
		"redis://:s3cret@a:7000,b:7001", "rediss+cluster://[::1]:7000", "redis+sentinel://u:s3cret@a:1,b:2/m/1?sentinel_username=u&sentinel_password=p", "redis://a:1, b", "redis://a:1,b:2/0",
	} {
		f.Add(url)
	}
	problems := make(map[string]bool)
	for _, url := range []string{"", "redis:", "redis://:0", "redis:///x", "unix://", "redis://?x", "redis://a,b", "redis://a:1,b:2/0",
		"redis+sentinel://a:1", "redis+sentinel://a:1/m/x", "redis+sentinel://a:1/m?x"} {
		_, err := redisstore.Open(url, redisstore.Config{})
		problems[err.Error()] = true
	}
	f.Fuzz(func(t *testing.T, url string) {
		store, err := redisstore.Open(url, redisstore.Config{})
		if err != nil {
			if store != nil || !problems[err.Error()] {
				t.Errorf("Open(%q): %v", url, err)
			}
			return
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(strings.ToLower(url), "redis") && !strings.HasPrefix(strings.ToLower(url), "unix:") {
			t.Errorf("Open(%q): no error", url)
		}
	})
}

// TestMaxLife checks that a verifier respects the MaxLife of the store. The server
// need not exist.
func TestMaxLife(t *testing.T) {
	for _, c := range []struct {
		store, verifier time.Duration
		want            error
	}{
		{0, 0, nil}, {0, -1, nil}, {0, 23 * time.Hour, nil}, {time.Hour, 59 * time.Minute, nil}, {5 * time.Minute, 0, nil},
		{0, 24 * time.Hour, assertion.ErrMisuse}, {time.Hour, time.Hour, assertion.ErrMisuse}, {time.Minute, 0, assertion.ErrMisuse},
	} {
		store := open(t, "redis://localhost", redisstore.Config{MaxLife: c.store})
		_, err := assertion.NewVerifier(assertion.Config{OneUse: store, MaxLife: c.verifier})
		if !errors.Is(err, c.want) {
			t.Errorf("the store's %v, the verifier's %v: %v", c.store, c.verifier, err)
		}
	}
}

func TestOpenUnixSocketAndDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	server := redistest.Start(t, "--unixsocket", path)
	until := time.Now().Add(time.Hour)
	expect(t, open(t, "unix://"+path+"?db=2", longTimeout), "key", until, true)
	expect(t, open(t, server.URL()+"/2", longTimeout), "key", until, false)
	expect(t, open(t, server.URL(), longTimeout), "key", until, true)
	expectError(t, open(t, server.URL()+"/16", longTimeout), "key") // the databases are 0 to 15
}

func TestSetLogger(t *testing.T) {
	defer redisstore.SetLogger(nil)
	var log strings.Builder
	redisstore.SetLogger(slog.New(slog.NewJSONHandler(&log, nil)))
	server := redistest.Start(t)
	server.Kill()
	expectError(t, open(t, "redis://user:s3cret@"+server.Addr(), longTimeout), "key")
	redisstore.SetLogger(nil) // log must not be written to below
	if !strings.Contains(log.String(), server.Addr()) || strings.Contains(log.String(), "s3cret") {
		t.Errorf("the log is %s", log.String())
	}
}

// TestRepeatedWarnings checks that each kind of warning is logged once a minute.
func TestRepeatedWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		w := redisstore.NewWarnings(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: withoutTime})))
		addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6379}
		warn := func() {
			for i := range 3 {
				w.Printf(t.Context(), "dial %d: %v", i, &net.OpError{Op: "dial", Addr: addr, Err: syscall.ECONNREFUSED})
				w.Printf(t.Context(), "dial %d: %v", i, context.DeadlineExceeded)
				w.Printf(t.Context(), "init %d: %v", i, errors.New("ERR unknown command HELLO 3 AUTH user s3cret"))
			}
		}
		warn()
		time.Sleep(time.Minute + 1)
		warn()
		lines := strings.Split(log.String(), "\n")
		for i, want := range []string{"dial 0: redis at 127.0.0.1:6379: connection refused", "dial 0: redis: no connection in time", "init 0: redis: an answer"} {
			if len(lines) != 7 || !strings.HasPrefix(lines[i], `level=WARN msg="`+want) || lines[i+3] != lines[i]+" skipped=2" || strings.Contains(lines[i], "s3cret") {
				t.Errorf("%s: the log is %q", want, lines)
			}
		}
	})
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
