package redisstore_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// shortTimeout is that of tests in which servers do not answer.
var shortTimeout = redisstore.Config{Timeout: time.Second}

// refusedTimeout is that of tests in which servers refuse a command for long. A use waits for three
// quarters of it, and leaves the rest for the last answer.
var refusedTimeout = redisstore.Config{Timeout: 4 * time.Second}

// traffic is a load that continues when uses fail. It records the keys that were accepted.
type traffic struct {
	wg       sync.WaitGroup
	stop     chan struct{}
	end      func() // stops the load
	mu       sync.Mutex
	accepted []string
	failures map[string]int // by class
}

func startTraffic(t *testing.T, s *redisstore.Store) *traffic {
	l := &traffic{stop: make(chan struct{}), failures: make(map[string]int)}
	for g := range 8 {
		l.wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-l.stop:
					return
				case <-time.After(time.Millisecond):
				}
				l.use(t, s, fmt.Sprint(g, " ", i))
			}
		})
	}
	l.end = sync.OnceFunc(func() { close(l.stop); l.wg.Wait() })
	t.Cleanup(l.end)
	return l
}

func (l *traffic) use(t *testing.T, s *redisstore.Store, key string) {
	first, err := s.FirstUse(t.Context(), key, time.Now().Add(time.Hour))
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		class, _ := err.(interface{ LogClass() (string, string) }).LogClass()
		l.failures[class]++
	case !first: // the command was sent twice
		t.Errorf("new key %s is reported as used", key)
	default:
		l.accepted = append(l.accepted, key)
	}
}

// failed returns the failures so far, by class, as text.
func (l *traffic) failed() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) == 0 {
		return ""
	}
	return fmt.Sprint(l.failures)
}

// after waits until more keys were accepted, and returns all of them.
func (l *traffic) after(t *testing.T, more int) []string {
	t.Helper()
	enough := 0
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		l.mu.Lock()
		accepted, failures := slices.Clone(l.accepted), fmt.Sprint(l.failures)
		l.mu.Unlock()
		if enough == 0 {
			enough = len(accepted) + more
		}
		if len(accepted) >= enough {
			return accepted
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d uses accepted, want %d; failures: %s", len(accepted), enough, failures)
		}
	}
}

// replicated waits until that number of replicas of the server have all that it has executed.
func replicated(t *testing.T, server *redistest.Server, replicas int) {
	t.Helper()
	c := client(t, server).Conn()
	defer c.Close()
	// WAIT is about the last write of the connection. A node of a cluster takes it with any key.
	if err := c.Do(t.Context(), "publish", "x", "x").Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Do(t.Context(), "wait", replicas, 30_000).Int(); err != nil || n < replicas {
		t.Fatalf("WAIT: %d, %v", n, err)
	}
}

// acceptedAgain presents keys for a second time, and returns those that are accepted. It
// checks that none is accepted for a third time.
func acceptedAgain(t *testing.T, s *redisstore.Store, keys []string) []string {
	t.Helper()
	var mu sync.Mutex
	var again []string
	var wg sync.WaitGroup
	for part := range slices.Chunk(keys, len(keys)/16+1) {
		wg.Go(func() {
			for _, key := range part {
				first, err := s.FirstUse(t.Context(), key, time.Now().Add(time.Hour))
				if err != nil {
					t.Errorf("%s: %v", key, err)
					return
				}
				if !first {
					continue
				}
				if third, err := s.FirstUse(t.Context(), key, time.Now().Add(time.Hour)); third || err != nil {
					t.Errorf("%s for the third time: %v, %v", key, third, err)
				}
				mu.Lock()
				again = append(again, key)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return again
}

// checkFailover runs a load, and calls fail in the middle, which ends the master and returns
// when another has taken over, and then back, which brings the first one back. It checks that
// a use can be accepted twice only if it was accepted between the last proof of replication
// and the end of the master, and that the load goes on by itself.
func checkFailover(t *testing.T, s *redisstore.Store, masters []*redistest.Server, fail, back func()) {
	t.Helper()
	l := startTraffic(t, s)
	safe := l.after(t, 1000)
	for _, master := range masters {
		replicated(t, master, 1)
	}
	l.after(t, 500)
	fail()
	awaitWorking(t, s)
	before := l.after(t, 1)
	l.after(t, 500)
	back()
	all := l.after(t, 500)
	l.end()

	endangered := make(map[string]bool)
	for _, key := range before[len(safe):] {
		endangered[key] = true
	}
	again := acceptedAgain(t, s, all)
	for _, key := range again {
		if !endangered[key] {
			t.Errorf("accepted twice, although it was replicated, or after the failover: %s", key)
		}
	}
	t.Logf("%d uses accepted, %d of them again after the failover; failures meanwhile: %v", len(all), len(again), l.failures)
}

// cutReplica makes a master lose its replica: the replica is frozen, and the connection, in
// which commands could wait, is closed.
func cutReplica(t *testing.T, master, replica *redistest.Server) {
	t.Helper()
	replica.Freeze()
	if err := client(t, master).Do(t.Context(), "client", "kill", "type", "replica").Err(); err != nil {
		t.Fatal(err)
	}
}

// sorted compares lists of keys without their order.
var sorted = cmpopts.SortSlices(strings.Compare)

// newKeys returns keys that were not used before.
func newKeys(name string) (keys []string) {
	for i := range 20 {
		keys = append(keys, fmt.Sprint(name, " ", i))
	}
	return keys
}

// useAll uses keys for the first time.
func useAll(t *testing.T, s *redisstore.Store, keys []string) {
	t.Helper()
	for _, key := range keys {
		expect(t, s, key, time.Now().Add(time.Hour), true)
	}
}

// awaitCause calls FirstUse with new keys until its error has a cause. It returns the keys
// that were accepted before.
func awaitCause(t *testing.T, s *redisstore.Store, cause string) (accepted []string) {
	t.Helper()
	for i, deadline := 0, time.Now().Add(time.Minute); ; i++ {
		key := fmt.Sprint("await ", cause, i)
		first, err := s.FirstUse(t.Context(), key, time.Now().Add(time.Hour))
		switch {
		case err != nil && strings.Contains(err.Error(), cause):
			return accepted
		case time.Now().After(deadline):
			t.Fatalf("FirstUse: %v, %v; want %s", first, err, cause)
		case first:
			accepted = append(accepted, key)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
