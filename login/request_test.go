package login_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/login"
)

// TestCrossSiteRequests checks that other sites cannot sign a visitor in or out. The
// original, Flask-BrowserID, accepted the forms of any site.
func TestCrossSiteRequests(t *testing.T) {
	for _, c := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"another site", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, 403},
		{"a sibling domain", http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://evil.rp.example"}}, 403},
		{"another site, old browser", http.Header{"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}}, 403},
		{"a sandboxed frame", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"null"}}, 403},
		{"this site", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {rp}}, 200},
		{"this site, old browser", http.Header{"Sec-Fetch-Site": nil, "Origin": {rp}}, 200},
		{"no browser", http.Header{"Sec-Fetch-Site": nil}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.header.Set("Accept", "application/json")
			victim := newBrowser(t, newApp(t))
			w := victim.post(rp+"/api/login", c.header, "assertion", assertionFor("alice@idp.example"))
			if w.Code != c.want {
				t.Errorf("login: %d %s, want %d", w.Code, w.Body, c.want)
			}
			if c.want == 403 {
				wantAnswer(t, w, 403, failure("cross-origin request refused"))
				victim.wantGreeting("stranger")
			}

			victim.signIn("bob@idp.example")
			if w := victim.post(rp+"/api/logout", c.header); w.Code != c.want {
				t.Errorf("logout: %d %s, want %d", w.Code, w.Body, c.want)
			}
			victim.wantGreeting(map[int]string{403: "bob@idp.example", 200: "stranger"}[c.want])
		})
	}
}

// TestOrigin checks that a POST is from a page of an audience, by its Origin or, without
// one, by Sec-Fetch-Site. Host and Referer are ignored.
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
				header.Set("Referer", "https://rp.example/") // anyone can send it
				r := postRequest("https://rp.example"+path, "assertion", assertionFor("alice@idp.example"))
				w := newBrowser(t, a).do(r, header)
				if refused := w.Code == http.StatusForbidden; refused == c.fine || !refused && w.Code != 200 && w.Code != 303 {
					t.Errorf("%s: %s: %d %s", c.name, path, w.Code, w.Body)
				}
			}
		}
	}
}

// goodNext are pages of this origin.
var goodNext = []string{
	"/", "/x", "/members", "/members/", "/a/b/c.html", "/a?b=c", "/?next=//evil.example", "/a?u=https://evil.example/",
	"/a#b", "/#", "/?", "/a?#", "/@evil.example", "/:80", "/x:y", "/javascript:alert(1)", "/https:evil.example",
	"/a%20b", "/%C3%BC", "/100%25", "/a%2Fb", "/...", "/.well-known/browserid", "/a..b/..c", "/~user", "/a;b=c", "/a?b=%0d%0a",
	"/a?b=..//../", "/a#//b", "/a?\"<>'", "/%e2%81%84evil.example", "/a/%2e%2e%2e",
	"/100%25252525",
}

// hostileNext are not pages of this origin, or not for every parser.
var hostileNext = []string{
	"", "x", "members", "./x", "../x", ".", "?x", "#x", "*",
	"//evil.example", "///evil.example", "////evil.example/x", "//evil.example:443", "//@evil.example", "//",
	"/\\evil.example", "\\\\evil.example", "\\/evil.example", "\\evil.example", "/\\/evil.example", "/a\\b", "/\\",
	"https://evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "HTTPS://evil.example", "http:\\\\evil.example",
	rp + "/x", rp, "javascript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x", "file:///etc/passwd", "mailto:a@b.example", "java\tscript:alert(1)",
	// Characters that browsers remove.
	"/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example", "\n/x", " /x", "/x ", "/x\n", "\x00//evil.example",
	"/\x00/evil.example", "/a\tb", "/a\x1fb", "/a\x7fb", "/a b", "\ufeff//evil.example", "/x\r\nSet-Cookie: a=b", "\x0b//evil.example", "/a?b=\n", "/a#\t",
	// Encoded once or several times.
	"/%2f/evil.example", "/%2fevil.example", "/%2Fevil.example", "/%5cevil.example", "/%5C%5Cevil.example", "/%09/evil.example", "/%0a/evil.example",
	"/%0d%0aLocation:%20https://evil.example", "/%00", "/%7f", "/%252fevil.example", "/%25252fevil.example", "/%255cevil.example", "/%2509x", "%2f%2fevil.example", "%2fx",
	"/%2e%2e//evil.example", "/%2e/", "/a/%2e%2e/b", "/a/.%2e/b", "/%252e%252e/x", "/a%2f%2fb", "/a%5cb",
	// Encoded several times beside an escape that is invalid once the others are decoded.
	"/%252fevil.example/%25", "/%255cevil.example/%25zz", "/%25%32fevil.example", "/%252e%252e/%25u",
	// Dots and empty segments.
	"/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/a/../..//evil.example", "/./x", "/../x", "/a/..", "/a/.", "/a//b", "/a//", "/.", "/..",
	// Invalid escapes.
	"/%", "/%2", "/%zz", "/%u002f/evil.example", "/a%", "/#%",
	// Characters that URLs do not contain.
	"/\u2215evil.example", "/\uff0fevil.example", "/\uff3cevil.example", "/\u3002evil.example", "/\u00a0", "/\u2028", "/\u202e", "/ü", "/\x80", "/\xff/evil.example", "/\xc0\xaf",
	"/" + strings.Repeat("a", 2048),
	"/%" + strings.Repeat("25", 8) + "41", "/%" + strings.Repeat("25", 1000) + "41",
}

func TestLocalNext(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, next := range goodNext {
		for _, path := range []string{"/api/login", "/api/logout"} {
			w := b.post(path, form, "assertion", assertionFor("alice@idp.example"), "next", next)
			if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != next {
				t.Errorf("%s, next %q: %d, Location %q", path, next, w.Code, got)
			}
			stays(t, next)
		}
	}
}

func TestHostileNext(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, next := range hostileNext {
		for _, path := range []string{"/api/login", "/api/logout"} {
			w := b.post(path, form, "assertion", assertionFor("alice@idp.example"), "next", next)
			if got := w.Header()["Location"]; w.Code != http.StatusSeeOther || len(got) != 1 || got[0] != "/" {
				t.Errorf("%s, next %q: %d, Location %q", path, next, w.Code, got)
			}
			w = b.post(path, script, "assertion", assertionFor("alice@idp.example"), "next", next)
			if w.Code != 200 || strings.Contains(w.Body.String(), `"next"`) {
				t.Errorf("%s, next %q: %d %s", path, next, w.Code, w.Body)
			}
		}
	}
}

// stays fails the test unless the page has the origin of the base at which it is resolved.
func stays(t *testing.T, next string) {
	t.Helper()
	for _, base := range []string{rp, rp + "/", rp + "/a/b?c#d", rp + "//"} {
		for _, text := range interpretations(next) {
			u, err := url.Parse(base)
			if err != nil {
				t.Fatal(err)
			}
			got, err := u.Parse(text)
			if err != nil || got.Scheme != "https" || got.Host != "rp.example" || got.User != nil {
				t.Errorf("next %q, read as %q at %s, is %v, %v", next, text, base, got, err)
			}
		}
	}
}

// interpretations returns the texts to which browsers, routers and proxies may change next.
func interpretations(next string) []string {
	var dropped strings.Builder
	for _, r := range next {
		if r > ' ' {
			dropped.WriteRune(r)
		}
	}
	all := []string{next, strings.TrimSpace(next), dropped.String(), strings.ReplaceAll(dropped.String(), "\\", "/")}
	path, _, _ := strings.Cut(next, "?")
	path, _, _ = strings.Cut(path, "#")
	for range 3 { // routers decode paths, some of them leniently, and encode them again
		decoded := regexp.MustCompile("%[0-9A-Fa-f]{2}").ReplaceAllStringFunc(path, func(escape string) string {
			text, _ := url.PathUnescape(escape)
			return text
		})
		if decoded == path {
			break
		}
		path = decoded
		all = append(all, strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), "%5C", "/"))
	}
	return all
}

// FuzzNext checks that a next page that is accepted is a page of this origin.
func FuzzNext(f *testing.F) {
	for _, next := range append(goodNext, hostileNext...) {
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, next string) {
		if !login.IsLocal(next) {
			return
		}
		stays(t, next)
		// A request for it goes to this host.
		if r := httptest.NewRequest("GET", strings.SplitN(next, "#", 2)[0], nil); r.Host != "example.com" {
			t.Errorf("%q goes to %s", next, r.Host)
		}
	})
}

// FuzzForm checks that the response to any form has a documented status, and that no
// user is signed in.
func FuzzForm(f *testing.F) {
	a := newApp(f)
	f.Add("assertion=x&next=/", "application/x-www-form-urlencoded", "application/json")
	f.Add("assertion="+unreachable(), "application/x-www-form-urlencoded; charset=utf-8", "text/html;q=0.1")
	f.Add("assertion="+assertionFor("nobody@idp.example"), "multipart/form-data", "*/*")
	f.Add("a=%zz;", "", "")
	f.Fuzz(func(t *testing.T, body, contentType, accept string) {
		r := httptest.NewRequest("POST", "/api/login", strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {contentType}, "Accept": {accept}}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		switch w.Code {
		case 400, 403, 413, 415, 503:
		default:
			t.Errorf("status %d", w.Code)
		}
		if len(w.Result().Cookies()) > 0 {
			t.Error("a user is signed in")
		}
	})
}

// TestFieldsAreCounted checks that a form with many fields is refused.
func TestFieldsAreCounted(t *testing.T) {
	b := newBrowser(t, newApp(t))
	fields := []string{"assertion", assertionFor("alice@idp.example")}
	for i := range login.MaxFields - 1 {
		fields = append(fields, fmt.Sprint("f", i), "")
	}
	if w := b.post("/api/login", script, fields...); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	fields = append(fields, "one", "more")
	for _, path := range []string{"/api/login", "/api/logout"} {
		wantAnswer(t, b.post(path, script, fields...), 400, failure("too many form fields"))
	}
}

// TestLongHeaders checks that headers longer than those of browsers are not parsed.
func TestLongHeaders(t *testing.T) {
	b := newBrowser(t, newApp(t))
	params := strings.Repeat(";a=b", 1<<10)
	w := b.post("/api/logout", http.Header{"Accept": {"text/html" + params}})
	wantAnswer(t, w, 200, `{"status":"okay"}`)
	w = b.post("/api/logout", http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded" + params}})
	wantAnswer(t, w, 415, failure("unsupported content type"))
}
