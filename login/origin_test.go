package login_test

import (
	"net/http"
	"testing"

	"github.com/vepverify/vepverify/login"
)

// TestOrigin: posts come from a page of an audience, by their Origin or, without
// one, by Sec-Fetch-Site. A Host, a Referer and a look-alike do not count.
func TestOrigin(t *testing.T) {
	const other = "https://www.rp.example:8443"
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Audiences = []string{"https://RP.example:443", other} })
	none := []string(nil)
	for _, c := range []struct {
		name         string
		origin, site []string
		fine         bool
	}{
		{"an audience", []string{rp}, []string{"same-origin"}, true},
		{"an audience, old browser", []string{rp}, none, true},
		{"the other audience", []string{other}, []string{"same-site"}, true},
		{"the other audience, old browser", []string{other}, none, true},
		{"neither header", none, none, true},
		{"no Origin, same origin", none, []string{"same-origin"}, true},
		{"no Origin, by the person", none, []string{"none"}, true},
		{"null, same origin", []string{"null"}, []string{"same-origin"}, true},

		{"http, old browser", []string{"http://rp.example"}, none, false},
		{"http", []string{"http://rp.example"}, []string{"cross-site"}, false},
		{"http, a wrong header", []string{"http://rp.example"}, []string{"same-origin"}, false},
		{"http, by the person", []string{"http://rp.example"}, []string{"none"}, false},
		{"other port, old browser", []string{"https://rp.example:8443"}, none, false},
		{"port 443", []string{"https://rp.example:443"}, none, false}, // no browser writes it
		{"upper case", []string{"https://RP.example"}, none, false},
		{"other port of the other", []string{"https://www.rp.example"}, none, false},
		{"subdomain", []string{"https://a.rp.example"}, []string{"same-site"}, false},
		{"another site", []string{"https://evil.example"}, []string{"cross-site"}, false},
		{"another site, old browser", []string{"https://evil.example"}, none, false},
		{"another site, a wrong header", []string{"https://evil.example"}, []string{"same-origin"}, false},
		{"look-alike", []string{"https://rp.example.evil.example"}, none, false},
		{"user information", []string{"https://rp.example@evil.example"}, none, false},
		{"path", []string{rp + "/"}, none, false},
		{"no scheme", []string{"rp.example"}, none, false},
		{"empty", []string{""}, none, false},
		{"empty, same origin", []string{""}, []string{"same-origin"}, false},
		{"null, old browser", []string{"null"}, none, false},
		{"null, another site", []string{"null"}, []string{"cross-site"}, false},
		{"null, same site", []string{"null"}, []string{"same-site"}, false},
		{"null, by the person", []string{"null"}, []string{"none"}, false},
		{"NULL", []string{"NULL"}, []string{"same-origin"}, false},
		{"no Origin, another site", none, []string{"cross-site"}, false},
		{"no Origin, same site", none, []string{"same-site"}, false},
		{"no Origin, unknown", none, []string{"same-planet"}, false},
		{"no Origin, empty", none, []string{""}, false},
		{"two origins", []string{rp, "https://evil.example"}, none, false},
		{"two origins in one", []string{rp + ", https://evil.example"}, none, false},
		{"one origin twice", []string{rp, rp}, none, false},
		{"two sites", []string{rp}, []string{"same-origin", "cross-site"}, false},
	} {
		for _, path := range []string{"/api/login", "/api/logout"} {
			for _, accept := range []http.Header{script, form} {
				header := accept.Clone()
				header["Origin"], header["Sec-Fetch-Site"] = c.origin, c.site
				header.Set("Referer", "https://rp.example/") // anybody can send it
				r := posting("https://rp.example"+path, "assertion", proof("alice@idp.example"))
				w := newBrowser(t, a).do(r, header)
				if refused := w.Code == http.StatusForbidden; refused == c.fine || !refused && w.Code != 200 && w.Code != 303 {
					t.Errorf("%s: %s: %d %s", c.name, path, w.Code, w.Body)
				}
			}
		}
	}
}
