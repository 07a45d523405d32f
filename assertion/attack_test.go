package assertion_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

const audience = "https://rp.example"

// hostile is how many assertions an attacker sends.
var hostile = 100_000

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reply returns a response of a host.
func reply(document string, maxAge time.Duration) *http.Response {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%.0f", maxAge.Seconds()))
	w.Body.WriteString(document)
	return w.Result()
}

// world is a network of providers, and a verifier that knows some of them.
type world struct {
	t        testing.TB
	clock    atomic.Int64 // nanoseconds since start
	down     atomic.Bool  // all hosts refuse connections
	verifier *assertion.Verifier
	user     string // an identity assertion
	evil     string // the support document of every host below evil.example

	mu      sync.Mutex
	fetches map[string]int
	sites   map[string]string // documents by host
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, fetches: make(map[string]int), sites: make(map[string]string)}
	for _, name := range []string{"fallback.example", "trusted.example", "big.example"} {
		w.provider(name)
	}
	w.evil = string(w.idp("evil.example").Document().With("padding", strings.Repeat("x", 60_000)).JSON())
	key := idptest.Key("RS128")
	w.user = w.idp("").Assertion(audience, key).With("exp", start.Add(30*24*time.Hour).UnixMilli()).String()
	keys, err := wellknown.NewResolver(wellknown.Config{Now: w.now, InsecureTransport: roundTripper(w.answer)})
	if err != nil {
		t.Fatal(err)
	}
	w.verifier, err = assertion.NewVerifier(assertion.Config{
		Keys: keys, Now: w.now, Fallback: "fallback.example", TrustedIssuers: []string{"trusted.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) now() time.Time { return start.Add(time.Duration(w.clock.Load())) }

func (w *world) idp(name string) *idptest.IdP {
	if strings.HasSuffix(name, "evil.example") {
		return idptest.New(name, idptest.Key("RS256-2047")).At(start)
	}
	return idptest.New(name).At(start)
}

func (w *world) provider(name string) { w.sites[name] = string(w.idp(name).Document().JSON()) }

// answer is the network: a fallback answers for every domain, hosts below
// hosting.example delegate, and those below evil.example are the attacker's.
func (w *world) answer(q *http.Request) (*http.Response, error) {
	host := q.URL.Host
	w.mu.Lock()
	w.fetches[host]++
	document, ok := w.sites[host]
	w.mu.Unlock()
	switch {
	case w.down.Load():
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case ok:
		return reply(document, 24*time.Hour), nil
	case strings.HasSuffix(host, ".hosting.example"):
		return reply(`{"authority":"big.example"}`, time.Hour), nil
	case strings.HasSuffix(host, ".evil.example"):
		return reply(w.evil, time.Hour), nil
	}
	return nil, &net.DNSError{IsNotFound: true}
}

// verify presents a certificate for an address of domain.
func (w *world) verify(certificate string) error {
	_, err := w.verifier.Verify(w.t.Context(), certificate+"~"+w.user, audience)
	return err
}

func (w *world) certificate(issuer, domain string) string {
	return w.idp(issuer).Certificate("alice@"+domain, idptest.Key("RS128").Public()).
		With("exp", start.Add(30*24*time.Hour).UnixMilli()).String()
}

// forge is a certificate that its issuer did not sign.
func (w *world) forge(issuer, domain string) string {
	signed := w.certificateTemplate(issuer, domain)
	return signed + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 256))
}

func (w *world) certificateTemplate(issuer, domain string) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"iss":%q,"exp":%d,"public-key":%s,"principal":{"email":"alice@%s"}}`,
		issuer, start.Add(30*24*time.Hour).UnixMilli(), userKey(), domain)
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims))
}

var userKey = sync.OnceValue(func() string { return string(idptest.Legacy(idptest.Key("RS128").Public()).JSON()) })

// TestHostileAssertions has attackers without a domain, and one with a domain, a
// wildcard record, and good certificates. After all of it each provider known
// before is held, and no honest host was asked more often than the limits say.
func TestHostileAssertions(t *testing.T) {
	t.Run("one after the other", func(t *testing.T) { testHostile(t, newWorld(t), hostile/10, 1) })
	t.Run("concurrent", func(t *testing.T) { testHostile(t, newWorld(t), hostile, 64) })
}

func testHostile(t *testing.T, w *world, attempts, together int) {
	const providers, users = 50, 200
	for i := range providers {
		name := fmt.Sprintf("idp%d.example", i)
		w.provider(name)
		if err := w.verify(w.certificate(name, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range users {
		if err := w.verify(w.certificate("fallback.example", fmt.Sprintf("user%d.example", i))); err != nil {
			t.Fatal(err)
		}
	}
	before := w.count()
	w.attack(attempts, together)
	elapsed := w.now().Sub(start)
	for host, n := range w.count() {
		// Documented: 64 at once and one a second.
		most := 64 + int(elapsed/time.Second) + 1
		if !w.hostile(host) && n-before[host] > most {
			t.Errorf("%d fetches from %s in %v, more than %d", n-before[host], host, elapsed, most)
		}
	}
	w.down.Store(true)
	for i := range providers {
		name := fmt.Sprintf("idp%d.example", i)
		if err := w.verify(w.certificate(name, name)); err != nil {
			t.Errorf("%s is not held: %v", name, err)
		}
		if err := w.verify(w.certificate("fallback.example", name)); !errors.Is(err, assertion.ErrIssuer) {
			t.Errorf("the fallback speaks for %s: %v", name, err)
		}
	}
}

// attack sends the assertions, a hundredth of a second after one another.
func (w *world) attack(attempts, together int) {
	var next atomic.Int64
	var senders sync.WaitGroup
	for range together {
		senders.Go(func() {
			for i := int(next.Add(1)); i <= attempts; i = int(next.Add(1)) {
				w.clock.Add(int64(10 * time.Millisecond))
				if err := w.verify(w.attempt(i)); err == nil && i%50 != 0 {
					w.t.Errorf("attempt %d passed", i)
				}
			}
		})
	}
	senders.Wait()
}

// attempt is one of the attackers' certificates.
func (w *world) attempt(i int) string {
	switch {
	case i%50 == 0:
		name := fmt.Sprintf("n%d.evil.example", i)
		return w.certificate(name, name)
	case i%4 == 0:
		return w.forge("fallback.example", fmt.Sprintf("n%d.garbage%d.example", i, i))
	case i%4 == 1:
		return w.forge("trusted.example", fmt.Sprintf("garbage%d.example", i))
	case i%4 == 2:
		return w.forge("big.example", fmt.Sprintf("n%d.hosting.example", i))
	}
	return w.forge("fallback.example", fmt.Sprintf("n%d.idp%d.example", i, i%50))
}

func (w *world) hostile(host string) bool {
	return strings.Contains(host, "garbage") || strings.HasSuffix(host, ".evil.example") || strings.HasPrefix(host, "n")
}

func (w *world) count() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := make(map[string]int, len(w.fetches))
	for host, fetches := range w.fetches {
		n[host] = fetches
	}
	return n
}

// TestHonestAmongForgers has many users of different email domains, and as many
// forgers, arrive at once at a fallback of which nothing is held.
func TestHonestAmongForgers(t *testing.T) {
	w := newWorld(t)
	const users = 300
	certificates := make([]string, 2*users)
	for i := range users {
		certificates[2*i] = w.certificate("fallback.example", emailDomain(i))
		certificates[2*i+1] = w.forge("fallback.example", emailDomain(users+i))
	}
	var all sync.WaitGroup
	for i, c := range certificates {
		all.Go(func() {
			if err := w.verify(c); (err == nil) != (i%2 == 0) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	if n := w.count()["fallback.example"]; n > 1+users+64 {
		t.Errorf("%d fetches from the fallback", n)
	}
}

func emailDomain(i int) string { return fmt.Sprintf("user%d.example", i) }
