package wellknown_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// stalled returns the names of 400 hosts that stall.
var stalled = map[string]func(int) string{
	"of 400 domains": func(i int) string { return fmt.Sprintf("slow%d.example", i) },
	"of one domain":  func(i int) string { return fmt.Sprintf("slow%d.evil.example", i) },
}

// stall makes 400 known hosts stall, and looks them up.
func stall(t *testing.T, c *callers, tn *timedNetwork, name func(int) string) {
	for i := range 400 {
		if _, err := lookUp(t, c.r, name(i)); err != nil {
			t.Fatal(err)
		}
		tn.set(name(i), time.Hour)
	}
	lookUp(t, c.r, host)
	time.Sleep(2 * time.Minute)
	stallAgain(t, c, name)
}

func stallAgain(t *testing.T, c *callers, name func(int) string) {
	for i := range 400 {
		c.running.Go(func() { c.r.Authority(t.Context(), name(i), name(i)) })
	}
	synctest.Wait()
}

// TestStallingHosts checks that 400 hosts that answered once and now stall delay neither a
// known host nor an unknown one.
func TestStallingHosts(t *testing.T) {
	for kind, name := range stalled {
		t.Run(kind, func(t *testing.T) {
			bubble(t, 128, make(map[string]time.Duration), func(t *testing.T, c *callers, tn *timedNetwork) {
				stall(t, c, tn, name)
				for range 4 {
					begin := time.Now()
					if _, err := lookUp(t, c.r, host); err != nil || time.Since(begin) > time.Second {
						t.Errorf("known: %v after %v", err, time.Since(begin))
					}
				}
				begin := time.Now()
				if _, err := lookUp(t, c.r, "unknown.example"); err != nil || time.Since(begin) != 0 {
					t.Errorf("unknown: %v after %v", err, time.Since(begin))
				}
				// Hosts that did not answer last time share a quarter of the slots.
				for range 5 { // until each has had a slot
					time.Sleep(time.Minute)
					tn.reset()
					stallAgain(t, c, name)
				}
				if tn.peak() > 128/4 {
					t.Errorf("%d slots for hosts that did not answer last time", tn.peak())
				}
				begin = time.Now()
				if a, err := c.r.Refresh(t.Context(), host, host); err != nil || a.Fetched != begin {
					t.Errorf("newer keys of the known: %v after %v", err, time.Since(begin))
				}
			})
		})
	}
}

// TestStallingHostsFewSlots is TestStallingHosts with few slots.
func TestStallingHostsFewSlots(t *testing.T) {
	for _, most := range []int{2, 4} {
		bubble(t, most, make(map[string]time.Duration), func(t *testing.T, c *callers, tn *timedNetwork) {
			stall(t, c, tn, stalled["of 400 domains"])
			for name, longest := range map[string]time.Duration{host: time.Second, "unknown.example": 0} {
				begin := time.Now()
				if _, err := lookUp(t, c.r, name); err != nil || time.Since(begin) > longest {
					t.Errorf("%d slots, %s: %v after %v", most, name, err, time.Since(begin))
				}
			}
		})
	}
}

// TestReservedSlots checks that unknown hosts leave slots to known ones.
func TestReservedSlots(t *testing.T) {
	delays := make(map[string]time.Duration)
	for i := range 100 {
		delays[fmt.Sprintf("slow%d.example", i)] = time.Hour
	}
	bubble(t, 16, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		lookUp(t, c.r, host)
		time.Sleep(2 * time.Minute)
		for i := range 100 {
			name := fmt.Sprintf("slow%d.example", i)
			c.running.Go(func() { c.r.Authority(t.Context(), name, name) })
		}
		synctest.Wait()
		begin := time.Now()
		if a, err := lookUp(t, c.r, host); err != nil || a.Fetched != begin || time.Since(begin) != 0 {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// TestDomainSlots checks that the hosts of one registrable domain have at most a 16th of
// the slots.
func TestDomainSlots(t *testing.T) {
	delays := make(map[string]time.Duration)
	for i := range 40 {
		delays[fmt.Sprintf("n%d.evil.example", i)] = time.Second
	}
	bubble(t, 32, delays, func(t *testing.T, c *callers, tn *timedNetwork) {
		for name := range delays {
			c.running.Go(func() { c.r.Authority(t.Context(), name, name) })
		}
		c.running.Wait()
		if tn.peak() != 2 {
			t.Errorf("%d at once", tn.peak())
		}
	})
}

// TestFirstInFirstOut checks the order in two of the queues.
func TestFirstInFirstOut(t *testing.T) {
	const n = 5
	name := func(kind string, i int) string { return fmt.Sprintf("%s%d.example", kind, i) }
	bubble(t, 1, map[string]time.Duration{"slow.example": 4 * time.Second}, func(t *testing.T, c *callers, tn *timedNetwork) {
		for i := range n {
			lookUp(t, c.r, name("known", i))
		}
		time.Sleep(2 * time.Minute)
		tn.reset()
		c.ask(t.Context(), "slow.example", nil)
		want := []string{"slow.example"}
		for i := range n {
			c.ask(t.Context(), name("unknown", i), nil)
			c.ask(t.Context(), name("known", i), nil)
		}
		for _, kind := range []string{"known", "unknown"} {
			for i := range n {
				want = append(want, name(kind, i))
			}
		}
		c.running.Wait()
		if asked := tn.askedHosts(); !slices.Equal(asked, want) {
			t.Errorf("asked %v, want %v", asked, want)
		}
	})
}

// check returns a signature check whose result is verifies if there are keys.
func check(verifies bool) *wellknown.SignatureCheck {
	return &wellknown.SignatureCheck{
		Verifies: func(cached []keys.PublicKey) bool { return verifies && len(cached) > 0 },
		Fallback: "fallback.example",
	}
}

func emailDomain(i int) string { return fmt.Sprintf("user%d.example", i) }

// TestOrderBySignature checks that certificates that cached keys verify go first, for other
// email domains than the host's and for the host's own.
func TestOrderBySignature(t *testing.T) {
	for name, of := range map[string]func(i int) (host, domain string){
		"other email domains":     func(i int) (string, string) { return fmt.Sprintf("idp%d.example", i), "user.example" },
		"domain of the emails":    func(i int) (string, string) { return emailDomain(i), emailDomain(i) },
		"same host, many domains": func(i int) (string, string) { return "fallback.example", emailDomain(i) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 1, map[string]time.Duration{"slow.example": time.Second}, func(t *testing.T, c *callers, tn *timedNetwork) {
				lookUp(t, c.r, "fallback.example")
				for i := range 4 {
					if name := fmt.Sprintf("idp%d.example", i); name == first(of(i)) {
						lookUp(t, c.r, name)
					}
				}
				tn.reset()
				c.ask(t.Context(), "slow.example", nil)
				for i := range 4 {
					c.running.Go(func() {
						host, domain := of(i)
						if _, err := c.r.AuthorityFor(t.Context(), host, domain, check(i >= 2)); err != nil {
							t.Error(err)
						}
					})
					time.Sleep(time.Millisecond)
				}
				c.running.Wait()
				var want []string
				for _, i := range []int{2, 3, 0, 1} {
					host, domain := of(i)
					want = append(want, host+" "+domain)
				}
				if got := tn.queries()[1:]; !slices.Equal(got, want) {
					t.Errorf("asked %v, want %v", got, want)
				}
			})
		})
	}
}

func first(host, _ string) string { return host }

// bridgedNetwork is a network on which fallback.example delegates the emails of the user
// domains with an even number to bridge.example.
func bridgedNetwork() *timedNetwork {
	return &timedNetwork{answer: func(q *http.Request) (*http.Response, error) {
		name, emailDomain := q.URL.Host, q.URL.Query().Get("domain")
		var i int
		switch n, _ := fmt.Sscanf(emailDomain, "user%d.example", &i); {
		case name == emailDomain && n == 1:
			return reply(404, "", "Cache-Control", "max-age=60")
		case name == "fallback.example" && n == 1 && i%2 == 0:
			return reply(200, delegation("bridge.example"), "Cache-Control", "max-age=3600")
		}
		return reply(200, document(int64(len(name))), "Cache-Control", "max-age=3600")
	}, delays: map[string]time.Duration{"slow.example": time.Second}}
}

// TestOrderByDelegateOfFallback checks that the keys of a host to which the fallback
// delegates give priority to lookups for the emails that are delegated to it, and to no
// others.
func TestOrderByDelegateOfFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tn := bridgedNetwork()
		c := &callers{t: t, r: resolver(t, wellknown.Config{MaxFetches: 1, InsecureTransport: tn})}
		ask := func(issuer string, i int) {
			check := check(true)
			check.Issuer = issuer
			for _, asked := range []string{emailDomain(i), "fallback.example"} {
				a, err := c.r.AuthorityFor(t.Context(), asked, emailDomain(i), check)
				row(t, a, err)
			}
		}
		for i := range 4 {
			ask("fallback.example", i) // all documents of the fallback and the bridge are cached
		}
		time.Sleep(2 * time.Minute) // the documents of the user domains have expired
		tn.reset()
		c.ask(t.Context(), "slow.example", nil)
		order := []struct {
			issuer string
			i      int
		}{
			{"fallback.example", 0}, // does not speak for the domain
			{"evil.example", 1},
			{"bridge.example", 1}, // nor does this
			{"bridge.example", 2},
			{"fallback.example", 3},
		}
		for _, o := range order {
			c.running.Go(func() { ask(o.issuer, o.i) })
			time.Sleep(time.Millisecond)
		}
		c.running.Wait()
		own := func(i int) string { return emailDomain(i) + " " + emailDomain(i) }
		// user1.example is asked once, for two callers.
		want := []string{own(2), own(3), own(0), own(1)}
		if got := tn.queries()[1:]; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
	})
}

// TestFallbackBesideForgers checks that names below the registrable domain of the fallback,
// and of the host to which it delegates, do not use up the fetches of these two: the sender
// of a certificate does not choose them.
func TestFallbackBesideForgers(t *testing.T) {
	const fallback, bridge = "login.fallback.example", "bridge.fallback.example"
	now := time.Now()
	r := resolver(t, wellknown.Config{Now: func() time.Time { return now }, InsecureTransport: &timedNetwork{answer: func(q *http.Request) (*http.Response, error) {
		switch {
		case q.URL.Host != fallback && q.URL.Host != bridge:
			return reply(404, "")
		case q.URL.Host == fallback && q.URL.Query().Get("domain") == "bridged.example":
			return reply(200, delegation(bridge))
		}
		return reply(200, document(1))
	}}})
	check := func(issuer string) *wellknown.SignatureCheck {
		return &wellknown.SignatureCheck{Fallback: fallback, Issuer: issuer}
	}
	limited := 0
	for i := range 600 {
		name := fmt.Sprintf("n%d.fallback.example", i)
		if _, err := r.AuthorityFor(t.Context(), name, name, check(fallback)); errors.Is(err, wellknown.ErrUnavailable) {
			limited++
		}
	}
	if limited == 0 {
		t.Error("the names are not limited")
	}
	for emailDomain, want := range map[string]string{"user.example": fallback, "bridged.example": bridge} {
		a, err := r.AuthorityFor(t.Context(), fallback, emailDomain, check(want))
		if err != nil || a.Domain != want {
			t.Errorf("%s: %v, %v", emailDomain, a, err)
		}
	}
	if a, err := r.AuthorityFor(t.Context(), bridge, "other.example", check(bridge)); !errors.Is(err, wellknown.ErrUnavailable) {
		t.Errorf("another domain: %v, %v", a, err)
	}
}

// TestFallbackKeysNotTried checks that the fallback's keys are tried only for certificates
// that it issued: a caller tries only one list of keys.
func TestFallbackKeysNotTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := resolver(t, wellknown.Config{InsecureTransport: bridgedNetwork()})
		for _, name := range []string{"fallback.example", "bridge.example"} {
			if _, err := lookUp(t, r, name); err != nil {
				t.Fatal(err)
			}
		}
		for issuer, want := range map[string]int{"fallback.example": 2, "": 2, "bridge.example": 1} {
			tried := make(map[keys.PublicKey]bool) // the first key of each list
			check := &wellknown.SignatureCheck{Fallback: "fallback.example", Issuer: issuer, Verifies: func(cached []keys.PublicKey) bool {
				tried[cached[0]] = true
				return false
			}}
			i := 2 * len(issuer) // an email domain of which nothing is cached
			if _, err := r.AuthorityFor(t.Context(), "fallback.example", emailDomain(i), check); err != nil {
				t.Error(err)
			}
			if len(tried) != want {
				t.Errorf("issuer %q: tried %d lists of keys, want %d", issuer, len(tried), want)
			}
		}
	})
}

// TestPromotion checks that a queued fetch gets a better priority when it gets a caller
// whose certificate cached keys verify.
func TestPromotion(t *testing.T) {
	bubble(t, 1, map[string]time.Duration{"slow.example": time.Second}, func(t *testing.T, c *callers, tn *timedNetwork) {
		lookUp(t, c.r, host)
		tn.reset()
		c.ask(t.Context(), "slow.example", nil)
		for _, verifies := range []bool{false, false, false, true} {
			for i := range 3 {
				if verifies && i < 2 {
					continue
				}
				c.running.Go(func() {
					if _, err := c.r.AuthorityFor(t.Context(), host, emailDomain(i), check(verifies)); err != nil {
						t.Error(err)
					}
				})
				time.Sleep(time.Millisecond)
			}
		}
		c.running.Wait()
		want := []string{host + " " + emailDomain(2), host + " " + emailDomain(0), host + " " + emailDomain(1)}
		if got := tn.queries()[1:]; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
	})
}

// TestOrderIsNoAnswer checks that the answer for one email domain is not used for another,
// although cached keys verify the certificate.
func TestOrderIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		tn := &timedNetwork{document: func(string) string { return document(asked.Add(1)) }}
		r := resolver(t, wellknown.Config{InsecureTransport: tn})
		for i := range 3 {
			a, err := r.AuthorityFor(t.Context(), "fallback.example", emailDomain(i), check(true))
			if err != nil || asked.Load() != int64(i+1) || a.Authentication != "/auth" {
				t.Errorf("%v after %d fetches", err, asked.Load())
			}
		}
	})
}

// TestColdFallback checks lookups of a fallback that is not cached, for 300 users of
// different email domains and 300 forgers at once: one fetch is first, and then the
// certificates go first that its keys verify.
func TestColdFallback(t *testing.T) {
	bubble(t, 128, map[string]time.Duration{"fallback.example": 50 * time.Millisecond}, func(t *testing.T, c *callers, tn *timedNetwork) {
		var answered atomic.Int64
		for i := range 600 {
			c.running.Go(func() {
				honest := i%2 == 0
				a, err := c.r.AuthorityFor(t.Context(), "fallback.example", emailDomain(i), check(honest))
				if err == nil {
					answered.Add(1)
				} else if got := row(t, a, err); honest || got != row4 {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		if n := len(tn.askedHosts()); n != 1 {
			t.Errorf("%d fetches begun before the first brought keys", n)
		}
		c.running.Wait()
		if n := answered.Load(); n < 300 || n > 300+64 {
			t.Errorf("%d answered", n)
		}
	})
}

// TestColdHostFails checks that other fetches start if the first one brings no keys.
func TestColdHostFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		tn := &timedNetwork{document: func(string) string {
			if asked.Add(1) < 4 {
				return "{"
			}
			return document(1)
		}, delays: map[string]time.Duration{host: time.Second}}
		c := &callers{t: t, r: resolver(t, wellknown.Config{InsecureTransport: tn})}
		var answered atomic.Int64
		for i := range 20 {
			c.running.Go(func() {
				if _, err := c.r.AuthorityFor(t.Context(), host, emailDomain(i), check(true)); err == nil {
					answered.Add(1)
				}
			})
		}
		c.running.Wait()
		if answered.Load() != 17 {
			t.Errorf("%d answered", answered.Load())
		}
	})
}

// TestHooksSignatureCheck checks that the signature check is called before Wait, and
// again after Waited if the first fetch of the host brought keys.
func TestHooksSignatureCheck(t *testing.T) {
	bubble(t, 128, map[string]time.Duration{"fallback.example": time.Second}, func(t *testing.T, c *callers, tn *timedNetwork) {
		c.running.Go(func() { c.r.Authority(t.Context(), "fallback.example", "a.example") })
		synctest.Wait()
		n := new(hookLog)
		ctx := wellknown.WithHooks(t.Context(), n.hooks())
		check := &wellknown.SignatureCheck{Verifies: func([]keys.PublicKey) bool {
			n.calls = append(n.calls, "check")
			return true
		}}
		for range 2 {
			if _, err := c.r.AuthorityFor(ctx, "fallback.example", "b.example", check); err != nil {
				t.Error(err)
			}
		}
		if got := strings.Join(n.calls, " "); got != "wait waited check wait waited fetched-ok check cached-ok" && got != "wait waited check wait waited fetched-ok cached-ok" {
			t.Error(got)
		}
	})
}
