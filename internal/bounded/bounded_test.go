package bounded_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/internal/bounded"
)

func TestBounds(t *testing.T) {
	c := bounded.New[string, int](3, 100)
	check := func(want string) {
		t.Helper()
		got := ""
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			if _, ok := c.Get(key); ok {
				got += key
			}
		}
		if got != want {
			t.Errorf("the cache has %q, want %q", got, want)
		}
	}
	c.Set("a", 1, 10)
	c.Set("b", 2, 10)
	c.Set("c", 3, 10)
	check("abc")
	c.Set("d", 4, 10) // one entry too many: a is evicted
	check("bcd")
	c.Get("b")
	c.Set("e", 5, 85) // too many bytes: c and d are evicted, which were used before b
	check("be")
	if n, bytes := c.Size(); n != 2 || bytes != 95 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
	c.Set("e", 6, 5)
	if v, _ := c.Get("e"); v != 6 {
		t.Errorf("e is %d", v)
	}
	c.Set("a", 7, 101) // larger than the cache
	check("be")
	if n, bytes := c.Size(); n != 2 || bytes != 15 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
}

func TestValues(t *testing.T) {
	c := bounded.New[string, int](3, 100)
	if got := c.Values(); len(got) != 0 {
		t.Errorf("an empty cache has %d", got)
	}
	c.Set("a", 1, 10)
	c.Set("b", 2, 10)
	c.Set("c", 3, 10)
	c.Get("a")
	if got, want := c.Values(), []int{2, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}

func TestNil(t *testing.T) {
	var c *bounded.Cache[int, int]
	c.Set(1, 1, 1)
	if _, ok := c.Get(1); ok {
		t.Error("a nil cache has an entry")
	}
	if got := c.Values(); len(got) != 0 {
		t.Errorf("a nil cache has %d", got)
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
				c.Values()
			}
		})
	}
	wg.Wait()
	if n, bytes := c.Size(); n > 64 || bytes > 1000 || bytes < 0 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
}
