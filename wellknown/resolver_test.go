package wellknown_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// TestStampede checks that ten thousand callers share one fetch.
func TestStampede(t *testing.T) {
	const callers = 10_000
	var fetches atomic.Int64
	n := newNetwork(t)
	release := make(chan struct{})
	n.Serve(host, func(w http.ResponseWriter, r *http.Request) {
		fetches.Add(1)
		<-release
		jsonHandler(document(1))(w, r)
	})
	r := resolver(t, n.config())
	var ready, done sync.WaitGroup
	ready.Add(callers)
	for range callers {
		done.Go(func() {
			ready.Done()
			if a, err := r.Authority(t.Context(), host, host); err != nil || len(a.Keys) != 1 {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	ready.Wait()
	close(release)
	done.Wait()
	if fetches.Load() != 1 {
		t.Errorf("%d fetches", fetches.Load())
	}
}

// TestFlood checks that the cache stays within its limits when a hundred thousand domains
// are looked up, and that domains that do not exist evict no document.
func TestFlood(t *testing.T) {
	const callers, entries, bytes = 8, 1000, 1 << 20
	small := `{"keys":[],"authentication":"/auth","provisioning":"/prov"}`
	large := small + strings.Repeat(" ", 20_000)
	for name, c := range map[string]struct {
		named  int
		answer func() (*http.Response, error)
		keeps  bool // the document of a host that was known before
	}{
		"no support":     {100_000, fails(&net.DNSError{IsNotFound: true}), true},
		"unavailable":    {entries + 200, down, true},
		"over the limit": {entries + 200, answers(200, strings.Repeat(" ", bodyLimit+1)), true},
		"documents":      {entries + 200, answers(200, small), false},
		"large ones":     {200, answers(200, large), false},
	} {
		r := resolver(t, wellknown.Config{
			MaxEntries: entries, MaxBytes: bytes,
			InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
				if q.URL.Host == host {
					return reply(200, document(1))
				}
				return c.answer()
			}),
		})
		lookUp(t, r, host)
		before := heap()
		var release sync.WaitGroup
		for caller := range callers {
			release.Go(func() {
				for i := caller; i < c.named; i += callers {
					name := fmt.Sprintf("host%d.example", i)
					if _, err := r.Authority(t.Context(), name, name); (err == nil) == c.keeps {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		release.Wait()
		documents, faults, documentBytes, faultBytes := r.CacheSize()
		if documents > entries || faults > entries || documentBytes > bytes || faultBytes > bytes || documents+faults < 20 {
			t.Errorf("%s: %d and %d entries, %d and %d bytes", name, documents, faults, documentBytes, faultBytes)
		}
		// Entries take about as much memory as they count for.
		if grown := heap() - before; grown > documentBytes+faultBytes+4<<20 {
			t.Errorf("%s: %d bytes more in use, counted %d", name, grown, documentBytes+faultBytes)
		}
		if c.keeps != (documents == 1) {
			t.Errorf("%s: %d documents cached", name, documents)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLeastRecentlyUsed checks that a document in use is kept during a flood of documents.
func TestLeastRecentlyUsed(t *testing.T) {
	var fetches atomic.Int64
	r := resolver(t, wellknown.Config{MaxEntries: 10, InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
		if q.URL.Host == host {
			fetches.Add(1)
		}
		return reply(200, document(1))
	})})
	for i := range 100 {
		lookUp(t, r, host)
		lookUp(t, r, fmt.Sprintf("host%d.example", i))
	}
	if fetches.Load() != 1 {
		t.Errorf("%d fetches", fetches.Load())
	}
	for i := range 10 {
		lookUp(t, r, fmt.Sprintf("host%d.example", i))
	}
	if lookUp(t, r, host); fetches.Load() != 2 {
		t.Errorf("%d fetches", fetches.Load())
	}
}

// TestCallerLeaves checks that a lookup returns when its context ends, and that the fetch
// goes on for other callers.
func TestCallerLeaves(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	var fetches atomic.Int64
	r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
		fetches.Add(1)
		close(begun)
		<-finish
		if err := q.Context().Err(); err != nil {
			return nil, err
		}
		return reply(200, document(1))
	})})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := r.Authority(ctx, host, host)
		left <- err
	}()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) || row(t, nil, err) != row4 {
		t.Errorf("left with %v", err)
	}
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if _, err := r.Authority(expired, host, host); !errors.Is(err, context.DeadlineExceeded) || row(t, nil, err) != row4 {
		t.Errorf("with a deadline in the past: %v", err)
	}
	close(finish)
	if _, got := lookUp(t, r, host); got != nil || fetches.Load() != 1 {
		t.Errorf("%v after %d fetches", got, fetches.Load())
	}
}

// TestTimeout checks that the timeout is for the whole lookup, not for each delegation.
func TestTimeout(t *testing.T) {
	const timeout = 300 * time.Millisecond
	var fetches atomic.Int64
	r := resolver(t, wellknown.Config{
		Timeout: timeout,
		InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
			select {
			case <-time.After(timeout * 3 / 5):
			case <-q.Context().Done():
				return nil, q.Context().Err()
			}
			if n := fetches.Add(1); n < 3 {
				return reply(200, delegation(fmt.Sprintf("a%d.example", n)))
			}
			return reply(200, document(1))
		}),
	})
	a, err := r.Authority(t.Context(), host, host)
	if got := row(t, a, err); got != row4 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
