package evptest_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
)

var profiles = []evp.Profile{evp.Default, evp.Draft02}

// verify verifies a token in the profile.
func verify(t testing.TB, w *evptest.World, profile evp.Profile, token string) (*evp.Result, error) {
	t.Helper()
	c := w.Config(origin)
	c.Profile = profile
	v, err := evp.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(t.Context(), token, evp.Expected{Nonce: nonce, Email: email})
}

// check checks an error against an expectation.
func check(t testing.TB, e evptest.Expectation, profile evp.Profile, err error) {
	t.Helper()
	want := e.Err
	if profile == evp.Draft02 {
		want = e.Draft02
	}
	if (err == nil) != (want == nil) || !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", profile, err, want)
	}
	if want == nil {
		return
	}
	if undecided := errors.Is(err, assertion.ErrUndecided); undecided != (want == assertion.ErrUndecided) {
		t.Errorf("%s: undecided: %v", profile, undecided)
	}
	var detailed *evp.Error
	if !errors.As(err, &detailed) || detailed.Rule != e.Rule && (e.Err != nil || detailed.Rule != "10.draft-02") {
		t.Errorf("%s: rule %s, want %s", profile, detailed.Rule, e.Rule)
	}
}

// TestTokenFaults checks that every fault of a token leads to the error in its
// documentation, in both profiles.
func TestTokenFaults(t *testing.T) {
	for _, f := range evptest.TokenFaults() {
		t.Run(f.Name, func(t *testing.T) {
			for _, profile := range profiles {
				world := evptest.New().At(now)
				_, err := verify(t, world, profile, world.Token(request, f))
				check(t, f.Expectation, profile, err)
				wantOfflineFirst(t, world, f.Rule, err)
			}
		})
	}
}

// wantOfflineFirst checks that nothing was asked for if a rule before 8 is broken.
func wantOfflineFirst(t *testing.T, w *evptest.World, rule string, err error) {
	t.Helper()
	offline := !strings.HasPrefix(rule, "8.") && !strings.HasPrefix(rule, "10.")
	if asked := w.Asked(); err != nil && offline && len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
}

// TestNetworkFaults does the same for faults of DNS and of the issuer's hosts, in memory
// and over TLS.
func TestNetworkFaults(t *testing.T) {
	for _, f := range evptest.NetworkFaults() {
		t.Run(f.Name, func(t *testing.T) {
			for _, profile := range profiles {
				world := evptest.New().At(now)
				token := world.Token(request)
				world.Set(f)
				_, err := verify(t, world, profile, token)
				check(t, f.Expectation, profile, err)
			}
		})
	}
}

// TestNetworkFaultsOverTLS repeats the faults over real TLS, except those of addresses, which
// only a dialer sees.
func TestNetworkFaultsOverTLS(t *testing.T) {
	for _, f := range evptest.NetworkFaults() {
		if f.Rule == "9.guard" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			world := evptest.New()
			world.Set(f)
			_, err := verifyOverTLS(t, world, world.Token(request))
			check(t, f.Expectation, evp.Default, err)
		})
	}
}

func verifyOverTLS(t *testing.T, world *evptest.World, token string, sites ...idptest.Site) (*evp.Result, error) {
	t.Helper()
	server := idptest.NewServer()
	t.Cleanup(server.Close)
	world.Serve(server)
	if len(sites) > 0 {
		server.Set(evptest.DefaultHost, sites...)
	}
	v, err := evp.NewVerifier(world.TLSConfig(server, origin))
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(t.Context(), token, evp.Expected{Nonce: nonce, Email: email})
}

// TestSites checks that faults of connections, as package idptest has them, can be set.
func TestSites(t *testing.T) {
	world := evptest.New()
	for name, c := range map[string]struct {
		site idptest.Site
		want error
	}{
		"none":            {idptest.Handler(world), nil},
		"expired TLS":     {idptest.Handler(world).Expired(), assertion.ErrUndecided},
		"private address": {idptest.PrivateAddress(), assertion.ErrIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := verifyOverTLS(t, world, world.Token(request), c.site); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestFaultsAreDocumented checks that every exported fault is in one of the lists, and
// that its documentation names its rule and its error.
func TestFaultsAreDocumented(t *testing.T) {
	listed := map[string]evptest.Expectation{}
	for _, f := range evptest.TokenFaults() {
		listed[f.Name] = f.Expectation
	}
	for _, f := range evptest.NetworkFaults() {
		listed[f.Name] = f.Expectation
	}
	documented := 0
	for name, doc := range documentation(t, "tokenfaults.go", "networkfaults.go") {
		e, ok := listed[kebab(name)]
		if !ok {
			t.Errorf("%s is not listed", name)
			continue
		}
		documented++
		want := fmt.Sprintf("Rule %s: %s", e.Rule, outcome(e))
		if text := strings.Join(strings.Fields(doc), " "); !strings.HasPrefix(text, name+" ") || !strings.HasSuffix(text, want) {
			t.Errorf("%s: its documentation does not end with %q", name, want)
		}
	}
	if documented != len(listed) {
		t.Errorf("%d faults documented, %d listed", documented, len(listed))
	}
}

// TestRulesHaveFaults checks that there is a fault for every rule, except those that a token
// cannot break.
func TestRulesHaveFaults(t *testing.T) {
	document, err := os.ReadFile("../../docs/EVP.md")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{
		"7.offline-first": true,                                         // about the order of the checks
		"10.refresh":      true,                                         // TestRotation, TestRefreshFails
		"11.answer":       true, "11.expires": true, "11.private": true, // about the answer
	}
	for _, f := range evptest.TokenFaults() {
		covered[f.Rule] = true
	}
	for _, f := range evptest.NetworkFaults() {
		covered[f.Rule] = true
	}
	rules := regexp.MustCompile(`(?m)^\* \*\*\[([^]]+)\]`).FindAllStringSubmatch(string(document), -1)
	for _, rule := range rules {
		if !covered[rule[1]] {
			t.Errorf("no fault breaks %s", rule[1])
		}
	}
	if len(rules) < 30 {
		t.Errorf("%d rules", len(rules))
	}
}

// outcome returns the end of the documentation of a fault.
func outcome(e evptest.Expectation) string {
	switch {
	case e.Err == nil && e.Draft02 == nil:
		return "accepted."
	case e.Err == nil:
		return "accepted by the default profile; " + errorNames[e.Draft02] + " under Draft02."
	}
	return errorNames[e.Err] + "."
}

var errorNames = map[error]string{
	assertion.ErrMalformed: "assertion.ErrMalformed", assertion.ErrUndecided: "assertion.ErrUndecided",
	assertion.ErrAlgorithm: "assertion.ErrAlgorithm", assertion.ErrKey: "assertion.ErrKey",
	assertion.ErrSignature: "assertion.ErrSignature", assertion.ErrAudience: "assertion.ErrAudience",
	assertion.ErrExpired: "assertion.ErrExpired", assertion.ErrNotYetValid: "assertion.ErrNotYetValid",
	assertion.ErrIssuer: "assertion.ErrIssuer", evp.ErrHeader: "evp.ErrHeader", evp.ErrClaims: "evp.ErrClaims",
	evp.ErrEmail: "evp.ErrEmail", evp.ErrNonce: "evp.ErrNonce", evp.ErrBinding: "evp.ErrBinding",
}

// documentation returns the documentation of the exported variables of files.
func documentation(t *testing.T, files ...string) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, s := range group.Specs {
				spec := s.(*ast.ValueSpec)
				docs[spec.Names[0].Name] = spec.Doc.Text()
			}
		}
	}
	return docs
}

// kebab returns a name in lower case, with hyphens between its words: KBByThief is
// kb-by-thief.
func kebab(name string) string {
	var b strings.Builder
	upper := func(i int) bool { return name[i] >= 'A' && name[i] <= 'Z' }
	lower := func(i int) bool { return i < len(name) && name[i] >= 'a' && name[i] <= 'z' }
	for i := range len(name) {
		if i > 0 && upper(i) && (!upper(i-1) || lower(i+1)) {
			b.WriteByte('-')
		}
		b.WriteString(strings.ToLower(name[i : i+1]))
	}
	return b.String()
}
