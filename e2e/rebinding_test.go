package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/demo"
)

// TestRebinding: a page of evil.example, whose owner has had the name point to
// this machine since, is same-origin with what is served here on its port, and
// yet gets nothing. A page of localhost gets what there is.
func TestRebinding(t *testing.T) {
	p, idp := provider(t)
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html><title>Prizes</title><link rel="icon" href="data:,"><p>Wait`)
	})
	server := switchedTo(page)
	local := serve(t, server)
	site, err := demo.New(demo.Config{Provider: p, ProviderOrigin: idp, Origin: local})
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[http.Handler]map[string]string{
		p:    {"/include.js": "navigator.id", "/keys.json": "public-key", "/sign_in": "dialog", "/certify": "certificate"},
		site: {"/": "browserid-login", "/robot.json": "privateKey", "/api/login.js": "navigator.id"},
	}
	for _, host := range []string{"evil.example", "localhost"} {
		server.become(page)
		w := newTab(t)
		w.open(strings.Replace(local, "localhost", host, 1))
		w.see("p", "Wait")
		for handler, paths := range secrets {
			server.become(handler)
			for path, secret := range paths {
				options := `{cache: 'no-store'}`
				if path == "/certify" {
					options = `{method: 'POST', headers: {'Content-Type': 'application/json'}, body: ` + quoted(asked(t)) + `}`
				}
				got := eval[string](w, fmt.Sprintf(`fetch(%s, %s).then(r => r.text())`, quoted(path), options))
				if strings.Contains(got, secret) != (host == "localhost") {
					t.Errorf("%s%s: %.200s", host, path, got)
				}
			}
		}
	}
}
