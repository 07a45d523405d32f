package wellknown_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// storeTest is a resolver for hosts that all serve a document, and counts the requests.
type storeTest struct {
	*wellknown.Resolver
	now   time.Time
	sizes map[string]int // spaces after the document, by the host's last two labels
	asked map[string]int // by host
}

func newStoreTest(t *testing.T, c wellknown.Config) *storeTest {
	s := &storeTest{now: start, sizes: make(map[string]int), asked: make(map[string]int)}
	c.Now = func() time.Time { return s.now }
	c.InsecureTransport = roundTripper(func(q *http.Request) (*http.Response, error) {
		s.asked[q.URL.Host]++
		labels := strings.Split(q.URL.Host, ".")
		size := s.sizes[strings.Join(labels[len(labels)-2:], ".")]
		return reply(200, document(1)+strings.Repeat(" ", size), "Cache-Control", "max-age=86400")
	})
	s.Resolver = resolver(t, c)
	return s
}

// add looks a host up and, if verified is set, marks its document so.
func (s *storeTest) add(t *testing.T, verified bool, host, domain string) {
	t.Helper()
	a, err := s.Authority(t.Context(), host, domain)
	if err != nil {
		t.Fatal(err)
	}
	if verified {
		a.MarkVerified()
	}
}

// isCached reports whether a lookup needs no fetch.
func (s *storeTest) isCached(t *testing.T, host, domain string) bool {
	return wellknown.IsCached(s.Resolver, host, domain)
}

// addMany looks up n questions, slowly enough for the rates.
func (s *storeTest) addMany(t *testing.T, n int, of func(int) (string, string)) {
	t.Helper()
	for i := range n {
		host, domain := of(i)
		s.add(t, false, host, domain)
		s.now = s.now.Add(time.Second)
	}
}

// TestEvictsItsOwn checks that a domain with many entries evicts its own.
func TestEvictsItsOwn(t *testing.T) {
	wildcard := func(i int) (string, string) { n := fmt.Sprintf("n%d.evil.example", i); return n, n }
	for name, c := range map[string]struct {
		size int
		of   func(int) (string, string)
		most int // entries, if they are small
	}{
		"one host":               {0, func(i int) (string, string) { return "evil.example", emailDomain(i) }, 512},
		"a wildcard":             {0, wildcard, 1024},
		"a wildcard, large ones": {60_000, wildcard, 1024},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStoreTest(t, wellknown.Config{})
			s.sizes["evil.example"] = c.size
			const others = 300
			for i := range others {
				s.add(t, false, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
			}
			s.addMany(t, 1500, c.of)
			for i := range others {
				if name := fmt.Sprintf("idp%d.example", i); !s.isCached(t, name, name) {
					t.Fatalf("%s is not cached", name)
				}
			}
			good, _, bytes, _ := s.CacheSize()
			if good > others+c.most || bytes > others*8192+1<<20 {
				t.Errorf("%d entries, %d bytes", good, bytes)
			}
		})
	}
}

// TestFullEvictsLargest checks that a full cache evicts entries of the domain that has
// most.
func TestFullEvictsLargest(t *testing.T) {
	s := newStoreTest(t, wellknown.Config{MaxEntries: 400})
	for i := range 200 {
		s.add(t, false, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
	}
	for d := range 8 {
		s.addMany(t, 100, func(i int) (string, string) { n := fmt.Sprintf("n%d.evil%d.example", i, d); return n, n })
	}
	for i := range 200 {
		if name := fmt.Sprintf("idp%d.example", i); !s.isCached(t, name, name) {
			t.Fatalf("%s is not cached", name)
		}
	}
}

// TestFullKeepsVerified checks that a full cache of single entries evicts those whose keys
// verified nothing, however many others were used less recently.
func TestFullKeepsVerified(t *testing.T) {
	const verified = 1500
	s := newStoreTest(t, wellknown.Config{MaxEntries: verified + 50, MaxBytes: 16 << 20})
	for i := range verified {
		s.add(t, true, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
	}
	s.addMany(t, 500, func(i int) (string, string) { n := fmt.Sprintf("other%d.example", i); return n, n })
	for i := range verified {
		if name := fmt.Sprintf("idp%d.example", i); !s.isCached(t, name, name) {
			t.Fatalf("%s is not cached", name)
		}
	}
	if !s.isCached(t, "other499.example", "other499.example") {
		t.Error("the newest is not cached")
	}
	// If all are verified, the least recently used makes room for a new one.
	for i := range 50 {
		s.add(t, true, fmt.Sprintf("new%d.example", i), fmt.Sprintf("new%d.example", i))
	}
	for _, name := range []string{"last.example", "one-more.example"} {
		s.add(t, false, name, name)
		if !s.isCached(t, name, name) {
			t.Errorf("%s is not cached", name)
		}
	}
	if s.isCached(t, "idp0.example", "idp0.example") || !s.isCached(t, "idp1.example", "idp1.example") {
		t.Error("not only the least recently used was evicted")
	}
}

// TestVerifiedLast checks the order in which a host's entries are evicted: first those
// whose keys verified nothing, then the one for its own emails, then those whose keys
// verified a certificate.
func TestVerifiedLast(t *testing.T) {
	s := newStoreTest(t, wellknown.Config{})
	s.add(t, false, "idp.example", "idp.example")
	for i := range 300 {
		s.add(t, true, "idp.example", fmt.Sprintf("good%d.example", i))
		s.now = s.now.Add(time.Second)
	}
	s.addMany(t, 1000, func(i int) (string, string) { return "idp.example", emailDomain(i) })
	if !s.isCached(t, "idp.example", "idp.example") {
		t.Error("its own is not cached")
	}
	for i := range 300 {
		if name := fmt.Sprintf("good%d.example", i); !s.isCached(t, "idp.example", name) {
			t.Fatalf("%s is not cached", name)
		}
	}
	// An entry stays verified when it is fetched again.
	s.now = s.now.Add(24 * time.Hour)
	for i := range 300 {
		s.add(t, false, "idp.example", fmt.Sprintf("good%d.example", i))
	}
	s.addMany(t, 1000, func(i int) (string, string) { return "idp.example", emailDomain(1000 + i) })
	if name := "good0.example"; !s.isCached(t, "idp.example", name) {
		t.Errorf("%s is not cached", name)
	}
}

// TestVerifiedMakesRoom checks that a verified entry is evicted if all others of its host
// are verified too.
func TestVerifiedMakesRoom(t *testing.T) {
	s := newStoreTest(t, wellknown.Config{})
	for i := range 1000 {
		s.add(t, true, "idp.example", emailDomain(i))
		s.now = s.now.Add(time.Second)
	}
	if !s.isCached(t, "idp.example", emailDomain(999)) || s.isCached(t, "idp.example", emailDomain(0)) {
		t.Error("the oldest is cached, or the newest is not")
	}
}
