package demo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
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

func TestShortenNumbers(t *testing.T) {
	digits := strings.Repeat("1", 617)
	if got := demo.ShortenNumbers(`{"algorithm":"RS","n":"` + digits + `","e":"65537"}`); got != `{"algorithm":"RS","n":"111111111111… 617 digits","e":"65537"}` {
		t.Error(got)
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
