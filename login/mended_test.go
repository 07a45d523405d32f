package login_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/login"
)

// The tests in this file are for the defects of Flask-BrowserID that this
// package mends: one each, named after it, and red where it is still there.

// It took a login or logout from any site's form.
func TestMendedNoCrossSiteProtection(t *testing.T) {
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
			w := victim.post(rp+"/api/login", c.header, "assertion", proof("alice@idp.example"))
			if w.Code != c.want {
				t.Errorf("login: %d %s, want %d", w.Code, w.Body, c.want)
			}
			if c.want == 403 {
				wantAnswer(t, w, 403, failure("cross-origin request refused"))
				victim.sees("stranger")
			}

			victim.signIn("bob@idp.example")
			if w := victim.post(rp+"/api/logout", c.header); w.Code != c.want {
				t.Errorf("logout: %d %s, want %d", w.Code, w.Body, c.want)
			}
			victim.sees(map[int]string{403: "bob@idp.example", 200: "stranger"}[c.want])
		})
	}
}

// It took the audience from the Host header, and put a slash behind it.
func TestMendedAudienceTakenFromHost(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, host := range []string{"evil.example", "rp.example:8080", "localhost"} {
		r := posting("https://"+host+"/api/login", "assertion", idp.Backed("alice@idp.example", userKey, "https://"+host))
		w := b.do(r, script)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"reason":"audience mismatch: `) {
			t.Errorf("Host %s and an assertion for it: %d %s", host, w.Code, w.Body)
		}
		b.sees("stranger")

		// Behind a proxy that names another host, the configured one still counts.
		w = b.with(nil).do(posting("http://"+host+"/api/login", "assertion", proof("alice@idp.example")), script)
		if w.Code != http.StatusOK {
			t.Errorf("Host %s and an assertion for %s: %d %s", host, rp, w.Code, w.Body)
		}
	}
}

func TestMendedAudienceTakenFromHost_construction(t *testing.T) {
	for _, audiences := range [][]string{nil, {}, {""}, {"https://rp.example/"}, {"rp.example"}} {
		c := config(t)
		c.Audiences = audiences
		if _, err := login.New(c); err == nil {
			t.Errorf("made a Login with the audiences %q", audiences)
		}
	}
}

// It asked a remote verifier, and when that could not be reached said 500.
func TestMendedUndecidedIsFailure(t *testing.T) {
	b := newBrowser(t, newApp(t))
	undecided := unreachable()

	w := b.post("/api/login", script, "assertion", undecided)
	wantAnswer(t, w, 503, `{"status":"failure","reason":"undecided, try again later","undecided":true}`)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}

	w = b.post("/api/login", form, "assertion", undecided)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Please try again in a moment.") {
		t.Errorf("to a form: %d %v %s", w.Code, w.Header(), w.Body)
	}
	b.sees("stranger")
}

// It answered whatever was wrong by 500 and text/html.
func TestMendedFailuresAre500(t *testing.T) {
	const formType = "application/x-www-form-urlencoded"
	expired := idp.At(now.Add(-1e12)).Backed("alice@idp.example", userKey, rp)
	for _, c := range []struct {
		name, method, path, contentType, body string
		status                                int
		reason                                string
	}{
		{"expired", "POST", "/api/login", formType, "assertion=" + expired, 403, "expired"},
		{"wrong audience", "POST", "/api/login", formType, "assertion=" + idp.Backed("alice@idp.example", userKey, "https://other.example"), 403, "audience mismatch: domain mismatch"},
		{"no assertion at all", "POST", "/api/login", formType, "assertion=x", 403, "no certificates provided"},
		{"no such user", "POST", "/api/login", formType, "assertion=" + proof("nobody@idp.example"), 403, "no user with this address"},
		{"no field", "POST", "/api/login", formType, "x=y", 400, "missing assertion parameter"},
		{"empty field", "POST", "/api/login", formType, "assertion=", 400, "missing assertion parameter"},
		{"no body", "POST", "/api/login", "", "", 400, "missing assertion parameter"},
		{"in the query", "POST", "/api/login?assertion=" + proof("alice@idp.example"), formType, "", 400, "missing assertion parameter"},
		{"twice", "POST", "/api/login", formType, "assertion=x&assertion=y", 400, "malformed form"},
		{"broken escape", "POST", "/api/login", formType, "assertion=%zz", 400, "malformed form"},
		{"get", "GET", "/api/login", "", "", 405, "method not allowed"},
		{"put", "PUT", "/api/login", "", "", 405, "method not allowed"},
		{"get logout", "GET", "/api/logout", "", "", 405, "method not allowed"},
		{"too large", "POST", "/api/login", formType, "assertion=" + strings.Repeat("x", 64<<10), 413, "form too large"},
		{"too large logout", "POST", "/api/logout", formType, "next=" + strings.Repeat("x", 64<<10), 413, "form too large"},
		{"json", "POST", "/api/login", "application/json", `{"assertion":"x"}`, 415, "unsupported content type"},
		{"text", "POST", "/api/login", "text/plain", "assertion=x", 415, "unsupported content type"},
		{"multipart", "POST", "/api/login", "multipart/form-data; boundary=x", "--x--", 415, "unsupported content type"},
		{"no type", "POST", "/api/login", "", "assertion=x", 415, "unsupported content type"},
		{"json logout", "POST", "/api/logout", "application/json", `{}`, 415, "unsupported content type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			w := newBrowser(t, newApp(t)).do(r, script)
			wantAnswer(t, w, c.status, failure(c.reason))
			if allow := w.Header().Get("Allow"); (c.status == 405) != (allow == "POST") {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

// Its script needed jQuery and said what was wrong by alert().
func TestMendedScriptNeedsJQuery(t *testing.T) {
	text := string(newApp(t).AuthScript())
	for _, never := range []string{"jQuery", "$(", "$.", "alert(", "innerHTML", "eval("} {
		if strings.Contains(text, never) {
			t.Errorf("the script has %s", never)
		}
	}
	for _, always := range []string{"fetch(", "'browserid:error'", "'aria-live'"} {
		if !strings.Contains(text, always) {
			t.Errorf("the script has no %s", always) // that they work: TestScript
		}
	}
}

// Its sessions went on under the same token when somebody signed in, so that
// whoever had planted the token was signed in as well.
func TestMendedSessionFixation(t *testing.T) {
	sessions := secureSessions()
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Sessions = sessions })
	visits := http.NewServeMux() // the application gives a session to every visitor
	visits.Handle("/", sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "visited", true)
	})))
	visits.Handle("/api/", a)

	attacker := newBrowser(t, visits)
	attacker.get("/", form)
	planted := attacker.cookies["session"]
	if planted == "" {
		t.Fatal("no session to plant")
	}
	victim := attacker.with(attacker.cookies)
	victim.site = a
	victim.signIn("alice@idp.example")
	victim.sees("alice@idp.example")
	if victim.cookies["session"] == planted {
		t.Error("the session has the token from before the login")
	}
	attacker.site = a
	attacker.sees("stranger")

	// The same at the logout, where the token from before it ends.
	stolen := victim.with(victim.cookies)
	if w := victim.post("/api/logout", script); w.Code != http.StatusOK {
		t.Fatalf("logout: %d", w.Code)
	}
	stolen.sees("stranger")
	if _, found, err := sessions.Store.Find(stolen.cookies["session"]); found || err != nil {
		t.Errorf("the session is still there: %v, %v", found, err)
	}
}

// A token of an attacker's own making is not taken over either.
func TestMendedSessionFixation_madeUp(t *testing.T) {
	a := newApp(t)
	b := newBrowser(t, a)
	b.cookies["__Host-login"] = "made-up"
	b.signIn("alice@idp.example")
	if b.cookies["__Host-login"] == "made-up" {
		t.Error("the session has the token that was sent")
	}
	b.with(map[string]string{"__Host-login": "made-up"}).sees("stranger")
}

// Users who had been deactivated were told that they had signed in.
func TestMendedInactiveUserLoggedIn(t *testing.T) {
	b := newBrowser(t, newApp(t))
	for _, email := range []string{"mallory@idp.example", "gone@idp.example"} { // whom Load gives and ByID does not
		w := b.post("/api/login", script, "assertion", proof(email))
		wantAnswer(t, w, 403, failure("no user with this address"))
		if len(b.cookies) > 0 {
			t.Error("a session was made")
		}
	}
}

// Its loader was called with failures, as if they were answers.
func TestMendedFailurePassedToLoader(t *testing.T) {
	a := newApp(t, func(a *app, c *login.Config[*user]) {
		c.Verifier = verifier(t, assertion.Config{TrustedIssuers: []string{"idp.example"}})
	})
	b := newBrowser(t, a)
	noAddress := idp.Certificate("alice@idp.example", userKey.Public()).With("principal", map[string]any{})
	for name, posted := range map[string]string{
		"malformed":      "x~y",
		"expired":        idp.At(now.Add(-1e13)).Backed("alice@idp.example", userKey, rp),
		"other audience": idp.Backed("alice@idp.example", userKey, "https://other.example"),
		"undecided":      unreachable(),
		"no address":     noAddress.String() + "~" + idp.Assertion(rp, userKey).String(),
	} {
		w := b.post("/api/login", script, "assertion", posted)
		var answer struct{ Status string }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Status != "failure" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if a.loads != 0 {
		t.Errorf("the loader was called %d times", a.loads)
	}
	b.signIn("alice@idp.example")
	if a.loads != 1 {
		t.Errorf("the loader was called %d times for an assertion that holds", a.loads)
	}
}
