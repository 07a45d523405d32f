package cookiename_test

import (
	"net/http"
	"testing"

	"github.com/vepverify/vepverify/internal/cookiename"
)

func TestCheck(t *testing.T) {
	host := http.Cookie{Name: "__Host-x", Path: "/", Secure: true}
	for _, test := range []struct {
		name   string
		change func(*http.Cookie)
		bad    bool
	}{
		{"host", func(*http.Cookie) {}, false},
		{"host, another path", func(c *http.Cookie) { c.Path = "/app" }, true},
		{"host, no path", func(c *http.Cookie) { c.Path = "" }, true},
		{"host, domain", func(c *http.Cookie) { c.Domain = "rp.example" }, true},
		{"host, not secure", func(c *http.Cookie) { c.Secure = false }, true},
		{"lower case, not secure", func(c *http.Cookie) { c.Name, c.Secure = "__host-x", false }, true},
		{"host and http, domain", func(c *http.Cookie) { c.Name, c.Domain = "__Host-Http-x", "rp.example" }, true},
		{"secure", func(c *http.Cookie) { c.Name, c.Path, c.Domain = "__Secure-x", "/app", "rp.example" }, false},
		{"secure, not secure", func(c *http.Cookie) { c.Name, c.Secure = "__SECURE-x", false }, true},
		{"http, not secure", func(c *http.Cookie) { c.Name, c.Secure = "__Http-x", false }, true},
		{"no prefix", func(c *http.Cookie) { *c = http.Cookie{Name: "x__Host-", Path: "/app"} }, false},
	} {
		c := host
		test.change(&c)
		if err := cookiename.Check(&c); (err != nil) != test.bad {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
