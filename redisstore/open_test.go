package redisstore_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

func TestOpen(t *testing.T) {
	// The servers need not exist.
	for _, url := range []string{
		"redis://", "redis://localhost", "redis://localhost:1/15", "redis://127.0.0.1:65535", "redis://[::1]:6379", "redis://:p%40ss@localhost?db=3",
		"rediss://user:password@redis.example:6380/0", "unix:///run/redis/redis.sock", "unix:///run/redis/redis.sock?db=2",
	} {
		open(t, url, redisstore.Config{})
	}
	const secret = "s3cret"
	for _, url := range []string{
		"", secret, "localhost:6379", "http://:" + secret + "@localhost", "redis:" + secret, "redis://:" + secret + "@localhost:0",
		"redis://:" + secret + "@localhost:65536", "redis://:" + secret + "@localhost:port", "redis://:" + secret + "@localhost/x" + secret,
		"redis://:" + secret + "@localhost/-1", "redis://:" + secret + "@localhost/1/2", "redis://:#" + secret + "@localhost",
		"redis://:" + secret + "/@localhost", "redis://:%" + secret + "@localhost", "redis://:" + secret + "\x7f@localhost", "unix://", "unix://?db=1",
		"redis://:" + secret + "@localhost?db=" + secret, "redis://localhost?max_retries=3", "redis://localhost?" + secret + "=1",
		"rediss://localhost?skip_verify=true", "redis://localhost?pool_size=99999999999", "redis://localhost#" + secret,
	} {
		s, err := redisstore.Open(url, redisstore.Config{})
		if err == nil || s != nil {
			t.Errorf("Open(%q): no error", url)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("Open(%q): the error contains the secret: %v", url, err)
		}
	}
	if _, err := redisstore.Open("redis://localhost", redisstore.Config{Timeout: -1}); err == nil {
		t.Error("negative Timeout: no error")
	}
}

// FuzzOpen checks that Open accepts a URL or returns an error that contains nothing
// of it.
func FuzzOpen(f *testing.F) {
	for _, url := range []string{
		"redis://user:password@host:6379/0", "rediss://[::1]:6380", "unix:///run/redis.sock?db=2", "redis://:p%40ss@localhost?db=3", "",
		"redis://:s3cret@localhost:0", "http://:s3cret@localhost", "redis://localhost?skip_verify=true", "redis://:%s3cret@localhost", "redis:s3cret",
	} {
		f.Add(url)
	}
	_, want := redisstore.Open("", redisstore.Config{})
	f.Fuzz(func(t *testing.T, url string) {
		store, err := redisstore.Open(url, redisstore.Config{})
		if err != nil {
			if store != nil || err.Error() != want.Error() {
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
		warn := func() {
			for i := range 3 {
				w.Printf(t.Context(), "dial %d: %v", i, io.EOF)
				w.Printf(t.Context(), "dial %d: %v", i, net.ErrClosed)
				w.Printf(t.Context(), "dial %d: %v", i, &net.OpError{Op: "dial", Err: io.EOF})
			}
		}
		warn()
		time.Sleep(time.Minute + 1)
		warn()
		const want = `level=WARN msg="dial 0: EOF"
level=WARN msg="dial 0: use of closed network connection"
level=WARN msg="dial 0: dial: EOF"
level=WARN msg="dial 0: EOF" skipped=2
level=WARN msg="dial 0: use of closed network connection" skipped=2
level=WARN msg="dial 0: dial: EOF" skipped=2
`
		if diff := cmp.Diff(want, log.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
