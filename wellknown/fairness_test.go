package wellknown_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// ledger is a network whose hosts all serve a document of some size, and what
// it was asked.
type ledger struct {
	*wellknown.Resolver
	now   time.Time
	sizes map[string]int // spaces after the document, by the host's last two labels
	asked map[string]int // by host
}

func newLedger(t *testing.T, c wellknown.Config) *ledger {
	l := &ledger{now: start, sizes: make(map[string]int), asked: make(map[string]int)}
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

// know looks the hosts up, and says that their keys verified certificates.
func (l *ledger) know(t *testing.T, verified bool, host, domain string) {
	t.Helper()
	a, err := l.Authority(t.Context(), host, domain)
	if err != nil {
		t.Fatal(err)
	}
	if verified {
		a.MarkVerified()
	}
}

// holds reports whether a look-up needs no fetch.
func (l *ledger) holds(t *testing.T, host, domain string) bool {
	return wellknown.IsCached(l.Resolver, host, domain)
}

// flood looks up n hosts or domains, slowly enough for the rates.
func (l *ledger) flood(t *testing.T, n int, of func(int) (string, string)) {
	t.Helper()
	for i := range n {
		host, domain := of(i)
		l.know(t, false, host, domain)
		l.now = l.now.Add(time.Second)
	}
}

// TestEvictsItsOwn has a domain fill what it can: it evicts its own entries.
func TestEvictsItsOwn(t *testing.T) {
	wildcard := func(i int) (string, string) { n := fmt.Sprintf("n%d.evil.example", i); return n, n }
	for name, c := range map[string]struct {
		size int
		of   func(int) (string, string)
		most int // entries, if they are small
	}{
		"one host":               {0, func(i int) (string, string) { return "evil.example", about(i) }, 512},
		"a wildcard":             {0, wildcard, 1024},
		"a wildcard, large ones": {60_000, wildcard, 1024},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, wellknown.Config{})
			l.sizes["evil.example"] = c.size
			const others = 300
			for i := range others {
				l.know(t, false, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
			}
			l.flood(t, 1500, c.of)
			for i := range others {
				if name := fmt.Sprintf("idp%d.example", i); !l.holds(t, name, name) {
					t.Fatalf("%s is not held", name)
				}
			}
			good, _, bytes, _ := l.CacheSize()
			if good > others+c.most || bytes > others*8192+1<<20 {
				t.Errorf("%d entries, %d bytes", good, bytes)
			}
		})
	}
}

// TestFullEvictsLargest has a cache that is full lose entries of who holds most.
func TestFullEvictsLargest(t *testing.T) {
	l := newLedger(t, wellknown.Config{MaxEntries: 400})
	for i := range 200 {
		l.know(t, false, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
	}
	for d := range 8 {
		l.flood(t, 100, func(i int) (string, string) { n := fmt.Sprintf("n%d.evil%d.example", i, d); return n, n })
	}
	for i := range 200 {
		if name := fmt.Sprintf("idp%d.example", i); !l.holds(t, name, name) {
			t.Fatalf("%s is not held", name)
		}
	}
}

// TestFullKeepsVerified has a cache that is full of single entries lose those whose
// keys verified nothing.
func TestFullKeepsVerified(t *testing.T) {
	l := newLedger(t, wellknown.Config{MaxEntries: 100})
	for i := range 50 {
		l.know(t, true, fmt.Sprintf("idp%d.example", i), fmt.Sprintf("idp%d.example", i))
	}
	l.flood(t, 500, func(i int) (string, string) { n := fmt.Sprintf("other%d.example", i); return n, n })
	for i := range 50 {
		if name := fmt.Sprintf("idp%d.example", i); !l.holds(t, name, name) {
			t.Fatalf("%s is not held", name)
		}
	}
	if !l.holds(t, "other499.example", "other499.example") {
		t.Error("the newest is not held")
	}
}

// TestVerifiedLast has a host's entries evicted in this order: those whose keys
// verified nothing, its own, those whose keys verified a certificate.
func TestVerifiedLast(t *testing.T) {
	l := newLedger(t, wellknown.Config{})
	l.know(t, false, "idp.example", "idp.example")
	for i := range 300 {
		l.know(t, true, "idp.example", fmt.Sprintf("good%d.example", i))
		l.now = l.now.Add(time.Second)
	}
	l.flood(t, 1000, func(i int) (string, string) { return "idp.example", about(i) })
	if !l.holds(t, "idp.example", "idp.example") {
		t.Error("its own is not held")
	}
	for i := range 300 {
		if name := fmt.Sprintf("good%d.example", i); !l.holds(t, "idp.example", name) {
			t.Fatalf("%s is not held", name)
		}
	}
	// What is verified stays so when it is fetched anew.
	l.now = l.now.Add(24 * time.Hour)
	for i := range 300 {
		l.know(t, false, "idp.example", fmt.Sprintf("good%d.example", i))
	}
	l.flood(t, 1000, func(i int) (string, string) { return "idp.example", about(1000 + i) })
	if name := "good0.example"; !l.holds(t, "idp.example", name) {
		t.Errorf("%s is not held", name)
	}
}

// TestVerifiedMakesRoom has a new entry that will be verified enter although all
// others of its host are.
func TestVerifiedMakesRoom(t *testing.T) {
	l := newLedger(t, wellknown.Config{})
	for i := range 1000 {
		l.know(t, true, "idp.example", about(i))
		l.now = l.now.Add(time.Second)
	}
	if !l.holds(t, "idp.example", about(999)) || l.holds(t, "idp.example", about(0)) {
		t.Error("the oldest is held, or the newest is not")
	}
}
