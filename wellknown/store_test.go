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
	l := &storeTest{now: start, sizes: make(map[string]int), asked: make(map[string]int)}
	c.Now = func() time.Time { return l.now }
	c.InsecureTransport = roundTripper(func(q *http.Request) (*http.Response, error) {
		l.asked[q.URL.Host]++
		labels := strings.Split(q.URL.Host, ".")
		size := l.sizes[strings.Join(labels[len(labels)-2:], ".")]
		return reply(200, document(1)+strings.Repeat(" ", size), "Cache-Control", "max-age=86400")
	})
	l.Resolver = resolver(t, c)
	return l
}

// add looks a host up and, if verified is set, marks its document so.
func (l *storeTest) add(t *testing.T, verified bool, host, domain string) {
	t.Helper()
	a, err := l.Authority(t.Context(), host, domain)
	if err != nil {
		t.Fatal(err)
	}
	if verified {
		a.MarkVerified()
	}
}

// has reports whether a look-up needs no fetch.
func (l *storeTest) has(t *testing.T, host, domain string) bool {
	return wellknown.IsCached(l.Resolver, host, domain)
}

// addMany looks up n questions, slowly enough for the rates.
func (l *storeTest) addMany(t *testing.T, n int, of func(int) (string, string)) {
	t.Helper()
	for i := range n {
		host, domain := of(i)
		l.add(t, false, host, domain)
		l.now = l.now.Add(time.Second)
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
			l := newStoreTest(t, wellknown.Config{})
			l.sizes["evil.example"] = c.size
			const others = 300
			for i := range others {
				l.add(t, false, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
			}
			l.addMany(t, 1500, c.of)
			for i := range others {
				if name := fmt.Sprintf("idp%d.example", i); !l.has(t, name, name) {
					t.Fatalf("%s is not cached", name)
				}
			}
			good, _, bytes, _ := l.CacheSize()
			if good > others+c.most || bytes > others*8192+1<<20 {
				t.Errorf("%d entries, %d bytes", good, bytes)
			}
		})
	}
}

// TestFullEvictsLargest checks that a full cache evicts entries of the domain that has
// most.
func TestFullEvictsLargest(t *testing.T) {
	l := newStoreTest(t, wellknown.Config{MaxEntries: 400})
	for i := range 200 {
		l.add(t, false, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
	}
	for d := range 8 {
		l.addMany(t, 100, func(i int) (string, string) { n := fmt.Sprintf("n%d.evil%d.example", i, d); return n, n })
	}
	for i := range 200 {
		if name := fmt.Sprintf("idp%d.example", i); !l.has(t, name, name) {
			t.Fatalf("%s is not cached", name)
		}
	}
}

// TestFullKeepsVerified checks that a full cache of single entries evicts those whose keys
// verified nothing.
func TestFullKeepsVerified(t *testing.T) {
	l := newStoreTest(t, wellknown.Config{MaxEntries: 100})
	for i := range 50 {
		l.add(t, true, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
	}
	l.addMany(t, 500, func(i int) (string, string) { n := fmt.Sprintf("other%d.example", i); return n, n })
	for i := range 50 {
		if name := fmt.Sprintf("idp%d.example", i); !l.has(t, name, name) {
			t.Fatalf("%s is not cached", name)
		}
	}
	if !l.has(t, "other499.example", "other499.example") {
		t.Error("the newest is not cached")
	}
}

// TestVerifiedLast checks the order in which a host's entries are evicted: first those
// whose keys verified nothing, then the one for its own emails, then those whose keys
// verified a certificate.
func TestVerifiedLast(t *testing.T) {
	l := newStoreTest(t, wellknown.Config{})
	l.add(t, false, "idp.example", "idp.example")
	for i := range 300 {
		l.add(t, true, "idp.example", fmt.Sprintf("good%d.example", i))
		l.now = l.now.Add(time.Second)
	}
	l.addMany(t, 1000, func(i int) (string, string) { return "idp.example", emailDomain(i) })
	if !l.has(t, "idp.example", "idp.example") {
		t.Error("its own is not cached")
	}
	for i := range 300 {
		if name := fmt.Sprintf("good%d.example", i); !l.has(t, "idp.example", name) {
			t.Fatalf("%s is not cached", name)
		}
	}
	// An entry stays verified when it is fetched again.
	l.now = l.now.Add(24 * time.Hour)
	for i := range 300 {
		l.add(t, false, "idp.example", fmt.Sprintf("good%d.example", i))
	}
	l.addMany(t, 1000, func(i int) (string, string) { return "idp.example", emailDomain(1000 + i) })
	if name := "good0.example"; !l.has(t, "idp.example", name) {
		t.Errorf("%s is not cached", name)
	}
}

// TestVerifiedMakesRoom checks that a new entry is added although all others of its host
// are verified.
func TestVerifiedMakesRoom(t *testing.T) {
	l := newStoreTest(t, wellknown.Config{})
	for i := range 1000 {
		l.add(t, true, "idp.example", emailDomain(i))
		l.now = l.now.Add(time.Second)
	}
	if !l.has(t, "idp.example", emailDomain(999)) || l.has(t, "idp.example", emailDomain(0)) {
		t.Error("the oldest is cached, or the newest is not")
	}
}
