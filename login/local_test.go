package login_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/login"
)

// goodNext are pages of this origin.
var goodNext = []string{
	"/", "/x", "/members", "/members/", "/a/b/c.html", "/a?b=c", "/?next=//evil.example", "/a?u=https://evil.example/",
	"/a#b", "/#", "/?", "/a?#", "/@evil.example", "/:80", "/x:y", "/javascript:alert(1)", "/https:evil.example",
	"/a%20b", "/%C3%BC", "/100%25", "/a%2Fb", "/...", "/.well-known/browserid", "/a..b/..c", "/~user", "/a;b=c", "/a?b=%0d%0a",
	"/a?b=..//../", "/a#//b", "/a?\"<>'", "/%e2%81%84evil.example", "/a/%2e%2e%2e",
}

// hostileNext are none, in some reading.
var hostileNext = []string{
	"", "x", "members", "./x", "../x", ".", "?x", "#x", "*",
	"//evil.example", "///evil.example", "////evil.example/x", "//evil.example:443", "//@evil.example", "//",
	"/\\evil.example", "\\\\evil.example", "\\/evil.example", "\\evil.example", "/\\/evil.example", "/a\\b", "/\\",
	"https://evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "HTTPS://evil.example", "http:\\\\evil.example",
	rp + "/x", rp, "javascript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x", "file:///etc/passwd", "mailto:a@b.example", "java\tscript:alert(1)",
	// What browsers drop.
	"/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example", "\n/x", " /x", "/x ", "/x\n", "\x00//evil.example",
	"/\x00/evil.example", "/a\tb", "/a\x1fb", "/a\x7fb", "/a b", "\ufeff//evil.example", "/x\r\nSet-Cookie: a=b", "\x0b//evil.example", "/a?b=\n", "/a#\t",
	// Encoded, once and more often.
	"/%2f/evil.example", "/%2fevil.example", "/%2Fevil.example", "/%5cevil.example", "/%5C%5Cevil.example", "/%09/evil.example", "/%0a/evil.example",
	"/%0d%0aLocation:%20https://evil.example", "/%00", "/%7f", "/%252fevil.example", "/%25252fevil.example", "/%255cevil.example", "/%2509x", "%2f%2fevil.example", "%2fx",
	"/%2e%2e//evil.example", "/%2e/", "/a/%2e%2e/b", "/a/.%2e/b", "/%252e%252e/x", "/a%2f%2fb", "/a%5cb",
	// Dots and empty segments.
	"/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/a/../..//evil.example", "/./x", "/../x", "/a/..", "/a/.", "/a//b", "/a//", "/.", "/..",
	// Escapes that are none.
	"/%", "/%2", "/%zz", "/%u002f/evil.example", "/a%", "/#%",
	// Not as URLs are written.
	"/\u2215evil.example", "/\uff0fevil.example", "/\uff3cevil.example", "/\u3002evil.example", "/\u00a0", "/\u2028", "/\u202e", "/ü", "/\x80", "/\xff/evil.example", "/\xc0\xaf",
	"/" + strings.Repeat("a", 2048),
}

func TestNextIsHonoured(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, next := range goodNext {
		for _, path := range []string{"/api/login", "/api/logout"} {
			w := b.post(path, form, "assertion", proof("alice@idp.example"), "next", next)
			if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != next {
				t.Errorf("%s, next %q: %d, Location %q", path, next, w.Code, got)
			}
			stays(t, next)
		}
	}
}

func TestHostileNextIsIgnored(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, next := range hostileNext {
		for _, path := range []string{"/api/login", "/api/logout"} {
			w := b.post(path, form, "assertion", proof("alice@idp.example"), "next", next)
			if got := w.Header()["Location"]; w.Code != http.StatusSeeOther || len(got) != 1 || got[0] != "/" {
				t.Errorf("%s, next %q: %d, Location %q", path, next, w.Code, got)
			}
			w = b.post(path, script, "assertion", proof("alice@idp.example"), "next", next)
			if w.Code != 200 || strings.Contains(w.Body.String(), `"next"`) {
				t.Errorf("%s, next %q: %d %s", path, next, w.Code, w.Body)
			}
		}
	}
}

// stays fails when the page is of another origin than the one it is resolved at.
func stays(t *testing.T, next string) {
	t.Helper()
	for _, base := range []string{rp, rp + "/", rp + "/a/b?c#d", rp + "//"} {
		for _, reading := range readings(next) {
			u, err := url.Parse(base)
			if err != nil {
				t.Fatal(err)
			}
			got, err := u.Parse(reading)
			if err != nil || got.Scheme != "https" || got.Host != "rp.example" || got.User != nil {
				t.Errorf("next %q, read as %q at %s, is %v, %v", next, reading, base, got, err)
			}
		}
	}
}

// readings are what browsers, routers and proxies may make of next.
func readings(next string) []string {
	var dropped strings.Builder
	for _, r := range next {
		if r > ' ' {
			dropped.WriteRune(r)
		}
	}
	all := []string{next, strings.TrimSpace(next), dropped.String(), strings.ReplaceAll(dropped.String(), "\\", "/")}
	path, _, _ := strings.Cut(next, "?")
	path, _, _ = strings.Cut(path, "#")
	for range 3 { // routers decode paths and write them anew; "%" and what URLs do not have stays encoded
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			break
		}
		path = decoded
		all = append(all, strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), "%5C", "/"))
	}
	return all
}

func FuzzNext(f *testing.F) {
	for _, next := range append(goodNext, hostileNext...) {
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, next string) {
		if !login.IsLocal(next) {
			return
		}
		stays(t, next)
		// It can be asked for as it is, and comes out of a request as it went in.
		if r := httptest.NewRequest("GET", strings.SplitN(next, "#", 2)[0], nil); r.Host != "example.com" {
			t.Errorf("%q goes to %s", next, r.Host)
		}
	})
}

// Whatever is posted, the answer is one of those that are documented, and
// nobody is signed in.
func FuzzForm(f *testing.F) {
	a := newApp(f)
	f.Add("assertion=x&next=/", "application/x-www-form-urlencoded", "application/json")
	f.Add("assertion="+unreachable(), "application/x-www-form-urlencoded; charset=utf-8", "text/html;q=0.1")
	f.Add("assertion="+proof("nobody@idp.example"), "multipart/form-data", "*/*")
	f.Add("a=%zz;", "", "")
	f.Fuzz(func(t *testing.T, body, contentType, accept string) {
		r := httptest.NewRequest("POST", "/api/login", strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {contentType}, "Accept": {accept}}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		switch w.Code {
		case 400, 403, 413, 415, 503:
		default:
			t.Errorf("answered %d", w.Code)
		}
		if len(w.Result().Cookies()) > 0 {
			t.Error("somebody is signed in")
		}
	})
}
