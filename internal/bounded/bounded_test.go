package bounded_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/internal/bounded"
)

func TestBounds(t *testing.T) {
	c := bounded.New[string, int](3, 100)
	held := func(want ...string) {
		t.Helper()
		got := ""
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			if _, ok := c.Get(key); ok {
				got += key
			}
		}
		if got != fmt.Sprint(want[0]) {
			t.Errorf("holds %q, want %q", got, want[0])
		}
	}
	c.Set("a", 1, 10)
	c.Set("b", 2, 10)
	c.Set("c", 3, 10)
	held("abc")
	c.Set("d", 4, 10) // one too many: a goes
	held("bcd")
	c.Get("b")
	c.Set("e", 5, 85) // too heavy: c and d go, which were asked for before b
	held("be")
	if n, bytes := c.Size(); n != 2 || bytes != 95 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
	c.Set("e", 6, 5)
	if v, _ := c.Get("e"); v != 6 {
		t.Errorf("e is %d", v)
	}
	c.Set("a", 7, 101) // never fits
	held("be")
	if n, bytes := c.Size(); n != 2 || bytes != 15 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
}

func TestNil(t *testing.T) {
	var c *bounded.Cache[int, int]
	c.Set(1, 1, 1)
	if _, ok := c.Get(1); ok {
		t.Error("nothing holds something")
	}
	if n, bytes := c.Size(); n != 0 || bytes != 0 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
}

func TestConcurrent(t *testing.T) {
	c := bounded.New[int, int](64, 1000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2000 {
				c.Set(i%200, i, int64(i%50))
				c.Get(i % 100)
			}
		})
	}
	wg.Wait()
	if n, bytes := c.Size(); n > 64 || bytes > 1000 || bytes < 0 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
}
