package vepauth_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/vepverify/vepverify/vepauth"
)

// served is a site with a socket, two applications and a router.
type served struct {
	*site
	rawClient
	strip string // the prefix that the router strips
	count int    // of the nonces
}

// routers are the ways to mount vepauth outside or inside a router. Each application has a
// handler of its own.
var routers = map[string]struct {
	strip string
	mount func(*vepauth.Authenticator) http.Handler
}{
	"ServeMux within": {"", func(a *vepauth.Authenticator) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/sync/1.5/", a.Require(record("sync")))
		mux.Handle("/notes/2/", a.Require(record("notes")))
		mux.Handle("/", a.Require(record("other")))
		return mux
	}},
	"ServeMux inside": {"", func(a *vepauth.Authenticator) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/sync/{version}/{rest...}", record("sync"))
		mux.Handle("/notes/2/", record("notes"))
		mux.Handle("/", record("other"))
		return a.Require(mux)
	}},
	"chi": {"", func(a *vepauth.Authenticator) http.Handler {
		r := chi.NewRouter()
		r.Use(a.Require)
		r.Handle("/sync/1.5/*", record("sync"))
		r.Route("/notes/{version}", func(r chi.Router) { r.Handle("/*", record("notes")) })
		r.NotFound(record("other").ServeHTTP)
		r.MethodNotAllowed(record("other").ServeHTTP)
		return r
	}},
	"StripPrefix": {"/sync", func(a *vepauth.Authenticator) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/sync/", http.StripPrefix("/sync", a.Require(record("sync"))))
		mux.Handle("/", a.Require(record("other")))
		return mux
	}},
}

func serveApplications(t testing.TB, scheme vepauth.Scheme, router string, version int) *served {
	s := newSite(t, &vepauth.Config{
		Scheme: scheme, TokenURL: "/{application}/{version}/token", Nonces: oneUse(anyNonce),
		Applications: map[string][]string{"sync": {"1.5"}, "notes": {"2"}},
	})
	return &served{site: s, rawClient: listen(t, routers[router].mount(s.auth), version), strip: routers[router].strip}
}

// loginTo returns credentials for an application of the site.
func (s *served) loginTo(path string) vepauth.Credentials { return s.login(s.origin() + path) }

// sendAs sends a request with a signature of other parts.
func (s *served) sendAs(r wireRequest, c vepauth.Credentials, method, target, form string) (int, *servedRequest) {
	s.count++
	header := authorize(s.TB, c, s.count, method, s.origin(), target, form)
	if header == "" {
		return 0, nil
	}
	return s.send(r.with("authorization", header))
}

// TestTwoTargets has requests in which vepauth and net/http could find different targets. The
// signature is valid for the one after "://".
func TestTwoTargets(t *testing.T) {
	for _, test := range []struct {
		version                int
		method, target, signed string
	}{
		{1, "GET", "x:/notes/2/delete?id=7&q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "POST", "x:/notes/2/delete?id=7&q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "http:/notes/2/delete?q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "http:///notes/2/delete?q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "https:/notes/2/delete?q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "ftp://rp.example/notes/2/delete?q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "ftp://rp.example/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "HTTP://rp.example/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "x:notes/2/delete?q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "x://sync/1.5/list", "/1.5/list"},
		{1, "GET", "http://u@rp.example/sync/1.5/list", "/sync/1.5/list"},
		{1, "GET", "https://rp.example/sync/1.5/list", "/sync/1.5/list"}, // without TLS
		{1, "GET", "/sync/1.5/list#/../../../notes/2/delete", "/sync/1.5/list#/../../../notes/2/delete"},
		{1, "GET", "//h/notes/2/delete?q=://h/sync/1.5/list", "/sync/1.5/list"},
		{1, "CONNECT", "foo:80/notes/2/x://h/sync/1.5/z", "/sync/1.5/z"},
		{1, "CONNECT", "rp.example:80/sync/1.5/z", "/sync/1.5/z"},
		{1, "CONNECT", "/sync/1.5/z", "/sync/1.5/z"},
		{1, "CONNECT", "rp.example:80", "/"},
		{1, "GET", "*", "*"},
		{1, "get", "/sync/1.5/list", "/sync/1.5/list"}, // "GET" is signed
		{2, "GET", "x:/notes/2/delete?id=7&q=://h/sync/1.5/list", "/sync/1.5/list"},
		{2, "GET", "http:/notes/2/delete?q=://h/sync/1.5/list", "/sync/1.5/list"},
		{2, "GET", "http://rp.example/sync/1.5/list", "/sync/1.5/list"},
		{2, "GET", "https://rp.example/sync/1.5/list", "/sync/1.5/list"},
		{2, "GET", "https://evil.example/sync/1.5/list", "/sync/1.5/list"},
		{2, "GET", "*", "*"},
	} {
		for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
			for router := range routers {
				s := serveApplications(t, scheme, router, test.version)
				c := s.loginTo("/sync/1.5/token")
				status, got := s.sendAs(wireRequest{method: test.method, target: test.target, host: "rp.example"}, c,
					strings.ToUpper(test.method), test.signed, "")
				if got != nil || status/100 == 2 {
					t.Errorf("HTTP/%d, %s, %s: %s %s: %d, %+v", test.version, scheme, router, test.method, test.target, status, got)
				}
			}
		}
	}
}

// TestSignatureOfAnotherTarget checks that the signature of one request is not accepted for
// another. The answer is 401 with a challenge.
func TestSignatureOfAnotherTarget(t *testing.T) {
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		for version := 1; version <= 2; version++ {
			s := newSite(t, &vepauth.Config{Scheme: scheme, Nonces: oneUse(anyNonce)})
			w := listen(t, s.auth.Require(record("other")), version)
			c := s.login(w.origin() + "/request_token")
			for i, target := range []string{"x:/transfer?to=mallory&q=://h/ping", "http:/transfer?to=mallory&q=://h/ping"} {
				r := wireRequest{method: "POST", target: target, host: "rp.example"}
				status, got := w.send(r.with("authorization", authorize(t, c, i, "POST", w.origin(), "/ping", "")))
				if status != 401 || got != nil {
					t.Errorf("%s, HTTP/%d: %s: %d %+v", scheme, version, target, status, got)
				}
			}
			r := wireRequest{method: "POST", target: "/ping", host: "rp.example"}
			if status, got := w.send(r.with("authorization", authorize(t, c, 3, "POST", w.origin(), "/ping", ""))); status != 200 || got.Path != "/ping" {
				t.Errorf("%s, HTTP/%d: %d %+v", scheme, version, status, got)
			}
		}
	}
}

// TestAcceptedTargets has the forms of targets that are accepted, over a socket. The handler
// gets what was signed.
func TestAcceptedTargets(t *testing.T) {
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		for version := 1; version <= 2; version++ {
			s := newSite(t, &vepauth.Config{Scheme: scheme, Nonces: oneUse(anyNonce)})
			w := listen(t, s.auth.Require(record("other")), version)
			c := s.login(w.origin() + "/request_token")
			targets := map[string]string{
				"/": "/", "/a%2fb//c/../d;e?x=%2B+y&&z": "/a%2fb//c/../d;e?x=%2B+y&&z", "//h/x": "//h/x", "/caf\xc3\xa9|\"": "/caf\xc3\xa9|\"", "/?": "/?", "/x:y://z": "/x:y://z",
			}
			if version == 1 {
				targets["http://rp.example"], targets["http://rp.example?a"] = "/", "/?a"
				targets["http://rp.example:80/a?b"], targets["http://RP.example//a"] = "/a?b", "//a"
			}
			nonce := 0
			for target, signed := range targets {
				nonce++
				r := wireRequest{method: "GET", target: target, host: "rp.example"}
				status, got := w.send(r.with("authorization", authorize(t, c, nonce, "GET", w.origin(), signed, "")))
				if status != 200 || got == nil || got.Email != alice {
					t.Errorf("%s, HTTP/%d: %s: %d", scheme, version, target, status)
				} else {
					checkServed(t, target, scheme, got, signed, "", w.origin(), "")
				}
			}
		}
	}
}

// parametersOf returns the parameters of a query in the order in which OAuth+VEP signs them,
// without empty ones, and decoded.
func parametersOf(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return err.Error()
	}
	for _, of := range values {
		slices.Sort(of)
	}
	return values.Encode()
}

// checkServed checks that a handler got the target and the form that were signed.
func checkServed(t testing.TB, what string, scheme vepauth.Scheme, got *servedRequest, signed, form, origin, strip string) {
	t.Helper()
	want, err := url.ParseRequestURI(signed)
	if err != nil {
		t.Errorf("%s: signed %s: %v", what, signed, err)
		return
	}
	path, escaped := strings.TrimPrefix(want.Path, strip), strings.TrimPrefix(want.EscapedPath(), strip)
	if got.Path == "" && path == "/" {
		got.Path, got.EscapedPath = "/", "/" // http://host
	}
	if got.Path != path || got.EscapedPath != escaped || got.Opaque != "" ||
		got.RawQuery != want.RawQuery && (scheme == vepauth.MACBrowserID || parametersOf(got.RawQuery) != parametersOf(want.RawQuery)) {
		t.Errorf("%s: signed %s, served %+v", what, signed, got)
	}
	if got.Body != form {
		t.Errorf("%s: signed the form %q, served %q", what, form, got.Body)
	}
	_, host, _ := cutOrigin(origin)
	for _, name := range []string{got.Host, got.URLHost, got.Header} {
		if name = strings.ToLower(name); name != "" && name != host && name != host+":80" && name != host+":443" {
			t.Errorf("%s: signed for %s, served %+v", what, host, got)
		}
	}
}

// TestTwoHosts checks that a request is refused if the Host header and the :authority of
// HTTP/2 differ: handlers may use either.
func TestTwoHosts(t *testing.T) {
	s := newSite(t, &vepauth.Config{Nonces: oneUse(anyNonce)})
	w := listen(t, s.auth.Require(record("other")), 2)
	c := s.login(rp + "/request_token")
	for host, want := range map[string]int{"rp.example": 200, "evil.example": 401, "RP.example": 401} {
		r := wireRequest{method: "GET", target: "/x", host: "rp.example"}
		status, _ := w.send(r.with("host", host).with("authorization", authorize(t, c, 1, "GET", rp, "/x", "")))
		if status != want {
			t.Errorf("%s: %d", host, status)
		}
	}
	for name, test := range map[string]struct {
		change func(r *http.Request)
		want   int
	}{
		"same":           {func(*http.Request) {}, 200},
		"another host":   {func(r *http.Request) { r.URL.Host = "evil.example" }, 401},
		"another scheme": {func(r *http.Request) { r.URL.Scheme = "http" }, 401},
		"userinfo":       {func(r *http.Request) { r.URL.User = url.User("u") }, 401},
	} {
		r := s.signed(request("GET", data), c)
		r.RequestURI = "/data"
		test.change(r)
		check(t, name, s.do(r), test.want)
	}
}

// TestRewrittenURL checks that a handler outside may strip a prefix of the path, and change
// nothing else.
func TestRewrittenURL(t *testing.T) {
	for _, test := range []struct {
		name    string
		target  string
		rewrite func(u *url.URL)
		want    int
	}{
		{"nothing", "/a/b?c", func(u *url.URL) {}, 200},
		{"stripped", "/a/b?c", func(u *url.URL) { u.Path = "/b" }, 200},
		{"all stripped", "/a", func(u *url.URL) { u.Path = "" }, 200},
		{"stripped, encoded", "/a/b%2Fc", func(u *url.URL) { u.Path, u.RawPath = "/b/c", "/b%2Fc" }, 200},
		{"stripped, another encoding", "/a/b%2Fc", func(u *url.URL) { u.Path, u.RawPath = "/b/c", "/b/c" }, 401},
		{"stripped, no encoding", "/a/b%2Fc", func(u *url.URL) { u.Path, u.RawPath = "/b/c", "" }, 401},
		{"stripped in one form", "/a/b%2Fc", func(u *url.URL) { u.Path = "/b/c" }, 401},
		{"stripped in the other form", "/a/b%2Fc", func(u *url.URL) { u.RawPath = "/b%2Fc" }, 401},
		{"an added encoding", "/a/b", func(u *url.URL) { u.RawPath = "/c" }, 401},
		{"another path", "/a/b", func(u *url.URL) { u.Path = "/a/c" }, 401},
		{"a longer path", "/a/b", func(u *url.URL) { u.Path = "/x/a/b" }, 401},
		{"another query", "/a/b?c", func(u *url.URL) { u.RawQuery = "d" }, 401},
		{"no query", "/a/b?c", func(u *url.URL) { u.RawQuery = "" }, 401},
		{"a query", "/a/b", func(u *url.URL) { u.RawQuery = "c" }, 401},
		{"opaque", "/a/b", func(u *url.URL) { u.Opaque = "/a/b" }, 401},
	} {
		for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
			s := newSite(t, &vepauth.Config{Scheme: scheme})
			r := s.signed(request("GET", rp+test.target), s.login(endpoint))
			test.rewrite(r.URL)
			check(t, test.name, s.do(r), test.want)
		}
	}
}

// TestTargetOfTokenEndpoint checks that the token endpoint and challenges use the same target
// as signatures.
func TestTargetOfTokenEndpoint(t *testing.T) {
	s := twoApplications(t, nil)
	mounted := http.NewServeMux()
	mounted.Handle("/aitc/1.0/token", s.auth.TokenEndpoint())
	for version := 1; version <= 2; version++ {
		for name, h := range map[string]http.Handler{"Handler": s.auth.Handler(record("other")), "mounted": mounted} {
			w := listen(t, h, version)
			r := wireRequest{method: "POST", target: "x:/aitc/1.0/token?q=://h/sync/1.5/token", host: "rp.example"}
			r = r.form(url.Values{"assertion": {backed()}}.Encode())
			if status, got := w.send(r); got == nil && status != 401 && status != 404 {
				t.Errorf("HTTP/%d, %s: %d", version, name, status)
			}
			r.target = "/aitc/1.0/token"
			if status, got := w.send(r); status != 200 || got != nil {
				t.Errorf("HTTP/%d, %s: %d %+v", version, name, status, got)
			}
		}
	}
	challenged := request("GET", rp+"/")
	challenged.RequestURI = "x:/?q=://h/sync/1.5/data"
	checkRefused(t, "challenge", do(s.auth.Require(nil), challenged), "OAuth+VEP")
}

// pieces are the parts of the request targets of TestWhatIsVerifiedIsServed.
var pieces = []string{
	"/", "/", "//", "?", "&", "=", ":", "@", "*", "#", ";", "+", "..", ".", "%2F", "%2e", "%", "%3F", "%00", "\\", "[", "\xc3\xa9", "|",
	"x:", "http:", "http:/", "http://", "https://", "HTTP://", "://", "://h", "rp.example", "rp.example:80", "evil.example", "foo:80",
	"a", "b/c", "x=1", "&y", "?a", "/d/", "e+f", "%C3%A9", "~", "/sync/1.5/list", "/sync/1.5/", "/notes/2/delete", "/notes/2/", "sync/1.5/a", "/sync", "id=7", "q=", "a=b", "q=://h/sync/1.5/list", "?q=://h/notes/2/delete",
}

func randomTarget(random *rand.Rand) string {
	var b strings.Builder
	b.WriteString([]string{"/sync/1.5/", "/notes/2/x", "http://rp.example", "http://rp.example/sync/1.5/", "x:", "/", "", "//rp.example"}[random.IntN(8)])
	for range random.IntN(5) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// possibleTargets returns the targets that a parser could find in a request line: that of net/http,
// the line itself, and its suffixes.
func possibleTargets(line string) []string {
	all := map[string]bool{line: true, "/": true}
	if u, err := url.ParseRequestURI(line); err == nil {
		all[u.RequestURI()] = true
	}
	for i := range len(line) {
		if line[i] == '/' {
			all[line[i:]] = true
		}
		if line[i] == '?' {
			all["/"+line[i:]] = true
		}
	}
	var sorted []string
	for target := range all {
		if strings.HasPrefix(target, "/") {
			sorted = append(sorted, target)
		}
	}
	return sorted
}

// TestWhatIsVerifiedIsServed checks that a request that is accepted is served as it was
// signed, by a handler of the application of its token, for every request line, and
// for every part of it that could be signed.
func TestWhatIsVerifiedIsServed(t *testing.T) {
	const lines = 80
	methods := []string{"GET", "POST", "POST", "PUT", "CONNECT", "OPTIONS", "get"}
	hosts := []string{"rp.example", "rp.example", "rp.example", "rp.example", "rp.example", "RP.example:443", "evil.example", "rp.example:80"}
	forms := []string{"", "", "a=b&c=d+e", "a=1&b"}
	accepted := 0
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		for router := range routers {
			for version := 1; version <= 2; version++ {
				s := serveApplications(t, scheme, router, version)
				tokens := map[string]vepauth.Credentials{"sync": s.loginTo("/sync/1.5/token"), "notes": s.loginTo("/notes/2/token")}
				random := rand.New(rand.NewPCG(uint64(version), uint64(len(router)+len(scheme))))
				for range lines {
					r := wireRequest{
						method: methods[random.IntN(len(methods))], target: randomTarget(random), host: hosts[random.IntN(len(hosts))],
					}
					form := forms[random.IntN(len(forms))]
					if form != "" {
						r = r.form(form)
					}
					for _, signed := range possibleTargets(r.target) {
						for application, c := range tokens {
							status, got := s.sendAs(r, c, strings.ToUpper(r.method), signed, form)
							if got == nil || got.Email == "" {
								continue
							}
							accepted++
							what := fmt.Sprintf("%s, %s, HTTP/%d: %s %s with the host %s: %d", scheme, router, version, r.method, r.target, r.host, status)
							checkServed(t, what, scheme, got, signed, form, s.origin(), strings.TrimSuffix(s.strip, strippedPrefix(got)))
							if got.Method != strings.ToUpper(r.method) || !strings.HasPrefix(got.Handler, "other") && got.Handler != application {
								t.Errorf("%s: %s served by %s with a token for %s", what, got.Method, got.Handler, application)
							}
						}
					}
				}
			}
		}
	}
	if accepted < 120 {
		t.Errorf("only %d requests were accepted", accepted)
	}
}

// strippedPrefix returns the prefix that was stripped for a handler.
func strippedPrefix(s *servedRequest) string {
	if s.Handler == "sync" {
		return ""
	}
	return "/sync"
}

// TestServedForm checks that a form that is served is the form that was signed, whatever was
// parsed before, and whatever headers the request has.
func TestServedForm(t *testing.T) {
	const signed = "to=bob&n=1"
	parse := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.ParseForm()
			h.ServeHTTP(w, r)
		})
	}
	restore := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			r.ParseForm()
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			h.ServeHTTP(w, r)
		})
	}
	replace := func(h http.Handler) http.Handler {
		return restore(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(signed))
			h.ServeHTTP(w, r)
		}))
	}
	consume := func(h http.Handler) http.Handler {
		return parse(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.NoBody
			h.ServeHTTP(w, r)
		}))
	}
	plain := func(h http.Handler) http.Handler { return h }
	for _, test := range []struct {
		name    string
		outside func(http.Handler) http.Handler
		signed  string
		sent    wireRequest
		want    int
	}{
		{"as signed", plain, signed, wireRequest{}.form(signed), 200},
		{"parsed before, body consumed", parse, signed, wireRequest{}.form(signed), 401},
		{"parsed before, unsigned form", parse, "", wireRequest{}.form("to=mallory"), 401},
		{"parsed before, no body left", consume, "", wireRequest{}.form("to=mallory"), 401},
		{"parsed before, body restored", restore, signed, wireRequest{}.form(signed), 200},
		{"parsed before, another body", replace, signed, wireRequest{}.form("to=mallory"), 401},
		{"encoded form", plain, signed, wireRequest{}.form(signed).with("content-encoding", "gzip"), 401},
		{"form not encoded", plain, signed, wireRequest{}.form(signed).with("content-encoding", "identity"), 200},
		{"no form, parsed before", parse, "", wireRequest{}, 200},
		{"another body, parsed before", parse, "", func() wireRequest {
			r := wireRequest{}.with("content-type", "application/json")
			r.body = `{"to":"bob"}`
			return r
		}(), 200},
	} {
		for version := 1; version <= 2; version++ {
			s := newSite(t, &vepauth.Config{Nonces: oneUse(anyNonce)})
			w := listen(t, test.outside(s.auth.Require(record("other"))), version)
			r := test.sent
			r.method, r.target, r.host = "POST", "/transfer?q=1", "rp.example"
			c := s.login(w.origin() + "/request_token")
			status, got := w.send(r.with("authorization", authorize(t, c, 1, "POST", w.origin(), r.target, test.signed)))
			if status != test.want {
				t.Errorf("%s, HTTP/%d: %d %+v", test.name, version, status, got)
			}
			if got != nil && test.signed != "" && (got.Body != test.signed || got.Form.Encode() != "n=1&q=1&to=bob") {
				t.Errorf("%s, HTTP/%d: %+v", test.name, version, got)
			}
		}
	}
}

// TestParsedUnsignedBodies checks parsed forms whose body is not signed.
func TestParsedUnsignedBodies(t *testing.T) {
	const multi = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n"
	for _, test := range []struct {
		name   string
		scheme vepauth.Scheme
		type_  string
		body   string
		change func(r *http.Request)
		want   int
	}{
		{"MAC", vepauth.MACBrowserID, "application/x-www-form-urlencoded", "a=1&q=2", func(*http.Request) {}, 200},
		{"MAC, a value more", vepauth.MACBrowserID, "application/x-www-form-urlencoded", "a=1", func(r *http.Request) { r.Form.Add("q", "3") }, 401},
		{"MAC, no query", vepauth.MACBrowserID, "application/x-www-form-urlencoded", "a=1", func(r *http.Request) { r.Form.Del("q") }, 401},
		{"multipart", vepauth.OAuthVEP, "multipart/form-data; boundary=b", multi, func(*http.Request) {}, 200},
		{"multipart, another query", vepauth.OAuthVEP, "multipart/form-data; boundary=b", multi, func(r *http.Request) { r.Form.Set("q", "3") }, 401},
		{"query", vepauth.OAuthVEP, "", "", func(*http.Request) {}, 200},
		{"another query", vepauth.OAuthVEP, "", "", func(r *http.Request) { r.Form.Set("q", "3") }, 401},
		{"one more", vepauth.OAuthVEP, "", "", func(r *http.Request) { r.Form.Set("r", "3") }, 401},
	} {
		s := newSite(t, &vepauth.Config{Scheme: test.scheme})
		c := s.login(endpoint)
		r := request("POST", data+"?q=1", test.body)
		r = s.signed(r, c) // without a type: the body is not signed
		if test.type_ != "" {
			r.Header.Set("Content-Type", test.type_)
		}
		r.ParseMultipartForm(1 << 20)
		test.change(r)
		check(t, test.name, s.do(r), test.want)
	}
}

// TestMovedParameters checks that a parameter of a query or form cannot be moved to a place
// where the next handler does not look, although the signature is the same.
func TestMovedParameters(t *testing.T) {
	for _, test := range []struct{ name, signed, sent, header string }{
		{"into the header", "/delete?only=old", "/delete", `only="old", `},
		{"hidden by a semicolon", "/delete?only=a%3Bb", "/delete?only=a;b", ""},
	} {
		s := newSite(t, &vepauth.Config{Nonces: oneUse(anyNonce)})
		s.handler = s.auth.Require(record("other"))
		r := s.signed(request("POST", rp+test.signed), s.login(endpoint))
		sent := request("POST", rp+test.sent)
		sent.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "OAuth ", "OAuth "+test.header, 1))
		checkRefused(t, test.name, s.do(sent), oauthChallenge)
	}
}

// TestChunkedForm checks that a form in chunks, with a wrong Content-Length and a trailer, is
// served as it was signed, with the length of the form.
func TestChunkedForm(t *testing.T) {
	s := newSite(t, &vepauth.Config{Nonces: oneUse(anyNonce)})
	w := listen(t, s.auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != int64(len("a=b&c=d")) || r.Trailer.Get("X-T") != "1" {
			t.Errorf("%d bytes, trailer %v", r.ContentLength, r.Trailer)
		}
		record("all").ServeHTTP(w, r)
	})), 1)
	c := s.login(w.origin() + "/request_token")
	r := wireRequest{method: "POST", target: "/x", host: "rp.example"}.form("4\r\na=b&\r\n3\r\nc=d\r\n0\r\nX-T: 1\r\n\r\n")
	r = r.with("transfer-encoding", "chunked").with("trailer", "X-T")
	for form, want := range map[string]int{"a=b&c=d": 200, "a=b&": 401, "": 401, r.body: 401} {
		status, got := w.send(r.with("authorization", authorize(t, c, 1, "POST", w.origin(), "/x", form)))
		if status != want || want == 200 && got.Body != form {
			t.Errorf("%q: %d %+v", form, status, got)
		}
	}
}
