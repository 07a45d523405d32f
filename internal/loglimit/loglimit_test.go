package loglimit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/internal/loglimit"
)

func TestAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock advances only in Sleep
		l := loglimit.New(time.Minute)
		expect := func(key string, skipped int64, ok bool) {
			t.Helper()
			if n, allowed := l.Allow(key); n != skipped || allowed != ok {
				t.Errorf("Allow(%q) = %d, %v; want %d, %v", key, n, allowed, skipped, ok)
			}
		}
		expect("dial", 0, true)
		expect("dial", 0, false)
		expect("read", 0, true)
		time.Sleep(time.Minute)
		expect("dial", 0, false) // the interval has not passed
		time.Sleep(time.Nanosecond)
		expect("dial", 2, true)
		expect("read", 0, true)
		expect("read", 0, false)
		time.Sleep(time.Hour)
		expect("dial", 0, true)
		expect("read", 1, true)
	})
}

func TestAllowName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loglimit.New(time.Minute)
		expect := func(name string, skipped int64, ok bool) {
			t.Helper()
			if n, allowed := l.AllowName("dial", name, 2); n != skipped || allowed != ok {
				t.Errorf("AllowName(%q) = %d, %v; want %d, %v", name, n, allowed, skipped, ok)
			}
		}
		expect("a", 0, true)
		time.Sleep(30 * time.Second)
		expect("a", 0, false)
		expect("b", 1, true)
		expect("c", 0, false) // there are two
		expect("b", 0, false)
		time.Sleep(30*time.Second + 1)
		expect("c", 2, true) // a has expired
		expect("b", 0, false)
		time.Sleep(time.Hour)
		expect("b", 1, true)
	})
}

// TestConcurrentUse checks that one of many concurrent messages is allowed, and that
// all others are counted.
func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loglimit.New(time.Minute)
		var allowed, skipped atomic.Int64
		count := func() {
			if n, ok := l.Allow("dial"); ok {
				allowed.Add(1)
				skipped.Add(n)
			}
		}
		const rounds, messages = 3, 1000
		for range rounds {
			var wg sync.WaitGroup
			for range messages {
				wg.Go(count)
			}
			wg.Wait()
			time.Sleep(time.Minute + 1)
		}
		count() // returns the number that was skipped in the last round
		if allowed.Load() != rounds+1 || skipped.Load() != rounds*(messages-1) {
			t.Errorf("%d messages were allowed, %d were skipped", allowed.Load(), skipped.Load())
		}
	})
}
