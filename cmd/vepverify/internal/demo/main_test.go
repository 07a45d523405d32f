package demo_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/keys"
)

// TestMain fails if goroutines are left, except the one that removes expired sessions
// from memory, which lives as long as the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/alexedwards/scs/v2/memstore.(*MemStore).startCleanup"))
}

// now is the time in all tests.
var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

const origin = "http://localhost:8401"

// idp is shared because making its key is slow. It never changes.
var idp = sync.OnceValue(func() *devidp.Provider {
	p, err := devidp.New(devidp.Config{Now: clock})
	if err != nil {
		panic(err)
	}
	return p
})

const providerOrigin = "http://localhost:8400"

func newSite(t *testing.T) *demo.Site {
	t.Helper()
	site, err := demo.New(demo.Config{Provider: idp(), ProviderOrigin: providerOrigin, Origin: origin, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// visitor is a browser that keeps one cookie.
type visitor struct {
	t      *testing.T
	site   http.Handler
	cookie *http.Cookie
}

// send sends a request as browsers do, and returns the response and its body.
func (v *visitor) send(method, path string, form url.Values) (*http.Response, string) {
	v.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Host = "localhost:8401"
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	answer, body := do(v.t, v.site, r)
	for _, c := range answer.Cookies() {
		v.cookie = c
	}
	return answer, body
}

func (v *visitor) signIn(email string) {
	v.t.Helper()
	if answer, body := v.send("POST", "/api/login", url.Values{"assertion": {proof(v.t, email)}}); answer.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("%s: %d, %s", email, answer.StatusCode, body)
	}
}

func do(t *testing.T, h http.Handler, r *http.Request) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

// proof returns an assertion for the site, as a browser makes it.
func proof(t *testing.T, email string) string {
	t.Helper()
	key, certificate := certified(t, email)
	return sign(t, key, certificate)
}

// certified returns a new key and a certificate for it.
func certified(t *testing.T, email string) (keys.PrivateKey, string) {
	t.Helper()
	key, err := keys.Generate(keys.DS128)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := idp().Certify(email, key.Public(), 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return key, certificate
}

func sign(t *testing.T, key keys.PrivateKey, certificate string) string {
	t.Helper()
	text, err := assertion.Sign(assertion.Template{Audience: origin, Expires: now.Add(2 * time.Minute)}, key, certificate)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
