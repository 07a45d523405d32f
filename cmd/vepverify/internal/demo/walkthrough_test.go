package demo_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// TestForge checks that the forged assertion differs in the address only.
func TestForge(t *testing.T) {
	good := proof(t, "ada@idp.localhost")
	forged, err := demo.Forge(good, "mallory@idp.localhost")
	if err != nil {
		t.Fatal(err)
	}
	b, err := assertion.Parse(forged)
	if err != nil {
		t.Fatal(err)
	}
	if email, _, err := b.Certificates[0].Email(); email != "mallory@idp.localhost" || err != nil {
		t.Errorf("%s, %v", email, err)
	}
	if g, f := strings.Split(good, "."), strings.Split(forged, "."); len(g) != len(f) || g[0] != f[0] || g[2] != f[2] || g[1] == f[1] {
		t.Error("not only the claims differ")
	}
	for _, text := range []string{"", "~", "a.b~c.d.e", "a.!.c~d.e.f", "a.e30x.c~d.e.f", "a.W10.c~d.e.f"} {
		if _, err := demo.Forge(text, "mallory@idp.localhost"); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// TestRecordPosted checks that the handler reads the body that was sent, whatever it is,
// and finds the assertion in the context.
func TestRecordPosted(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for body, want := range map[string]string{
		"":                       "",
		"assertion=a%7Eb":        "a~b",
		"next=/&assertion=a&b=c": "a",
		"assertion=a;b":          "",
		"assertion=" + long:      long[:65<<10-len("assertion=")],
		long:                     "",
		"\x00\xff":               "",
	} {
		called := false
		demo.RecordPosted(func(text string, r *http.Request) {
			called = true
			got, err := io.ReadAll(r.Body)
			if string(got) != body || err != nil || text != want {
				t.Errorf("%.20q: assertion %.20q, body %.20q, %v", body, text, got, err)
			}
		}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(body)))
		if !called {
			t.Errorf("%.20q: not called", body)
		}
	}
	broken := errors.New("broken")
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("assertion=a"), iotest.ErrReader(broken)))
	demo.RecordPosted(func(_ string, r *http.Request) {
		if got, err := io.ReadAll(r.Body); string(got) != "assertion=a" || !errors.Is(err, broken) {
			t.Errorf("%q, %v", got, err)
		}
	}).ServeHTTP(httptest.NewRecorder(), r)
}

func TestShortenNumbers(t *testing.T) {
	digits := strings.Repeat("1", 617)
	if got := demo.ShortenNumbers(`{"algorithm":"RS","n":"` + digits + `","e":"65537"}`); got != `{"algorithm":"RS","n":"111111111111… 617 digits","e":"65537"}` {
		t.Error(got)
	}
}

// TestManyFields checks that a form is not parsed if package login refuses it for the
// number of its fields.
func TestManyFields(t *testing.T) {
	for n, want := range map[int]string{31: "a", 32: ""} {
		demo.RecordPosted(func(text string, _ *http.Request) {
			if text != want {
				t.Errorf("%d additional fields: %q", n, text)
			}
		}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader("assertion=a"+strings.Repeat("&b=", n))))
	}
}

// TestRange checks that files are served whole.
func TestRange(t *testing.T) {
	r := httptest.NewRequest("GET", origin+"/style.css", nil)
	r.Header.Set("Range", "bytes=0-0"+strings.Repeat(",0-0", 100))
	if answer, body := do(t, newSite(t), r); answer.StatusCode != http.StatusOK || len(body) < 1000 {
		t.Errorf("%d, %d bytes", answer.StatusCode, len(body))
	}
}

// TestManyClaims checks that the number of claims that a page shows is bounded.
func TestManyClaims(t *testing.T) {
	key, certificate := certified(t, "ada@idp.localhost")
	claims := idptest.Object{"aud": origin, "exp": now.Add(2 * time.Minute).UnixMilli()}
	for i := range 1800 {
		claims[fmt.Sprint("x", i)] = 1
	}
	v := &visitor{t: t, site: newSite(t)}
	posted := certificate + "~" + idptest.Token{Key: key, Claims: claims}.String()
	if answer, body := v.send("POST", "/api/login", url.Values{"assertion": {posted}}); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	_, body := v.send("GET", "/", nil)
	if n := strings.Count(body, "<dt>"); n > 300 {
		t.Errorf("%d terms", n)
	}
}
