package evptest_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/evp/issuer"
)

// newIssuer returns an issuer of package evp/issuer. The cookie session=alice controls
// the address.
func newIssuer(t *testing.T, alg string) http.Handler {
	t.Helper()
	keys, err := issuer.GenerateKeys(alg)
	if err != nil {
		t.Fatal(err)
	}
	i, err := issuer.New(issuer.Config{
		Issuer: "https://" + evptest.DefaultHost, Keys: keys, LoginURL: "/login", IssuancePath: "/issue",
		Now: func() time.Time { return now },
		Accounts: func(r *http.Request) ([]issuer.Account, error) {
			if _, err := r.Cookie("session"); err != nil {
				return nil, nil
			}
			return []issuer.Account{{ID: "1", Email: email}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// issue returns the status and the token of an issuer's answer.
func issue(t *testing.T, i http.Handler, r *http.Request) (status int, evt string) {
	t.Helper()
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	var answer struct {
		Token string `json:"issuance_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return w.Code, answer.Token
}

// TestIssuance checks that a pretended browser gets a token from a real issuer, and that
// a verifier accepts it from the same issuer, in memory.
func TestIssuance(t *testing.T) {
	for _, alg := range algorithms {
		for _, holder := range algorithms {
			i, browser := newIssuer(t, alg), evptest.TestKey(holder+"-2")
			r := browser.IssuanceRequest("https://"+evptest.DefaultHost+"/issue", email, now)
			r.AddCookie(&http.Cookie{Name: "session", Value: "alice"})
			status, evt := issue(t, i, r)
			if status != http.StatusOK {
				t.Errorf("%s, %s: %d", alg, holder, status)
				continue
			}
			request := request
			request.At = now
			world := evptest.New().At(now)
			world.SetHandler(evptest.DefaultHost, i)
			if _, err := verify(t, world, evp.Default, browser.Bind(evt, request)); err != nil {
				t.Errorf("%s, %s: %v", alg, holder, err)
			}
			_, err := verify(t, world, evp.Default, evptest.TestKey(holder).Bind(evt, request))
			if !errors.Is(err, assertion.ErrSignature) {
				t.Errorf("%s, %s: bound by another key: %v", alg, holder, err)
			}
		}
	}
}

// TestIssuanceWithoutSession checks that the issuer's answer reaches the test.
func TestIssuanceWithoutSession(t *testing.T) {
	r := evptest.TestKey("Ed25519-2").IssuanceRequest("https://"+evptest.DefaultHost+"/issue", email, now)
	if status, _ := issue(t, newIssuer(t, "Ed25519"), r); status != http.StatusUnauthorized {
		t.Error(status)
	}
}

// TestBrowserAsksTheIssuer checks that a browser gets its token from a real issuer, if its
// session controls the address.
func TestBrowserAsksTheIssuer(t *testing.T) {
	world := evptest.New().At(now)
	world.SetHandler(evptest.DefaultHost, newIssuer(t, "ES256"))
	browser := evptest.NewBrowser(world, site(page), origin)
	for _, session := range [][]*http.Cookie{nil, {{Name: "session", Value: "alice"}}} {
		browser.Session = session
		got, err := browser.SignIn("/sign/in", email)
		if err != nil {
			t.Fatal(err)
		}
		token := got.URL.Query().Get("token")
		if session == nil {
			wantEqual(t, token, "")
		} else if _, err := verify(t, world, evp.Default, token); err != nil {
			t.Error(err)
		}
	}
}
