package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// site serves a page with a strict policy that loads include.js and runs a script. The
// script can add a text to the page with say(…).
func site(t *testing.T, idp, script string, headers ...string) string {
	return serve(t, siteHandler(idp, script, headers...))
}

func siteHandler(idp, script string, headers ...string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+idp+"; connect-src 'self'; img-src data:; frame-src *; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		fmt.Fprintf(w, `<!DOCTYPE html><title>site</title><link rel="icon" href="data:,"><button id="in">Sign in</button><button id="out">Sign out</button>
<ol id="said"></ol><script src="%s/include.js"></script><script src="/site.js"></script>`, idp)
	})
	mux.HandleFunc("/site.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		fmt.Fprintf(w, `'use strict';
const say = text => { const li = document.createElement('li'); li.textContent = text; said.append(li); };
const on = (id, act) => document.getElementById(id).addEventListener('click', act);
%s`, script)
	})
	return mux
}

// watchScript is the script of most sites: it calls watch. The fragment of the URL is the user who is signed in.
const watchScript = `
const user = location.hash ? decodeURIComponent(location.hash.slice(1)) : null;
navigator.id.watch({
  loggedInUser: user,
  onlogin: assertion => { window.assertion = assertion; say('login'); },
  onlogout: () => say('logout'),
  onmatch: () => say('match'),
  onready: () => say('ready'),
});
on('in', () => navigator.id.request({siteName: window.siteName ?? 'The Shop', oncancel: reason => say(reason)}));
on('out', () => navigator.id.logout());
`

// verify verifies an assertion as a relying party that has the provider's keys.
func verify(t *testing.T, p *devidp.Provider, text, audience string) *assertion.Result {
	t.Helper()
	documents, err := wellknown.ParseStatic(p.KeysBundle())
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: documents})
	if err != nil {
		t.Fatal(err)
	}
	result, err := v.Verify(t.Context(), text, audience)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// makeAssertion returns a backed assertion that is made without a browser.
func makeAssertion(p *devidp.Provider, email, audience string) (string, error) {
	key, err := keys.Generate(keys.DS128)
	if err != nil {
		return "", err
	}
	certificate, err := p.Certify(email, key.Public(), 10*time.Minute)
	if err != nil {
		return "", err
	}
	return assertion.Sign(assertion.Template{Audience: audience, Expires: time.Now().Add(time.Minute)}, key, certificate)
}

// certifyRequest returns the body of a request for a certificate, as the dialog sends
// it.
func certifyRequest(t *testing.T) string {
	t.Helper()
	key, err := keys.Generate(keys.DS128)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"email": "ada@idp.localhost", "public-key": key.Public(), "duration": 600})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
