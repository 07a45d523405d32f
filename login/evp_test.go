package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/login"
)

// evpSite is an application with a form for tokens, and a world with the issuer of idp.example.
type evpSite struct {
	*app
	world    *evptest.World
	results  []*assertion.Result
	fallback []fallback
}

// fallback is one call of EVP.Fallback.
type fallback struct {
	email, next string
	err         error
}

// newEVPSite returns a site whose page /sign-in has the form. The functions may change the
// configuration.
func newEVPSite(t testing.TB, change ...func(*evpSite, *login.Config[*user])) *evpSite {
	t.Helper()
	s := &evpSite{world: evptest.New(evptest.NewIssuer("accounts.idp.example", []string{"idp.example"})).At(now)}
	tokens, err := evp.NewVerifier(evp.Config{
		Origins:  []string{"https://other.example"}, // login sets its own
		Resolver: s.world, InsecureTransport: s.world, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.app = newApp(t, func(a *app, c *login.Config[*user]) {
		s.app = a
		c.EVP = &login.EVP{Verifier: tokens, Fallback: s.mailCode}
		find := c.FindOrCreate
		c.FindOrCreate = func(ctx context.Context, res *assertion.Result) (*user, error) {
			s.results = append(s.results, res)
			return find(ctx, res)
		}
		for _, f := range change {
			f(s, c)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler)
	mux.HandleFunc("/sign-in", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<form method="post" action="/api/login"><input type="hidden" name="next" value="/?from=form">%s</form>`, s.FormFields(w, r))
	})
	mux.HandleFunc("/code", func(w http.ResponseWriter, r *http.Request) { s.SignIn(w, r, r.PostFormValue("email")) })
	s.Handler = mux
	return s
}

// mailCode is the application's own way to sign in.
func (s *evpSite) mailCode(w http.ResponseWriter, r *http.Request, email string) {
	s.fallback = append(s.fallback, fallback{email, r.PostFormValue("next"), login.TokenError(r.Context())})
	w.Write([]byte("a code was mailed"))
}

// browser returns a pretended browser that sends tokens.
func (s *evpSite) browser() *evptest.Browser { return evptest.NewBrowser(s.world, s.Handler, rp) }

// open loads the form and types an address.
func (s *evpSite) open(t testing.TB, b *evptest.Browser, email string) *evptest.Form {
	t.Helper()
	page, err := b.Open("/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	f, err := page.Type(email)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// token returns the token of a form.
func (s *evpSite) token(t testing.TB, f *evptest.Form, faults ...evptest.TokenFault) string {
	t.Helper()
	token, err := f.Token(faults...)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// submit posts a form with a token, and returns the page after redirects.
func submit(t testing.TB, f *evptest.Form, token string) *evptest.Page {
	t.Helper()
	page, err := f.Submit(token)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func (s *evpSite) wantGreeting(t testing.TB, b *evptest.Browser, name string) {
	t.Helper()
	if page, err := b.Open("/"); err != nil || page.Body != "hello "+name {
		t.Errorf("%v: the site answers %q, want hello %s", err, page.Body, name)
	}
}

// wantFallback fails the test unless the page is that of the last call of the fallback, whose
// error matches err.
func (s *evpSite) wantFallback(t testing.TB, page *evptest.Page, email string, err error) {
	t.Helper()
	if page.Status != 200 || page.Body != "a code was mailed" || len(s.fallback) == 0 {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	last := s.fallback[len(s.fallback)-1]
	if last.email != email || !errors.Is(last.err, err) || last.next != "/?from=form" {
		t.Errorf("the fallback was called with %+v, want %s, %v", last, email, err)
	}
}

func TestToken(t *testing.T) {
	s := newEVPSite(t)
	b := s.browser()
	page, err := b.SignIn("/sign-in", "Alice@idp.example")
	if err != nil {
		t.Fatal(err)
	}
	if page.URL.String() != rp+"/?from=form" || page.Body != "hello Alice@idp.example" || len(s.fallback) > 0 {
		t.Errorf("%s: %d %s, %+v", page.URL, page.Status, page.Body, s.fallback)
	}
	res := s.results[0]
	if res.Email != "Alice@idp.example" || res.Issuer != "accounts.idp.example" || res.Audience != rp || res.IDPClaims != nil {
		t.Errorf("%+v", res)
	}
	s.wantGreeting(t, b, "Alice@idp.example")
	s.wantGreeting(t, s.browser(), "stranger")

	b = s.browser()
	b.Private = true
	if _, err := b.SignIn("/sign-in", "bob@idp.example"); err != nil {
		t.Fatal(err)
	}
	if got := string(s.results[1].IDPClaims["is_private_email"]); got != "true" {
		t.Errorf("is_private_email: %q", got)
	}
}

// TestTokenAnswer checks the answer to a script.
func TestTokenAnswer(t *testing.T) {
	s := newEVPSite(t)
	b := newBrowser(t, s.app)
	var nonce string
	s.app.Handler = nonceOf(s, &nonce)
	b.site = s.app.Handler
	b.get("/", form)
	token := s.world.Token(evptest.Request{Email: "alice@idp.example", Origin: rp, Nonce: nonce})
	w := b.post("/api/login", script, "email", " alice@idp.example\n", "token", token)
	wantAnswer(t, w, 200, `{"status":"okay","email":"alice@idp.example"}`)
}

// nonceOf returns a site whose page shows the form, and stores its nonce.
func nonceOf(s *evpSite, nonce *string) http.Handler {
	mux := http.NewServeMux()
	s.Routes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, rest, _ := strings.Cut(string(s.FormFields(w, r)), ` nonce="`)
		*nonce, _, _ = strings.Cut(rest, `"`)
	})
	return mux
}

// TestTokenRefused checks that every visitor whose token is not accepted gets the fallback, and
// that the log has the cause, without the address.
func TestTokenRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		faults  []evptest.TokenFault
		network []evptest.NetworkFault
		want    error
		log     string // part of the line
	}{
		{"too old", []evptest.TokenFault{evptest.KBOld}, nil, assertion.ErrExpired, `level=INFO msg="login: a token is refused, expired"`},
		{"for another site", []evptest.TokenFault{evptest.AudienceOther}, nil, assertion.ErrAudience, `level=WARN msg="login: a token for another audience is refused"`},
		{"another nonce", []evptest.TokenFault{evptest.NonceOther}, nil, evp.ErrNonce, `level=INFO msg="login: a token is refused, nonce mismatch" error="nonce mismatch: a nonce that is unknown`},
		{"another address", []evptest.TokenFault{evptest.EmailOfAnother}, nil, evp.ErrEmail, `level=INFO msg="login: a token is refused`},
		{"no KB-JWT", []evptest.TokenFault{evptest.AsIssued}, nil, assertion.ErrMalformed, `level=INFO msg="login: a token is refused, malformed" error="malformed token`},
		{"a signature", []evptest.TokenFault{evptest.KBTampered}, nil, assertion.ErrSignature, `level=INFO msg="login: a token is refused, invalid signature"`},
		{"no issuer", nil, []evptest.NetworkFault{evptest.NoRecord}, assertion.ErrIssuer, `level=INFO msg="login: a token is refused`},
		{"the issuer is down", nil, []evptest.NetworkFault{evptest.MetadataError503}, assertion.ErrUndecided, `level=WARN msg="login: a token is undecided"`},
		{"DNS is down", nil, []evptest.NetworkFault{evptest.NameServersFail}, assertion.ErrUndecided, `level=WARN msg="login: a token is undecided"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newEVPSite(t)
			s.world.Set(c.network...)
			b := s.browser()
			f := s.open(t, b, "alice@idp.example")
			token := s.token(t, f, c.faults...)
			s.wantFallback(t, submit(t, f, token), "alice@idp.example", c.want)
			s.wantGreeting(t, b, "stranger")
			if log := s.logs.String(); !strings.Contains(log, c.log) || strings.Contains(log, "alice") || strings.Contains(log, token) {
				t.Errorf("log %s", log)
			}
		})
	}
}

func TestNoToken(t *testing.T) {
	s := newEVPSite(t)
	b := s.browser()
	page, err := b.SignInWithout("/sign-in", "Alice@IDP.example")
	if err != nil {
		t.Fatal(err)
	}
	s.wantFallback(t, page, "Alice@idp.example", evp.ErrNoToken)
	if s.logs.Len() > 0 {
		t.Errorf("log %s", &s.logs)
	}
	// The nonce is not used up.
	f := s.open(t, b, "alice@idp.example")
	submit(t, f, "")
	if page := submit(t, f, s.token(t, f)); page.Body != "hello alice@idp.example" {
		t.Errorf("after a post without a token: %d %s", page.Status, page.Body)
	}
	if login.TokenError(context.Background()) != nil {
		t.Error("TokenError of another context")
	}
}

// TestTokenTwice checks that a token signs in once, and that each tab has its own nonce.
func TestTokenTwice(t *testing.T) {
	s := newEVPSite(t)
	b := s.browser()
	first, second := s.open(t, b, "alice@idp.example"), s.open(t, b, "bob@idp.example")
	token := s.token(t, first)
	if page := submit(t, first, token); page.Body != "hello alice@idp.example" {
		t.Errorf("%d %s", page.Status, page.Body)
	}
	s.wantFallback(t, submit(t, first, token), "alice@idp.example", evp.ErrNonce)
	if page := submit(t, second, s.token(t, second)); page.Body != "hello bob@idp.example" {
		t.Errorf("the other tab: %d %s", page.Status, page.Body)
	}
	stolen := s.open(t, b, "alice@idp.example")
	token = s.token(t, stolen)
	thief := s.open(t, s.browser(), "alice@idp.example")
	s.wantFallback(t, submit(t, thief, token), "alice@idp.example", evp.ErrNonce)
}

// reusableStore is a store that lets all nonces be used again, as a cookie does.
type reusableStore struct{ stored *string }

func (s reusableStore) UpdateNonces(_ http.ResponseWriter, _ *http.Request, change func(string) string) error {
	if changed := change(*s.stored); len(changed) > len(*s.stored) {
		*s.stored = changed
	}
	return nil
}

// TestTokenOneUse checks the guards that New adds, and that a guard which fails is not an error
// for visitors.
func TestTokenOneUse(t *testing.T) {
	withReuse := func(_ *evpSite, c *login.Config[*user]) {
		nonces, err := evp.NewNonces(evp.NoncesConfig{Store: reusableStore{new(string)}})
		if err != nil {
			t.Fatal(err)
		}
		c.EVP.Nonces = nonces
	}
	for _, c := range []struct {
		name   string
		change func(*evpSite, *login.Config[*user])
		second error // nil means that the second use is accepted
	}{
		{"default", func(*evpSite, *login.Config[*user]) {}, assertion.ErrReplayed},
		{"of the configuration", func(_ *evpSite, c *login.Config[*user]) {
			c.OneUse = assertion.NewMemoryOneUse(10, clock)
		}, assertion.ErrReplayed},
		{"none", func(_ *evpSite, c *login.Config[*user]) { c.InsecureReplay = true }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newEVPSite(t, withReuse, c.change)
			f := s.open(t, s.browser(), "alice@idp.example")
			token := s.token(t, f)
			submit(t, f, token)
			page := submit(t, f, token)
			if c.second != nil {
				s.wantFallback(t, page, "alice@idp.example", c.second)
			} else if page.Body != "hello alice@idp.example" {
				t.Errorf("%d %s", page.Status, page.Body)
			}
		})
	}
	s := newEVPSite(t, func(_ *evpSite, c *login.Config[*user]) { c.OneUse = brokenGuard{} })
	f := s.open(t, s.browser(), "alice@idp.example")
	s.wantFallback(t, submit(t, f, s.token(t, f)), "alice@idp.example", assertion.ErrUndecided)
}

// TestTokenUsers checks that the application decides who signs in, as after an assertion.
func TestTokenUsers(t *testing.T) {
	s := newEVPSite(t)
	for email, want := range map[string]string{
		"guest@idp.example":   "accounts are by invitation",
		"nobody@idp.example":  "There is no account for this address here.",
		"mallory@idp.example": "There is no account for this address here.",
	} {
		b := s.browser()
		page, err := b.SignIn("/sign-in", email)
		if err != nil {
			t.Fatal(err)
		}
		if page.Status != 403 || !strings.Contains(page.Body, want) {
			t.Errorf("%s: %d %s", email, page.Status, page.Body)
		}
		s.wantGreeting(t, b, "stranger")
	}
	s.broken = true
	if page, err := s.browser().SignIn("/sign-in", "alice@idp.example"); err != nil || page.Status != 503 {
		t.Errorf("%v: %+v", err, page)
	}
	if len(s.fallback) > 0 {
		t.Errorf("the fallback was called with %+v", s.fallback)
	}
}

// TestEmailRequests checks forms that are refused before a token is read.
func TestEmailRequests(t *testing.T) {
	s := newEVPSite(t)
	b := newBrowser(t, s.Handler)
	for _, c := range []struct {
		name   string
		fields []string
		header http.Header
		status int
		reason string
	}{
		{"no address", []string{"token", "x"}, nil, 400, "malformed email address"},
		{"an empty address", []string{"email", "  "}, nil, 400, "malformed email address"},
		{"not an address", []string{"email", "alice"}, nil, 400, "malformed email address"},
		{"a port", []string{"email", "alice@idp.example:25"}, nil, 400, "malformed email address"},
		{"an IP address", []string{"email", "alice@127.0.0.1"}, nil, 400, "malformed email address"},
		{"a host of this network", []string{"email", "root@localhost"}, nil, 400, "malformed email address"},
		{"an underscore", []string{"email", "alice@_idp.example"}, nil, 400, "malformed email address"},
		{"a hyphen at the start", []string{"email", "alice@-idp.example"}, nil, 400, "malformed email address"},
		{"a header of a mail", []string{"email", "alice@idp.example\r\nBcc: bob@idp.example"}, nil, 400, "malformed email address"},
		{"two addresses", []string{"email", "alice@idp.example", "email", "bob@idp.example"}, nil, 400, "malformed form"},
		{"two tokens", []string{"email", "alice@idp.example", "token", "x", "token", "y"}, nil, 400, "malformed form"},
		{"another site", []string{"email", "alice@idp.example"}, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, 403, "cross-origin request refused"},
		{"neither assertion nor address", []string{"assertion", "", "next", "/"}, nil, 400, "missing assertion parameter"},
		{"an assertion too", []string{"assertion", "x", "email", "alice@idp.example"}, nil, 403, "no certificates provided"},
		{"too large", []string{"email", "alice@idp.example", "token", strings.Repeat("x", 64<<10)}, nil, 413, "form too large"},
	} {
		header := script.Clone()
		for name, values := range c.header {
			header[name] = values
		}
		w := b.post("/api/login", header, c.fields...)
		var got assertionAnswer
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != c.status || !strings.HasPrefix(got.Reason, c.reason) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	if w := b.post("/api/login", form, "email", "alice"); w.Code != 400 || !strings.Contains(w.Body.String(), "This is not an email address.") {
		t.Errorf("a form: %d %s", w.Code, w.Body)
	}
	if len(s.fallback) > 0 {
		t.Errorf("the fallback was called with %+v", s.fallback)
	}
}

type assertionAnswer struct{ Status, Reason string }

// TestAssertionBesideTokens checks that assertions sign in as before.
func TestAssertionBesideTokens(t *testing.T) {
	s := newEVPSite(t)
	b := newBrowser(t, s.Handler)
	b.signIn("alice@idp.example")
	b.wantGreeting("alice@idp.example")

	script := string(s.AuthScript())
	if !strings.HasSuffix(script, evp.Script()) {
		t.Error("the script does not restore nonces")
	}
	if plain := newApp(t); strings.Contains(string(plain.AuthScript()), "evp") ||
		plain.FormFields(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) != "" {
		t.Error("an application without EVP has a part of it")
	}
	w := newBrowser(t, newApp(t)).post("/api/login", http.Header{"Accept": {"application/json"}}, "email", "alice@idp.example")
	wantAnswer(t, w, 400, failure("missing assertion parameter"))
}

func TestSignIn(t *testing.T) {
	s := newEVPSite(t)
	b := newBrowser(t, s.Handler)
	w := b.post("/code", script, "email", "alice@IDP.example", "next", "/members")
	wantAnswer(t, w, 200, `{"status":"okay","email":"alice@idp.example","next":"/members"}`)
	b.wantGreeting("alice@idp.example")
	if w := b.post("/code", form, "email", "bob@idp.example", "next", "//evil.example"); w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	b.wantGreeting("bob@idp.example")
	if !slices.Equal(s.loggedOut, []string{"alice@idp.example"}) {
		t.Errorf("OnLogout was called with %q", s.loggedOut)
	}
	wantAnswer(t, b.post("/code", script, "email", "guest@idp.example"), 403, failure("accounts are by invitation"))
	wantAnswer(t, b.post("/code", script, "email", "x"), 400, failure("malformed email address"))
	if res := s.results[0]; res.Email != "alice@idp.example" || res.Issuer != "" {
		t.Errorf("%+v", res)
	}
}

// TestSessionNonces checks nonces in the sessions of an application, with and without its
// LoadAndSave.
func TestSessionNonces(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		t.Run(fmt.Sprint("LoadAndSave: ", wrapped), func(t *testing.T) {
			sessions := secureSessions()
			s := newEVPSite(t, func(_ *evpSite, c *login.Config[*user]) { c.Sessions = sessions })
			if wrapped {
				s.Handler = sessions.LoadAndSave(s.Handler)
			}
			s.Handler = onceEach(t, s.Handler)
			b := s.browser()
			first, second := s.open(t, b, "alice@idp.example"), s.open(t, b, "bob@idp.example")
			token := s.token(t, first)
			if page := submit(t, first, token); page.Body != "hello alice@idp.example" {
				t.Errorf("%d %s", page.Status, page.Body)
			}
			s.wantFallback(t, submit(t, first, token), "alice@idp.example", evp.ErrNonce)
			// The login renewed the session, and another user signs in with the other form.
			if page := submit(t, second, s.token(t, second)); page.Body != "hello bob@idp.example" {
				t.Errorf("the other tab: %d %s", page.Status, page.Body)
			}
			thief := s.open(t, s.browser(), "alice@idp.example")
			stolen := s.token(t, s.open(t, b, "alice@idp.example"))
			s.wantFallback(t, submit(t, thief, stolen), "alice@idp.example", evp.ErrNonce)
		})
	}
}

// onceEach returns a handler that fails the test if a response sets a cookie twice.
func onceEach(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		var names []string
		for _, line := range w.Header()["Set-Cookie"] {
			name, _, _ := strings.Cut(line, "=")
			if slices.Contains(names, name) {
				t.Errorf("%s %s sets the cookie %s twice", r.Method, r.URL, name)
			}
			names = append(names, name)
		}
	})
}

// downStore is a session store that fails.
type downStore struct{ scs.Store }

func (downStore) Find(string) ([]byte, bool, error)      { return nil, false, errDatabase }
func (downStore) Commit(string, []byte, time.Time) error { return errDatabase }

// TestSessionNoncesUnmade checks that a session manager that scs.New has not made is an error.
func TestSessionNoncesUnmade(t *testing.T) {
	for name, manager := range map[string]*scs.SessionManager{"nil": nil, "zero": {}} {
		nonces, err := evp.NewNonces(evp.NoncesConfig{Store: login.SessionNonces(manager)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nonces.Issue(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)); !errors.Is(err, assertion.ErrUndecided) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSessionNoncesFail checks that a form works without a nonce if the session store fails.
func TestSessionNoncesFail(t *testing.T) {
	sessions := secureSessions()
	s := newEVPSite(t, func(_ *evpSite, c *login.Config[*user]) { c.Sessions = sessions })
	sessions.Store = downStore{}
	b := s.browser()
	f := s.open(t, b, "alice@idp.example")
	if f.Nonce != "" || !strings.Contains(s.logs.String(), `level=ERROR msg="login: a form has no nonce"`) {
		t.Errorf("nonce %q, log %s", f.Nonce, &s.logs)
	}
	s.wantFallback(t, submit(t, f, ""), "alice@idp.example", evp.ErrNoToken)
	sessions.Store = scs.New().Store
	f = s.open(t, b, "alice@idp.example")
	token := s.token(t, f)
	sessions.Store = downStore{}
	s.wantFallback(t, submit(t, f, token), "alice@idp.example", assertion.ErrUndecided)
}

func TestEVPConfig(t *testing.T) {
	nothing := func(http.ResponseWriter, *http.Request, string) {}
	for name, c := range map[string]login.EVP{
		"no fallback":       {},
		"a bad attribute":   {Fallback: nothing, Form: evp.Form{EmailAttributes: map[string]string{"onclick": "x"}}},
		"the field next":    {Fallback: nothing, Form: evp.Form{EmailName: "next"}},
		"another assertion": {Fallback: nothing, Form: evp.Form{TokenName: "assertion"}},
		"two with one name": {Fallback: nothing, Form: evp.Form{TokenName: "email"}},
		"zero nonces":       {Fallback: nothing, Nonces: new(evp.Nonces)},
		"a zero verifier":   {Fallback: nothing, Verifier: new(evp.Verifier)},
	} {
		config := config(t)
		config.EVP = &c
		if _, err := login.New(config); err == nil || !strings.HasPrefix(err.Error(), "login: EVP.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	insecure := config(t)
	insecure.Audiences, insecure.InsecureHTTP = []string{"http://rp.example"}, true
	insecure.EVP = &login.EVP{Fallback: nothing}
	if _, err := login.New(insecure); err == nil || !strings.HasPrefix(err.Error(), "login: EVP.") {
		t.Errorf("http on another machine: %v", err)
	}
	config := config(t)
	config.EVP = &login.EVP{Fallback: nothing, Form: evp.Form{EmailName: "address", TokenName: "evt"}}
	l, err := login.New(config) // with the default verifier
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	fields := string(l.FormFields(w, httptest.NewRequest("GET", "/", nil)))
	if !strings.Contains(fields, ` name="address"`) || !strings.Contains(fields, ` name="evt"`) || w.Header().Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(w.Header().Get("Set-Cookie"), "__Host-login-evp=") {
		t.Errorf("%s\n%v", fields, w.Header())
	}
}
