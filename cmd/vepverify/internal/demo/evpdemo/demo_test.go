package evpdemo_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/evpdemo"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/internal/pagetest"
)

const (
	shop = "https://shop.example"
	mail = "https://accounts.issuer.example"
)

// newDemo returns a demo that is served, because its site fetches from itself.
func newDemo(t *testing.T) *evpdemo.Demo {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	demo, err := evpdemo.New(evpdemo.Config{Address: server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler, server.TLS = demo, demo.TLS()
	server.StartTLS()
	t.Cleanup(server.Close)
	return demo
}

// visitor is a browser without the protocol.
type visitor struct {
	t    *testing.T
	demo *evpdemo.Demo
	jar  *cookiejar.Jar
}

func newVisitor(t *testing.T, demo *evpdemo.Demo) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, demo, jar}
}

// send sends a request, with a form unless that is nil, and follows redirects.
func (v *visitor) send(address string, form url.Values) (status int, body string) {
	v.t.Helper()
	r := httptest.NewRequest("GET", address, nil)
	if form != nil {
		r = httptest.NewRequest("POST", address, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Accept", "text/html")
	}
	at := &url.URL{Scheme: "https", Host: r.Host, Path: "/"}
	for _, c := range v.jar.Cookies(at) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.demo.ServeHTTP(w, r)
	v.jar.SetCookies(at, w.Result().Cookies())
	if to := w.Header().Get("Location"); to != "" {
		return v.send(at.ResolveReference(&url.URL{Path: to}).String(), nil)
	}
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return w.Code, string(text)
}

// see fails the test if the page does not contain a text.
func (v *visitor) see(address string, form url.Values, want string) (body string) {
	v.t.Helper()
	status, body := v.send(address, form)
	if !strings.Contains(body, want) {
		v.t.Fatalf("%s: no %q: %d, %s", address, want, status, body)
	}
	return body
}

// signIn signs in with a token, which the demo's issuer issues, and returns the page.
func signIn(t *testing.T, demo *evpdemo.Demo, user string) string {
	t.Helper()
	v := newVisitor(t, demo)
	v.see(mail+"/sign-in", url.Values{"user": {user}}, "Signed in as")
	world := evptest.New()
	world.SetHandler("accounts.issuer.example", demo)
	browser := evptest.NewBrowser(world, demo, shop)
	browser.Session = v.jar.Cookies(&url.URL{Scheme: "https", Host: "accounts.issuer.example", Path: "/"})
	page, err := browser.SignIn("/", user+"@mail.example")
	if err != nil {
		t.Fatal(err)
	}
	return page.Body
}

// TestSignIn checks what the page shows after a sign-in with a token.
func TestSignIn(t *testing.T) {
	body := signIn(t, newDemo(t), "ada")
	if !strings.Contains(body, `Signed in as <span class="email">ada@mail.example</span>`) {
		t.Fatal(body)
	}
	checked, others, _ := strings.Cut(body, `id="attempts"`)
	if got := strings.Count(checked, `class="passed"`); got != 11 {
		t.Errorf("%d checks passed: %s", got, checked)
	}
	var got []string
	for _, m := range regexp.MustCompile(`<b>Refused:</b> ([^<]*)<`).FindAllStringSubmatch(others, -1) {
		got = append(got, m[1])
	}
	want := []string{"audience mismatch", "nonce mismatch", "expired", "the halves of the token do not belong together", "the token was used before"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, claim := range []string{"email_verified", "cnf", "nonce", "sd_hash", "aud"} {
		if !strings.Contains(body, "<code>"+claim+"</code>") {
			t.Errorf("the claim %s is not shown", claim)
		}
	}
}

// TestCode signs in with a code, which works once.
func TestCode(t *testing.T) {
	demo := newDemo(t)
	v := newVisitor(t, demo)
	body := v.see(shop+"/api/login", url.Values{"email": {"ada@mail.example"}, "token": {""}}, "Your browser sent no token")
	code := regexp.MustCompile(`id="mailed">([0-9]{6})<`).FindStringSubmatch(body)[1]
	v.see(shop+"/code", url.Values{"code": {code}}, "Signed in as")
	v.see(shop+"/api/logout", url.Values{}, "Sign in with your email")
	v.see(shop+"/code", url.Values{"code": {code}}, "another code")
	v.see(shop+"/api/login", url.Values{"email": {"ada@mail.example"}}, "Your browser sent no token")
	v.see(shop+"/code", url.Values{"code": {""}}, "another code")
	v.see(shop+"/", nil, "Sign in with your email")
}

// TestRefused posts tokens that are not accepted. The visitor gets a code.
func TestRefused(t *testing.T) {
	demo := newDemo(t)
	for name, fault := range map[string]evptest.TokenFault{"nonce": evptest.NonceOther, "signature": evptest.KBTampered} {
		page, err := evptest.NewBrowser(evptest.New(), demo, shop).SignIn("/", "ada@mail.example", fault)
		if err != nil || !strings.Contains(page.Body, "The token is refused") || !strings.Contains(page.Body, "Your code is") {
			t.Errorf("%s: %v, %+v", name, err, page)
		}
	}
	newVisitor(t, demo).see(shop+"/api/login", url.Values{"email": {"ada@mail.example"}, "token": {"x"}}, "The token is refused")
}

// TestProvider signs in and out at the mail provider.
func TestProvider(t *testing.T) {
	v := newVisitor(t, newDemo(t))
	v.see(mail+"/", nil, "Sign in to your mail")
	for _, user := range []string{"", " ", "a b", "ä", ".", "a..b", strings.Repeat("a", 65), "a\"b"} {
		v.see(mail+"/sign-in", url.Values{"user": {user}}, "A name has")
	}
	v.see(mail+"/sign-in", url.Values{"user": {"Ada@mail.example"}}, "ada@mail.example")
	v.see(mail+"/", nil, "ada@mail.example")
	v.see(mail+"/sign-out", url.Values{}, "Sign in to your mail")
	v.see(mail+"/", nil, "Sign in to your mail")
}

// TestHosts checks that only the demo's hosts are served, and the answers of its DNS.
func TestHosts(t *testing.T) {
	v := newVisitor(t, newDemo(t))
	if status, _ := v.send("https://evil.example/", nil); status != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d", status)
	}
	v.see("https://issuer.example/.well-known/web-identity", nil, mail+"/email-verification/accounts")
	v.see("https://dns.example/resolve?name=_email-verification.mail.example", nil, `"data":"iss=accounts.issuer.example"`)
	v.see("https://dns.example/resolve?name=_email-verification.other.example", nil, `{"Status":3}`)
}

// TestMarkup checks that the pages follow their own policy, and show the requests of a browser.
func TestMarkup(t *testing.T) {
	demo := newDemo(t)
	v := newVisitor(t, demo)
	links := regexp.MustCompile(`^/([a-z]|$)|^https://(shop|accounts\.issuer)\.example/$`)
	for name, body := range map[string]string{
		"front": v.see(shop+"/", nil, "Sign in with"), "provider": v.see(mail+"/", nil, "Sign in to"),
		"code":    v.see(shop+"/api/login", url.Values{"email": {"a&b@mail.example"}}, "Your code"),
		"problem": v.see(shop+"/code", url.Values{}, "another code"), "member": signIn(t, demo, "ada"),
	} {
		pagetest.Markup(t, name, body, links)
		if strings.Count(body, "<h1") != 1 || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: %s", name, body)
		}
	}
}

// TestCrossSite checks that forms of other sites are refused.
func TestCrossSite(t *testing.T) {
	demo := newDemo(t)
	for _, address := range []string{shop + "/api/login", shop + "/code", shop + "/api/logout", mail + "/sign-in", mail + "/sign-out"} {
		r := httptest.NewRequest("POST", address, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		demo.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
}

func TestWhy(t *testing.T) {
	const ada = "ada@mail.example"
	for _, c := range []struct {
		email    string
		statuses map[string]int
		want     string
	}{
		{ada, nil, "nothing at all"},
		{"ada@x.example", map[string]int{evpdemo.DNSPath: 200}, "has no issuer"},
		{ada, map[string]int{evpdemo.DNSPath: 200}, "too early"},
		{ada, map[string]int{evpdemo.DNSPath: 200, evpdemo.MetadataPath: 200}, "signed out"},
		{ada, map[string]int{evpdemo.DNSPath: 200, evpdemo.AccountsPath: 401}, "not signed in"},
		{ada, map[string]int{evpdemo.DNSPath: 200, evpdemo.AccountsPath: 200}, "another address"},
		{ada, map[string]int{evpdemo.AccountsPath: 200, evpdemo.IssuancePath: 401}, "refused"},
		{ada, map[string]int{evpdemo.AccountsPath: 200, evpdemo.IssuancePath: 200}, "before the answer"},
	} {
		if got := evpdemo.Why(c.email, c.statuses); !strings.Contains(got, c.want) {
			t.Errorf("%v: %s, want %s", c.statuses, got, c.want)
		}
	}
}

// TestForge checks that texts that are not tokens are no reason to panic.
func TestForge(t *testing.T) {
	for _, text := range []string{"", ".", "a.!.c~d.e.f", "a.W10.c"} {
		if _, err := evpdemo.Forge(text, "mallory@mail.example"); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := evpdemo.New(evpdemo.Config{Now: time.Now}); err == nil {
		t.Error("no address, and no error")
	}
}
