package redisstore_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// load is 32 goroutines that use new keys until each of them has an error. It records
// the keys that were accepted.
type load struct {
	wg       sync.WaitGroup
	mu       sync.Mutex
	accepted []string
	enough   chan struct{} // closed when many keys were accepted
}

// startLoad starts a load. It closes enough when that many keys were accepted.
func startLoad(t *testing.T, s *redisstore.Store, until time.Time, enough int) *load {
	l := &load{enough: make(chan struct{})}
	var next atomic.Int64
	for range 32 {
		l.wg.Go(func() {
			for {
				key := fmt.Sprint(next.Add(1))
				first, err := s.FirstUse(t.Context(), key, until)
				if err != nil {
					return
				}
				if !first {
					t.Errorf("new key %s is reported as used", key)
				}
				l.mu.Lock()
				l.accepted = append(l.accepted, key)
				if len(l.accepted) == enough {
					close(l.enough)
				}
				l.mu.Unlock()
			}
		})
	}
	return l
}

// awaitWorking calls FirstUse until it returns no error.
func awaitWorking(t *testing.T, s *redisstore.Store) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		_, err := s.FirstUse(t.Context(), fmt.Sprint("awaitWorking ", i), time.Now().Add(time.Hour))
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("FirstUse still fails: %v", err)
		}
		<-tick.C
	}
}

// TestKilledUnderLoad checks that first uses before Redis was killed are rejected
// after its restart, that everything is rejected meanwhile, and that the store
// connects again by itself.
func TestKilledUnderLoad(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), longTimeout)
	until := time.Now().Add(time.Hour)

	l := startLoad(t, s, until, 2000)
	<-l.enough
	server.Kill()
	l.wg.Wait()
	for i := range 200 { // more than go-redis dials before it waits
		expectError(t, s, fmt.Sprint("down ", i))
	}
	server.Restart()
	awaitWorking(t, s)

	for _, key := range l.accepted {
		expect(t, s, key, until, false)
	}
	expect(t, s, "new", until, true)
}

// TestStaleConnections checks that no call fails after a restart of the server, which
// leaves stale connections in the pool.
func TestStaleConnections(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), longTimeout)
	until := time.Now().Add(time.Hour)
	for round := range 3 {
		var wg sync.WaitGroup
		for i := range 32 { // opens many connections
			wg.Go(func() {
				if first, err := s.FirstUse(t.Context(), fmt.Sprint(round, " ", i), until); err != nil || !first {
					t.Errorf("round %d: %v, %v", round, first, err)
				}
			})
		}
		wg.Wait()
		server.Restart()
	}
}

func TestServerStartsLater(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	s := open(t, server.URL(), longTimeout)
	expectError(t, s, "key")
	if _, err := s.Check(t.Context()); err == nil {
		t.Error("Check: no error while the server is down")
	}
	server.Restart()
	awaitWorking(t, s)
	if _, err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	expect(t, s, "key", time.Now().Add(time.Hour), true)
}
