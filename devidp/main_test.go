package devidp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/wellknown"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the time of every certificate of these tests.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const own = "http://localhost:8400" // the provider's origin

// idp is shared because making its key is slow. It never changes.
var idp = sync.OnceValue(func() *devidp.Provider {
	p, err := devidp.New(devidp.Config{Now: func() time.Time { return now }})
	if err != nil {
		panic(err)
	}
	return p
})

// newRequest returns a request as a browser on this machine sends it.
func newRequest(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, own+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:50000"
	return r
}

// certifyRequest returns a request for a certificate as the dialog sends it.
func certifyRequest(body string) *http.Request {
	r := newRequest(http.MethodPost, "/certify", body)
	r.Header.Set("Origin", own)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// answer returns the provider's response and its body.
func answer(t testing.TB, r *http.Request) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	idp().ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

// certification is the answer of /certify: a certificate or a refusal.
type certification struct{ Certificate, Error, Field string }

func certify(t testing.TB, r *http.Request) (*http.Response, certification) {
	t.Helper()
	response, body := answer(t, r)
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	var c certification
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if (c.Certificate == "") == (c.Error == "") || (response.StatusCode == http.StatusOK) != (c.Error == "") {
		t.Errorf("status %d: %s", response.StatusCode, body)
	}
	return response, c
}

// verifier returns a verifier that has the provider's keys only.
func verifier(t testing.TB, p *devidp.Provider, at time.Time) *assertion.Verifier {
	t.Helper()
	documents, err := wellknown.ParseStatic(p.KeysBundle())
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: documents, Leeway: -1, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
