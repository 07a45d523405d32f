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

// load asks for new keys from 32 goroutines until each had an error, and tells
// how many keys have passed so far, and in the end which.
type load struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	passed []string
	enough chan struct{} // closed when many keys have passed
}

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
					t.Errorf("new key %s is called used", key)
				}
				l.mu.Lock()
				l.passed = append(l.passed, key)
				if len(l.passed) == enough {
					close(l.enough)
				}
				l.mu.Unlock()
			}
		})
	}
	return l
}

// awaitWorking asks until the store works again.
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
			t.Fatalf("the store does not work again: %v", err)
		}
		<-tick.C
	}
}

// What was said to be a first use before Redis was killed is refused when it is
// back, while it is away nothing passes, and the store finds it again by itself.
func TestKilledUnderLoad(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), patient)
	until := time.Now().Add(time.Hour)

	l := startLoad(t, s, until, 2000)
	<-l.enough
	server.Kill()
	l.wg.Wait()
	for i := range 200 { // more than go-redis dials for before it waits
		expectError(t, s, fmt.Sprint("down ", i))
	}
	server.Restart()
	awaitWorking(t, s)

	for _, key := range l.passed {
		expect(t, s, key, until, false)
	}
	expect(t, s, "new", until, true)
}

// Connections that went stale while nobody asked make no call fail.
func TestRestartUnnoticed(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), patient)
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

func TestServerComesLater(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	s := open(t, server.URL(), patient)
	expectError(t, s, "key")
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping answered")
	}
	server.Restart()
	awaitWorking(t, s)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	expect(t, s, "key", time.Now().Add(time.Hour), true)
}
