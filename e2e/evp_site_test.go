package e2e

import (
	"context"
	"crypto/rand"
	"html/template"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/login"
)

// evpSite is a relying party with package login and the page of examples/evp.
type evpSite struct {
	policy, reportOnly string // Content-Security-Policy of the page, and its report-only one
	noScript           bool   // the page does not have the script that restores the nonce

	origin string
	auth   *login.Login[string]

	mu      sync.Mutex
	results []*assertion.Result // of those who have signed in
	refused []error             // why others got a code
	codes   map[string]string   // addresses by code
}

// strictPolicy is the policy of examples/evp, and what the tests need.
const strictPolicy = "default-src 'none'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'"

// examplePage is the page of examples/evp.
var examplePage = sync.OnceValue(func() *template.Template {
	source, err := os.ReadFile("../examples/evp/main.go")
	must(err)
	text := regexp.MustCompile("(?s)Parse\\(`(.*?)`\\)").FindSubmatch(source)
	return template.Must(template.New("").Parse(string(text[1])))
})

// newEVPSite serves a relying party at the world's site.
func (world *evpWorld) newEVPSite(s *evpSite) *evpSite {
	world.t.Helper()
	s.origin, s.codes = world.origin(), make(map[string]string)
	verifier, err := evp.NewVerifier(evp.Config{
		Origins: []string{s.origin}, Resolver: world.internet, RootCAs: world.roots, InsecureAllowPrivate: true,
		InsecureDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", world.listener.Addr().String())
		},
	})
	if err != nil {
		world.t.Fatal(err)
	}
	s.auth, err = login.New(login.Config[string]{
		Audiences: []string{s.origin}, FindOrCreate: s.findOrCreate,
		UserID:   func(email string) string { return email },
		FindByID: func(_ context.Context, email string) (string, error) { return email, nil },
		EVP: &login.EVP{
			Verifier: verifier, Fallback: s.sendCode,
			Form: evp.Form{EmailAttributes: map[string]string{"id": "email", "required": ""}},
		},
	})
	if err != nil {
		world.t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.auth.Routes(mux)
	mux.Handle("GET /{$}", s.auth.WithUser(http.HandlerFunc(s.page)))
	mux.HandleFunc("POST /code", s.useCode)
	mux.HandleFunc("GET /absent.js", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/javascript") })
	world.serve(world.site, http.NewCrossOriginProtection().Handler(mux))
	return s
}

func (s *evpSite) page(w http.ResponseWriter, r *http.Request) {
	user, _ := s.auth.User(r.Context())
	script := s.auth.ScriptURL()
	if s.noScript {
		script = "/absent.js"
	}
	s.show(w, map[string]any{"User": user, "Fields": s.auth.FormFields(w, r), "Script": script})
}

func (s *evpSite) show(w http.ResponseWriter, data map[string]any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if s.policy != "" {
		w.Header().Set("Content-Security-Policy", s.policy)
	}
	if s.reportOnly != "" {
		w.Header().Set("Content-Security-Policy-Report-Only", s.reportOnly)
	}
	_ = examplePage().Execute(w, data) // the browser may have gone
}

func (s *evpSite) findOrCreate(_ context.Context, res *assertion.Result) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, res)
	return res.Email, nil
}

// sendCode is the fallback.
func (s *evpSite) sendCode(w http.ResponseWriter, r *http.Request, email string) {
	s.mu.Lock()
	s.refused = append(s.refused, login.TokenError(r.Context()))
	s.codes[rand.Text()] = email
	s.mu.Unlock()
	s.show(w, map[string]any{"Mailed": email})
}

func (s *evpSite) useCode(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	email := s.codes[r.PostFormValue("code")]
	s.mu.Unlock()
	s.auth.SignIn(w, r, email)
}

// code returns the code that was sent to an address.
func (s *evpSite) code(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for code, to := range s.codes {
		if to == email {
			return code
		}
	}
	return ""
}

// last returns the result of the last sign-in, and why the last code was sent. Either may be nil.
func (s *evpSite) last() (signedIn *assertion.Result, refused error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.results); n > 0 {
		signedIn = s.results[n-1]
	}
	if n := len(s.refused); n > 0 {
		refused = s.refused[n-1]
	}
	return signedIn, refused
}

// check checks that a token of the world's issuer has signed in the user of an address.
func (s *evpSite) check(t *testing.T, world *evpWorld, email string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.results, func(r *assertion.Result) bool {
		return r.Email == email && r.Audience == world.origin() && r.Issuer == world.issuer
	}) {
		t.Errorf("no token of %s was accepted", email)
	}
}
