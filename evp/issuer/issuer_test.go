package issuer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/evp/issuer"
)

// get returns the answer to a GET of a browser with this Sec-Fetch-Dest.
func get(h http.Handler, path, dest string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", issuerOrigin+path, nil)
	r.Header.Set("Sec-Fetch-Dest", dest)
	r.Header.Set("Cookie", "session=s3cr3t")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func document(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	var d map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMetadata(t *testing.T) {
	for alg, want := range map[string][]any{
		issuer.Ed25519: {"Ed25519"}, issuer.EdDSA: {"EdDSA", "Ed25519"}, issuer.ES256: {"ES256", "Ed25519"}, issuer.RS256: {"RS256", "Ed25519"},
	} {
		c := config(t)
		c.Keys, c.IssuancePath = testKeys(t, alg), ""
		w := get(newIssuer(t, c), "/.well-known/email-verification", "empty")
		if diff := cmp.Diff(map[string]any{
			"issuer":                       issuerOrigin,
			"issuance_endpoint":            issuerOrigin + "/email-verification/issuance",
			"jwks_uri":                     issuerOrigin + "/email-verification/jwks",
			"signing_alg_values_supported": want,
		}, document(t, w)); diff != "" {
			t.Errorf("%s: %s", alg, diff)
		}
		if got := w.Header().Get("Cache-Control"); got != "public, max-age=3600" {
			t.Errorf("Cache-Control: %s", got)
		}
	}
	c := config(t)
	c.PrivateEmail = func(*http.Request, string, string) (string, error) { return "", nil }
	if d := document(t, get(newIssuer(t, c), "/.well-known/email-verification", "empty")); d["private_email_supported"] != true {
		t.Errorf("got %v", d)
	}
}

func TestWebIdentityAndAccounts(t *testing.T) {
	c := config(t)
	c.Accounts = accountsOf(issuer.Account{ID: "1", Name: "Alice", Email: alice}, issuer.Account{Email: "a@mail.example"},
		issuer.Account{Email: "not an address"})
	i := newIssuer(t, c)
	if diff := cmp.Diff(map[string]any{
		"accounts_endpoint": issuerOrigin + "/email-verification/accounts", "login_url": issuerOrigin + "/login",
	}, document(t, get(i, "/.well-known/web-identity", "webidentity"))); diff != "" {
		t.Error(diff)
	}
	w := get(i, "/email-verification/accounts", "webidentity")
	if diff := cmp.Diff(map[string]any{"accounts": []any{
		map[string]any{"id": "1", "name": "Alice", "email": alice},
		map[string]any{"id": "oLRymvYB715Wu9AKR5dZgg", "email": "a@mail.example"},
	}}, document(t, w)); diff != "" {
		t.Error(diff)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %s", got)
	}
}

func TestAccountsAreForBrowsersOnly(t *testing.T) {
	asked := false
	c := config(t)
	c.Accounts = func(*http.Request) ([]issuer.Account, error) { asked = true; return nil, nil }
	i := newIssuer(t, c)
	for _, dest := range []string{"", "empty", "document", "email-verification"} {
		if got := code(t, get(i, "/email-verification/accounts", dest)); got != badRequest || asked {
			t.Errorf("%q: got %s, the session was asked: %v", dest, got, asked)
		}
	}
	if got := code(t, get(i, "/email-verification/accounts", "webidentity")); got != noSession {
		t.Errorf("no user signed in: got %s", got)
	}
	r := httptest.NewRequest("GET", "https://other.example/email-verification/accounts", nil)
	r.Header.Set("Sec-Fetch-Dest", "webidentity")
	w := httptest.NewRecorder()
	if i.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("another host: got %d", w.Code)
	}
}

func TestMethods(t *testing.T) {
	i := newIssuer(t, config(t))
	for _, test := range []struct{ method, path, want, allow string }{
		{"POST", "/.well-known/email-verification", "405 invalid_request", "GET, HEAD"},
		{"POST", "/email-verification/jwks", "405 invalid_request", "GET, HEAD"},
		{"POST", "/email-verification/accounts", "405 invalid_request", "GET, HEAD"},
		{"HEAD", "/email-verification/jwks", "200", ""},
		{"OPTIONS", "/issue", "405 invalid_request", "POST"},
		{"GET", "/issue", "405 invalid_request", "POST"},
		{"GET", "/", "404", ""},
		{"GET", "/login", "404", ""},
	} {
		w := httptest.NewRecorder()
		i.ServeHTTP(w, httptest.NewRequest(test.method, issuerOrigin+test.path, nil))
		if got := code(t, w); got != test.want || w.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s: got %s, Allow %q", test.method, test.path, got, w.Header().Get("Allow"))
		}
		for name := range w.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s: %s", test.method, test.path, name)
			}
		}
	}
}

func TestPathsAndRecord(t *testing.T) {
	i := newIssuer(t, config(t))
	for _, path := range i.Paths() {
		if w := get(i, path, "webidentity"); w.Code == http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if name, value := i.Record("mail.example"); name != "_email-verification.mail.example" || value != "iss="+issuerHost {
		t.Errorf("got %s %s", name, value)
	}
	if got := i.WebIdentityURL(); got != "https://issuer.example/.well-known/web-identity" {
		t.Errorf("got %s", got)
	}
}

func TestLoginStatus(t *testing.T) {
	for want, set := range map[string]func(http.ResponseWriter){"logged-in": issuer.LoggedIn, "logged-out": issuer.LoggedOut} {
		w := httptest.NewRecorder()
		set(w)
		if got := w.Header().Get("Set-Login"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestBodies(t *testing.T) {
	c := config(t)
	c.MaxBody = 200
	i := newIssuer(t, c)
	for _, test := range []struct{ name, body, want string }{
		{"spaces", ` { "email" : "alice@mail.example" } `, "200"},
		{"escapes", `{"email":"alice\u0040mail.example"}`, "200"},
		{"unknown members", `{"email":"alice@mail.example","webauthn_response":{}}`, "200"},
		{"not private", `{"email":"alice@mail.example","private_email":false}`, "200"},
		{"private", `{"email":"alice@mail.example","private_email":true}`, "400 private_email_not_supported"},
		{"directed", `{"email":"alice@mail.example","directed_email":"x@relay.example"}`, "400 private_email_not_supported"},
		{"directed and empty", `{"email":"alice@mail.example","directed_email":""}`, "400 private_email_not_supported"},
		{"private and directed", `{"email":"alice@mail.example","private_email":true,"directed_email":"x@relay.example"}`, badRequest},
		{"private is a string", `{"email":"alice@mail.example","private_email":"true"}`, badRequest},
		{"directed is null", `{"email":"alice@mail.example","directed_email":null}`, badRequest},
		{"email twice", `{"email":"alice@mail.example","email":"alice@mail.example"}`, badRequest},
		{"no email", `{}`, badRequest},
		{"email in capitals", `{"Email":"alice@mail.example"}`, badRequest},
		{"email is null", `{"email":null}`, badRequest},
		{"email is a list", `{"email":["alice@mail.example"]}`, badRequest},
		{"domain in capitals", `{"email":"alice@Mail.example"}`, badRequest},
		{"domain in Unicode", `{"email":"alice@bücher.example"}`, badRequest},
		{"space", `{"email":"alice@mail.example "}`, badRequest},
		{"two at signs", `{"email":"alice@x@mail.example"}`, badRequest},
		{"one label", `{"email":"alice@localhost"}`, badRequest},
		{"IPv4 address", `{"email":"alice@192.0.2.1"}`, badRequest},
		{"port", `{"email":"alice@mail.example:80"}`, badRequest},
		{"quoted", `{"email":"\"alice\"@mail.example"}`, badRequest},
		{"not UTF-8", "{\"email\":\"alice\xff@mail.example\"}", badRequest},
		{"list", `[{"email":"alice@mail.example"}]`, badRequest},
		{"two objects", `{"email":"alice@mail.example"}{}`, badRequest},
		{"at the limit", bodyFor(alice) + strings.Repeat(" ", 200-len(bodyFor(alice))), "200"},
		{"over the limit", bodyFor(alice) + strings.Repeat(" ", 201-len(bodyFor(alice))), "413 invalid_request"},
		{"another's address", bodyFor("bob@mail.example"), noSession},
		{"a subdomain", bodyFor("alice@x.mail.example"), noSession},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := code(t, newBrowser().ask(test.body).send(t, i)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestContentTypes(t *testing.T) {
	i := newIssuer(t, config(t))
	for value, want := range map[string]string{
		"application/json": "200", "Application/JSON; charset=utf-8": "200",
		"application/json; a=" + strings.Repeat("b", 300): badType, // 1 MiB of parameters take a second to parse
		"application/jsonx": badType, "application/ld+json": badType, "text/json": badType, "application/json; a": badType, "": badType,
	} {
		if got := code(t, newBrowser().ask(bodyFor(alice)).set("Content-Type", value).send(t, i)); got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}

// TestAnswersDoNotTellAddresses checks that the answers to strangers are the same.
func TestAnswersDoNotTellAddresses(t *testing.T) {
	i := newIssuer(t, config(t))
	b := newBrowser()
	first := b.ask(bodyFor("bob@mail.example")).send(t, i)
	for _, m := range []message{
		b.ask(bodyFor("nobody@nowhere.example")), b.ask(bodyFor(alice)).without("Cookie"), b.ask(bodyFor("bob@mail.example")).without("Cookie"),
	} {
		w := m.send(t, i)
		if w.Code != http.StatusUnauthorized || !bytes.Equal(w.Body.Bytes(), first.Body.Bytes()) || cmp.Diff(w.Header(), first.Header()) != "" {
			t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
		}
	}
}

func TestUpperAndLowerCase(t *testing.T) {
	c := config(t)
	i := newIssuer(t, c)
	c.ExactAddresses = true
	exact := newIssuer(t, c)
	m := newBrowser().ask(bodyFor("Alice@mail.example"))
	if got := claims(t, issued(t, m.send(t, i)))["email"]; got != "Alice@mail.example" {
		t.Errorf("got %v", got)
	}
	if got := code(t, m.send(t, exact)); got != noSession {
		t.Errorf("got %s", got)
	}
	c = config(t)
	c.Accounts = accountsOf(issuer.Account{Email: "\u212aay@mail.example"}) // a Kelvin sign
	if got := code(t, newBrowser().ask(bodyFor("kay@mail.example")).send(t, newIssuer(t, c))); got != noSession {
		t.Errorf("got %s", got)
	}
}

func TestPrivateAddresses(t *testing.T) {
	const relay = "u7x9k2m4@relay.example"
	c := config(t)
	c.PrivateEmail = func(_ *http.Request, email, directed string) (string, error) {
		switch {
		case email != alice:
			return "", errors.New("called for another address")
		case directed == "broken@relay.example":
			return "", errors.New("database")
		case directed == "changed@relay.example", directed == "", directed == relay:
			return relay, nil
		}
		return "", issuer.ErrDirectedEmail
	}
	i := newIssuer(t, c)
	ask := func(member string) message {
		return newBrowser().ask(`{"email":"Alice@mail.example",` + member + `}`)
	}
	for _, member := range []string{`"private_email":true`, `"directed_email":"` + relay + `"`} {
		got := claims(t, issued(t, ask(member).send(t, i)))
		if got["email"] != relay || got["is_private_email"] != true {
			t.Errorf("%s: got %v", member, got)
		}
	}
	for member, want := range map[string]string{
		`"directed_email":"other@relay.example"`:   "400 invalid_directed_email",
		`"directed_email":"not an address"`:        "400 invalid_directed_email",
		`"directed_email":""`:                      "400 invalid_directed_email",
		`"directed_email":"broken@relay.example"`:  "500 server_error",
		`"directed_email":"changed@relay.example"`: "500 server_error",
	} {
		if got := code(t, ask(member).send(t, i)); got != want {
			t.Errorf("%s: got %s, want %s", member, got, want)
		}
	}
	if got := code(t, newBrowser().ask(`{"email":"bob@mail.example","directed_email":"`+relay+`"}`).send(t, i)); got != noSession {
		t.Errorf("got %s", got)
	}
	c.Accounts = accountsOf(issuer.Account{Email: relay, Private: true})
	got := claims(t, issued(t, newBrowser().ask(bodyFor(relay)).send(t, newIssuer(t, c))))
	if got["email"] != relay || got["is_private_email"] != true {
		t.Errorf("got %v", got)
	}
}

func TestErrorsOfTheApplication(t *testing.T) {
	var log bytes.Buffer
	c := config(t)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c.Accounts = func(*http.Request) ([]issuer.Account, error) { return nil, errors.New("database is away") }
	w := newBrowser().ask(bodyFor(alice)).send(t, newIssuer(t, c))
	if got := code(t, w); got != "500 server_error" || strings.Contains(w.Body.String(), "database") {
		t.Errorf("got %s %s", got, w.Body)
	}
	if text := log.String(); !strings.Contains(text, "database is away") || strings.Contains(text, "alice") {
		t.Errorf("logged %s", text)
	}
}

func TestLogOfRefusals(t *testing.T) {
	var log bytes.Buffer
	c := config(t)
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	i := newIssuer(t, c)
	for _, m := range mutations(stranger()) {
		m.change(newBrowser().ask(bodyFor(alice))).send(t, i)
	}
	text := log.String()
	for _, secret := range []string{"alice", "mail.example", "s3cr3t", newBrowser().ask("").get("Signature-Key")[50:70]} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	stranger().set("Cookie", "session=s3cr3t").send(t, i)
	text = log.String()
	for _, want := range []string{"Content-Digest does not match", "no user is signed in", "none with this address", "Sec-Fetch-Dest"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// TestLogOfInvalidAccounts checks that the log names a mistake of the application that no
// answer shows.
func TestLogOfInvalidAccounts(t *testing.T) {
	var log bytes.Buffer
	c := config(t)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c.Accounts = accountsOf(issuer.Account{Email: "alice@Mail.example"}, issuer.Account{Email: ""})
	i := newIssuer(t, c)
	for range 2 {
		if got := code(t, newBrowser().ask(bodyFor(alice)).send(t, i)); got != noSession {
			t.Error(got)
		}
	}
	text := log.String()
	if strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "not valid") || strings.Contains(strings.ToLower(text), alice) {
		t.Errorf("logged %s", text)
	}
}

// TestLogOfDisconnects checks that clients that disconnect do not cause log records.
func TestLogOfDisconnects(t *testing.T) {
	var log bytes.Buffer
	c := config(t)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c.Accounts = func(r *http.Request) ([]issuer.Account, error) { return nil, r.Context().Err() }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	newIssuer(t, c).ServeHTTP(w, newBrowser().ask(bodyFor(alice)).request(t).WithContext(ctx))
	if got := code(t, w); got != "500 server_error" || log.Len() > 0 {
		t.Errorf("%s, logged %s", got, &log)
	}
}

// TestSessionIsAskedLast checks that forged requests do not reach the application.
func TestSessionIsAskedLast(t *testing.T) {
	c := config(t)
	hook := c.Accounts
	asked := 0
	c.Accounts = func(r *http.Request) ([]issuer.Account, error) {
		asked++
		if n, _ := r.Body.Read(make([]byte, 1)); n != 0 {
			t.Error("the hook can read the body")
		}
		return hook(r)
	}
	i := newIssuer(t, c)
	for _, m := range mutations(stranger()) {
		if asked = 0; m.want == noSession {
			continue
		}
		if m.change(newBrowser().ask(bodyFor(alice))).send(t, i); asked != 0 {
			t.Errorf("%s: the session was asked", m.name)
		}
	}
	issued(t, newBrowser().ask(bodyFor(alice)).send(t, i))
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*issuer.Config){
		"no issuer":           func(c *issuer.Config) { c.Issuer = "" },
		"http":                func(c *issuer.Config) { c.Issuer = "http://issuer.example" },
		"host alone":          func(c *issuer.Config) { c.Issuer = "issuer.example" },
		"capitals":            func(c *issuer.Config) { c.Issuer = "https://Issuer.example" },
		"slash":               func(c *issuer.Config) { c.Issuer = "https://issuer.example/" },
		"port":                func(c *issuer.Config) { c.Issuer = "https://issuer.example:8443" },
		"default port":        func(c *issuer.Config) { c.Issuer = "https://issuer.example:443" },
		"Unicode":             func(c *issuer.Config) { c.Issuer = "https://bücher.example" },
		"one label":           func(c *issuer.Config) { c.Issuer = "https://localhost" },
		"IPv4":                func(c *issuer.Config) { c.Issuer = "https://192.0.2.1" },
		"IPv6":                func(c *issuer.Config) { c.Issuer = "https://[::1]" },
		"no keys":             func(c *issuer.Config) { c.Keys = nil },
		"empty keys":          func(c *issuer.Config) { c.Keys = new(issuer.Keys) },
		"no accounts":         func(c *issuer.Config) { c.Accounts = nil },
		"no login":            func(c *issuer.Config) { c.LoginURL = "" },
		"login over http":     func(c *issuer.Config) { c.LoginURL = "http://issuer.example/login" },
		"login without host":  func(c *issuer.Config) { c.LoginURL = "https:///login" },
		"relative path":       func(c *issuer.Config) { c.IssuancePath = "issue" },
		"path with query":     func(c *issuer.Config) { c.IssuancePath = "/issue?a" },
		"path with escape":    func(c *issuer.Config) { c.IssuancePath = "/is%20sue" },
		"path with dots":      func(c *issuer.Config) { c.IssuancePath = "/a/../issue" },
		"path ends in slash":  func(c *issuer.Config) { c.JWKSPath = "/keys/" },
		"root":                func(c *issuer.Config) { c.JWKSPath = "/" },
		"path used twice":     func(c *issuer.Config) { c.AccountsPath = "/issue" },
		"path is well-known":  func(c *issuer.Config) { c.AccountsPath = "/.well-known/web-identity" },
		"negative body":       func(c *issuer.Config) { c.MaxBody = -1 },
		"negative age":        func(c *issuer.Config) { c.MaxAge = -1 },
		"login with userinfo": func(c *issuer.Config) { c.LoginURL = "https://a@issuer.example/login" },
	} {
		c := config(t)
		change(&c)
		if _, err := issuer.New(c); err == nil || !strings.HasPrefix(err.Error(), "issuer: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	c := config(t)
	c.LoginURL = "https://login.example/"
	if d := document(t, get(newIssuer(t, c), "/.well-known/web-identity", "webidentity")); d["login_url"] != c.LoginURL {
		t.Errorf("got %v", d)
	}
}

// TestServer checks requests over a real connection, with many at once and rotating keys.
func TestServer(t *testing.T) {
	c := config(t)
	c.AnyHost = true
	server := httptest.NewServer(newIssuer(t, c))
	defer server.Close()
	done := make(chan error)
	for range 4 {
		go func() {
			for range 20 {
				if err := askOver(t.Context(), server); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 20 {
		if err := c.Keys.Rotate(); err != nil {
			t.Error(err)
		}
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func askOver(ctx context.Context, server *httptest.Server) error {
	m := newBrowser().ask(bodyFor(alice))
	r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/issue", strings.NewReader(m.body))
	if err != nil {
		return err
	}
	for _, h := range m.headers[1:] { // without Host
		r.Header.Set(h[0], h[1])
	}
	response, err := server.Client().Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}
