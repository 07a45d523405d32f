package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/issuer"
)

// TestEVPSignIn signs in with a token, on a page with a Content-Security-Policy, which makes the
// browser empty the nonce. The script of the package restores it.
func TestEVPSignIn(t *testing.T) {
	for name, s := range map[string]*evpSite{
		"policy":      {policy: strictPolicy},
		"report-only": {reportOnly: strictPolicy},
		"no policy":   {noScript: true},
	} {
		t.Run(name, func(t *testing.T) {
			world := newWorld(t)
			world.newIssuer(issuer.Ed25519, world.account("alice"))
			world.newEVPSite(s)
			w := world.visit()
			w.fill(world.at("alice"))
			w.submit()
			w.seeSignedIn(world.at("alice"))
			s.check(t, world, world.at("alice"))
			w.reload() // the session lasts
			w.seeSignedIn(world.at("alice"))
			for _, c := range w.cookies() {
				if !strings.HasPrefix(c.Name, "__Host-login") || !c.HTTPOnly || !c.Secure || c.SameSite != network.CookieSameSiteLax {
					t.Errorf("cookie: %+v", c)
				}
			}
			w.clickText("button", "Sign out")
			w.see("button", "Sign in")
		})
	}
}

// TestEVPWithoutScript leaves the script out of pages with a policy. The browser sends no
// token, and the visitor gets a code.
func TestEVPWithoutScript(t *testing.T) {
	for name, s := range map[string]*evpSite{
		"policy":      {policy: strictPolicy, noScript: true},
		"report-only": {reportOnly: strictPolicy, noScript: true},
	} {
		t.Run(name, func(t *testing.T) {
			world := newWorld(t)
			world.newIssuer(issuer.Ed25519, world.account("alice"))
			world.newEVPSite(s)
			w := world.visit()
			w.typeAddress(world.at("alice"))
			w.submit()
			w.seeCode(world.at("alice"))
		})
	}
}

// TestEVPAlgorithms gets tokens of issuers with each algorithm. Those without a kid, or with
// an empty one, are issued as Gmail does it.
func TestEVPAlgorithms(t *testing.T) {
	for _, alg := range []string{issuer.Ed25519, issuer.EdDSA, issuer.ES256, issuer.RS256} {
		for name, serve := range map[string]func(*evpWorld){
			"present": func(w *evpWorld) { w.newIssuer(alg, w.account("alice")) },
			"empty":   func(w *evpWorld) { w.newPlainIssuer(alg, "", w.at("alice")) },
			"absent":  func(w *evpWorld) { w.newPlainIssuer(alg, nil, w.at("alice")) },
		} {
			t.Run(alg+", kid "+name, func(t *testing.T) {
				world := newWorld(t)
				serve(world)
				s := world.newEVPSite(&evpSite{policy: strictPolicy})
				w := world.visit()
				w.fill(world.at("alice"))
				w.submit()
				w.seeSignedIn(world.at("alice"))
				s.check(t, world, world.at("alice"))
			})
		}
	}
}

// TestEVPPrivate signs in with an address that the issuer has made for one site.
func TestEVPPrivate(t *testing.T) {
	world := newWorld(t)
	world.newIssuer(issuer.Ed25519, issuer.Account{Email: world.at("x7f3"), Private: true})
	s := world.newEVPSite(&evpSite{policy: strictPolicy})
	w := world.visit()
	w.fill(world.at("x7f3"))
	w.submit()
	w.seeSignedIn(world.at("x7f3"))
	if res, _ := s.last(); res == nil || string(res.IDPClaims["is_private_email"]) != "true" {
		t.Errorf("%+v", res)
	}
}

// TestEVPTwice submits a form twice. The browser posts the same token, which is refused.
func TestEVPTwice(t *testing.T) {
	world := newWorld(t)
	world.newIssuer(issuer.Ed25519, world.account("alice"))
	s := world.newEVPSite(&evpSite{policy: strictPolicy})
	w := world.visit()
	w.fill(world.at("alice"))
	eval[any](w.tab, `void document.forms[0].addEventListener('submit', event => {
		event.preventDefault();
		const form = new URLSearchParams(new FormData(event.target));
		window.answer = fetch(event.target.action, {method: 'POST', headers: {Accept: 'text/html'}, body: form}).then(r => r.text());
	})`)
	for _, want := range []string{"You are " + world.at("alice"), "The code for " + world.at("alice")} {
		w.submit()
		if got := eval[string](w.tab, "window.answer"); !strings.Contains(got, want) {
			t.Errorf("no %q: %s", want, got)
		}
	}
	if _, err := s.last(); !errors.Is(err, assertion.ErrRejected) {
		t.Errorf("the second one: %v", err)
	}
}

// TestEVPTabs opens the page in two tabs before either is submitted.
func TestEVPTabs(t *testing.T) {
	world := newWorld(t)
	world.newIssuer(issuer.Ed25519, world.account("alice"), world.account("bob"))
	s := world.newEVPSite(&evpSite{policy: strictPolicy})
	first := world.visit()
	second := world.watch(first.newWindow())
	second.open(world.origin() + "/")
	second.fill(world.at("bob"))
	first.front()
	first.fill(world.at("alice"))
	first.submit()
	first.seeSignedIn(world.at("alice"))
	second.front()
	second.submit()
	second.seeSignedIn(world.at("bob"))
	s.check(t, world, world.at("alice"))
	s.check(t, world, world.at("bob"))
}

// TestEVPNoToken checks that the page works, by a code, when the browser has no token.
func TestEVPNoToken(t *testing.T) {
	for name, c := range map[string]struct {
		user   string
		change func(*evpWorld, *evpTab)
		reason string
	}{
		"wrong account": {"bob", func(*evpWorld, *evpTab) {}, "UserLoggedOut"},
		"logged out":    {"alice", func(world *evpWorld, w *evpTab) { w.open("https://" + world.issuer + "/logout") }, "UserLoggedOut"},
		"no session": {"alice", func(world *evpWorld, w *evpTab) {
			call(w.tab, network.ClearBrowserCookies, cdp.Empty{})
		}, "AccountsNoResponse"},
		"issuer gone": {"alice", func(world *evpWorld, _ *evpTab) { world.hosts.Delete(world.issuer) }, "EmailVerificationWellKnownNoResponse"},
		"issuer down": {"alice", func(world *evpWorld, _ *evpTab) {
			world.serve(world.issuer, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		}, "EmailVerificationWellKnownNoResponse"},
	} {
		t.Run(name, func(t *testing.T) {
			world := newWorld(t)
			world.newIssuer(issuer.Ed25519, world.account("alice"))
			s := world.newEVPSite(&evpSite{policy: strictPolicy})
			w := world.newEVPTab()
			w.logIn()
			c.change(world, w)
			w.open(world.origin() + "/")
			if reason := w.noToken(world.at(c.user)); reason != c.reason {
				t.Errorf("the browser says %s, want %s", reason, c.reason)
			}
			w.submit()
			w.seeCode(world.at(c.user))
			if _, err := s.last(); !errors.Is(err, evp.ErrNoToken) {
				t.Errorf("a token: %v", err)
			}
			w.enter("input[name=code]", s.code(world.at(c.user)))
			w.submit()
			w.seeSignedIn(world.at(c.user))
		})
	}
}

// TestEVPNoRecord types an address whose domain has no issuer. The browser says nothing then.
func TestEVPNoRecord(t *testing.T) {
	world := newWorld(t)
	world.newEVPSite(&evpSite{policy: strictPolicy})
	w := world.newEVPTab()
	w.open(world.origin() + "/")
	w.typeAddress("alice@no-" + world.mail)
	w.submit()
	w.seeCode("alice@no-" + world.mail)
}

// TestEVPIssuerDownLater stops the issuer after the browser has its token, before the site has
// the keys. That is undecided, and the visitor gets a code.
func TestEVPIssuerDownLater(t *testing.T) {
	world := newWorld(t)
	world.newIssuer(issuer.Ed25519, world.account("alice"))
	s := world.newEVPSite(&evpSite{policy: strictPolicy})
	w := world.visit()
	w.fill(world.at("alice"))
	world.serve(world.issuer, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	w.submit()
	w.seeCode(world.at("alice"))
	if _, err := s.last(); !errors.Is(err, assertion.ErrUndecided) {
		t.Errorf("%v", err)
	}
}

// TestEVPSetLogin signs out at the issuer and in again.
func TestEVPSetLogin(t *testing.T) {
	world := newWorld(t)
	world.newIssuer(issuer.Ed25519, world.account("alice"), world.account("bob"))
	world.newEVPSite(&evpSite{policy: strictPolicy})
	w := world.newEVPTab()
	w.logIn()
	w.open("https://" + world.issuer + "/logout")
	w.open(world.origin() + "/")
	w.noToken(world.at("alice"))
	w.logIn()
	again := world.watch(w.newWindow())
	again.open(world.origin() + "/")
	again.fill(world.at("bob")) // after three failures the browser would not ask for the same address
	again.submit()
	again.seeSignedIn(world.at("bob"))
}

// TestEVPEarly submits the form before the issuer has answered.
func TestEVPEarly(t *testing.T) {
	world := newWorld(t)
	i := world.newIssuer(issuer.Ed25519, world.account("alice"))
	posted := make(chan struct{})
	mux := http.NewServeMux()
	addSession(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			world.note()
			<-posted
		}
		i.ServeHTTP(w, r)
	})
	world.serveIssuer(mux)
	world.newEVPSite(&evpSite{policy: strictPolicy})
	w := world.visit()
	w.ask(world.at("alice"))
	w.submit()
	w.seeCode(world.at("alice"))
	close(posted)
}
