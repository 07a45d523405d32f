package e2e

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// TestBehindProxy signs in through a proxy that terminates TLS and removes a path prefix. The
// application has the configuration of docs/LOGIN.md for that.
func TestBehindProxy(t *testing.T) {
	for name, test := range map[string]struct {
		by, prefix, cookie string
		keepHost           bool
	}{
		"tls":                     {cookie: "__Host-login", keepHost: true},
		"tls, another Host":       {cookie: "__Host-login"},
		"tls and prefix":          {prefix: "/app", cookie: "__Host-login~app", keepHost: true},
		"tls and prefix, by form": {by: "form", prefix: "/app", cookie: "__Host-login~app"},
	} {
		t.Run(name, func(t *testing.T) {
			p, idp := provider(t)
			inner := newReplaceable(http.NotFoundHandler())
			to, err := url.Parse(serve(t, inner))
			if err != nil {
				t.Fatal(err)
			}
			proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				if test.keepHost {
					r.Out.Host = r.In.Host
				}
			}}
			outer := http.NewServeMux()
			outer.Handle(test.prefix+"/", http.StripPrefix(test.prefix, proxy))
			origin := serveTLS(t, "shop", outer)
			shop := newShop(t, p, idp, origin, setting{by: test.by, prefix: test.prefix, next: test.prefix + "/members"})
			inner.replace(shop.handler)

			w := newTab(t)
			w.open(origin + test.prefix + "/members")
			w.wait("location.pathname + location.search === " + quoted(test.prefix+"/?next="+url.QueryEscape(test.prefix+"/members")))
			w.signIn("ada")
			w.see("h1", "Members only")
			w.isSignedIn("ada")
			w.wait("location.href === " + quoted(origin+test.prefix+"/members"))
			c := w.cookies()
			if len(c) != 1 || c[0].Name != test.cookie || !c[0].Secure || !c[0].HTTPOnly || c[0].SameSite != network.CookieSameSiteLax {
				t.Errorf("cookies: %+v", c)
			}
			w.reload()
			w.isSignedIn("ada")
			w.click("#browserid-logout")
			w.isSignedOut()
			w.wait("location.pathname === " + quoted(test.prefix+"/"))
		})
	}
}
