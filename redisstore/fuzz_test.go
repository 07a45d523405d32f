package redisstore_test

import (
	"strings"
	"testing"

	"github.com/vepverify/vepverify/redisstore"
)

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
