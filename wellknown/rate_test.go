package wellknown_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

// TestRates checks the documented rates: a lookup over a limit is ErrUnavailable at once
// and not cached, and other hosts are not affected.
func TestRates(t *testing.T) {
	apex := func(i int) (string, string) { return "idp.example", emailDomain(i) }
	below := func(i int) (string, string) { return "login.idp.example", emailDomain(i) }
	names := func(i int) (string, string) { n := fmt.Sprintf("n%d.idp.example", i); return n, n }
	for name, c := range map[string]struct {
		of       func(int) (host, domain string)
		verifies bool
		burst    int
		refill   int // in 8 s
	}{
		"one host":               {apex, false, 64, 8},
		"one host below":         {below, false, 64, 8},
		"verified":               {apex, true, 1024, 256},
		"names below one domain": {names, false, 512, 32},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestResolver(t)
			s.answer = answers(200, document(1))
			host, _ := c.of(0)
			if c.verifies {
				lookUp(t, s.Resolver, host) // it takes a token of verifiedRate
			}
			for range 2 {
				answered := s.ask(t, c.verifies, c.of, 0, 2000)
				if c.verifies {
					answered++
				}
				if answered != c.burst {
					t.Errorf("%d answered of 2000, want %d", answered, c.burst)
				}
				s.now = s.now.Add(8 * time.Second)
				if answered := s.ask(t, c.verifies, c.of, 2000, 4000); answered != c.refill {
					t.Errorf("%d answered 8 s later, want %d", answered, c.refill)
				}
				for _, other := range []string{"idp.example", "other.example"} {
					if _, err := lookUp(t, s.Resolver, other); err != nil {
						t.Errorf("%s: %v", other, err)
					}
				}
				if _, bad, _, _ := s.CacheSize(); bad != 0 {
					t.Errorf("%d cached", bad)
				}
				s = newTestResolver(t) // the same again with a new resolver
				s.answer = answers(200, document(1))
				if c.verifies {
					lookUp(t, s.Resolver, host)
				}
			}
		})
	}
}

// ask looks up the questions from number from up to to, and returns how many were answered.
func (s *testResolver) ask(t *testing.T, verifies bool, of func(int) (string, string), from, to int) (answered int) {
	t.Helper()
	for i := from; i < to; i++ {
		host, domain := of(i)
		a, err := s.AuthorityFor(t.Context(), host, domain, check(verifies))
		if err == nil {
			answered++
		} else if row(t, a, err) != row4 {
			t.Error(err)
		}
	}
	return answered
}

// TestIssuerRates checks the limits of lookups of the fallback for certificates of other
// issuers: 64 at once for those that no cached key verifies, 64 more for each registrable
// domain whose keys verify them, and 1024 more for all.
func TestIssuerRates(t *testing.T) {
	for name, c := range map[string]struct {
		issuer   func(int) string
		verifies bool
		burst    int
	}{
		"forged":      {func(i int) string { return fmt.Sprintf("issuer%d.example", i) }, false, 64},
		"one issuer":  {func(int) string { return "issuer.example" }, true, 128},
		"one domain":  {func(i int) string { return fmt.Sprintf("n%d.issuer.example", i%10) }, true, 128},
		"many":        {func(i int) string { return fmt.Sprintf("issuer%d.example", i%20) }, true, 64 + 1024},
		"no document": {func(int) string { return emailDomain(-1) }, true, 64},
		"no domain":   {func(int) string { return "a..b" }, true, 64},
	} {
		t.Run(name, func(t *testing.T) {
			var ofFallback, ofIssuers int
			r := resolver(t, wellknown.Config{Now: func() time.Time { return start }, InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
				switch q.URL.Host {
				case "fallback.example":
					ofFallback++
				case emailDomain(-1):
					return reply(404, "")
				default:
					ofIssuers++
				}
				return reply(200, document(1))
			})})
			answered := 0
			for i := range 2000 {
				check := check(c.verifies)
				check.Issuer = c.issuer(i)
				a, err := r.AuthorityFor(t.Context(), "fallback.example", emailDomain(i), check)
				if err == nil {
					answered++
				} else if row(t, a, err) != row4 {
					t.Error(err)
				}
			}
			if answered != c.burst || ofFallback != c.burst {
				t.Errorf("%d answered of 2000 by %d fetches, want %d", answered, ofFallback, c.burst)
			}
			if c.verifies && ofIssuers > 20 {
				t.Errorf("%d fetches from issuers", ofIssuers)
			}
		})
	}
}

// TestRateBuckets checks that the number of buckets is limited, and that an empty bucket is
// kept while many other hosts are looked up.
func TestRateBuckets(t *testing.T) {
	var fetches int
	r := resolver(t, wellknown.Config{Now: func() time.Time { return start }, InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
		if q.URL.Host == host {
			fetches++
		}
		return reply(404, "")
	})})
	ask := func(from, to int) {
		for i := from; i < to; i++ {
			r.Authority(t.Context(), host, emailDomain(i))
		}
	}
	ask(0, 100)
	for i := range 30_000 {
		lookUp(t, r, fmt.Sprintf("host%d.example", i))
	}
	ask(100, 200)
	if fetches != 64 {
		t.Errorf("%d fetches", fetches)
	}
	if n := wellknown.Buckets(r); n > 8192 {
		t.Errorf("%d buckets kept", n)
	}
}

// TestRateClockSetBack checks that a clock that is set back delays lookups no longer than an
// empty bucket does.
func TestRateClockSetBack(t *testing.T) {
	s := newTestResolver(t)
	s.answer = answers(200, document(1))
	of := func(i int) (string, string) { return host, emailDomain(i) }
	s.ask(t, false, of, 0, 100)
	s.now = s.now.Add(-24 * time.Hour)
	s.ask(t, false, of, 100, 101)
	s.now = s.now.Add(2 * time.Second)
	if n := s.ask(t, false, of, 200, 300); n == 0 {
		t.Error("none answered")
	}
}
