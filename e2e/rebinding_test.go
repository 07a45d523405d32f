package e2e

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// TestRebinding loads a page of evil.example, whose owner then points the name to this
// machine (DNS rebinding). The page is same-origin with the servers here, and must not
// receive anything from them. A page of localhost does.
func TestRebinding(t *testing.T) {
	p, _ := provider(t)
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html><title>Prizes</title><link rel="icon" href="data:,"><p>Wait`)
	})
	server := newReplaceable(page)
	local := serve(t, server)
	site := forwardingTo(t, start(t, "demo").find(`Open this page in a browser: (http://\S+)/\n`))
	secrets := map[http.Handler]map[string]string{
		p:    {"/include.js": "navigator.id", "/keys.json": "public-key", "/sign_in": "dialog", "/certify": "certificate"},
		site: {"/": "browserid-login", "/client.json": "privateKey", "/api/login.js": "navigator.id"},
	}
	for _, host := range []string{"evil.example", "localhost"} {
		server.replace(page)
		w := newTab(t)
		w.open(strings.Replace(local, "localhost", host, 1))
		w.see("p", "Wait")
		for handler, paths := range secrets {
			server.replace(handler)
			for path, secret := range paths {
				options := `{cache: 'no-store'}`
				if path == "/certify" {
					options = `{method: 'POST', headers: {'Content-Type': 'application/json'}, body: ` + quoted(certifyRequest(t)) + `}`
				}
				got := eval[string](w, fmt.Sprintf(`fetch(%s, %s).then(r => r.text())`, quoted(path), options))
				if strings.Contains(got, secret) != (host == "localhost") {
					t.Errorf("%s%s: %.200s", host, path, got)
				}
			}
		}
	}
}

// forwardingTo returns a handler that forwards requests to the server at origin.
// It keeps the host name that the client used, and replaces the port.
func forwardingTo(t *testing.T, origin string) http.Handler {
	t.Helper()
	target, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		name := &url.URL{Host: r.In.Host}
		r.Out.Host = name.Hostname() + ":" + target.Port()
	}}
}
