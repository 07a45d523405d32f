package assertion_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
)

// mutantStride is 1, and more under the race detector, with which a quarter of a
// million verifications take too long.
var mutantStride = 1

// mutants calls each with the texts that differ from a in one character, are
// truncated, or have a line break inserted: with every mutantStride-th of them.
func mutants(a string, each func(string)) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	n := 0
	offer := func(s string) {
		if n++; n%mutantStride == 0 {
			each(s)
		}
	}
	for i := range len(a) {
		for _, c := range alphabet {
			if byte(c) != a[i] {
				offer(a[:i] + string(c) + a[i+1:])
			}
		}
		offer(a[:i])
		for _, newline := range []string{"\n", "\r", "\r\n"} {
			offer(a[:i] + newline + a[i:])
		}
	}
	offer(a + "\n")
}

func TestMutantsAreRejected(t *testing.T) {
	v := verifier(t, assertion.Config{})
	for name, m := range map[string]spec{
		"RS256 DS128": {}, "DS128 RS256": {issuerKey: idpDSA, userKey: userRSA},
	} {
		t.Run(name, func(t *testing.T) {
			a := m.String()
			if _, err := v.Verify(context.Background(), a, rp); err != nil {
				t.Fatal(err)
			}
			texts := make(chan string)
			var wg sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				wg.Go(func() {
					for s := range texts {
						if res, err := v.Verify(context.Background(), s, rp); err == nil || res != nil {
							t.Errorf("accepted %q", s)
						}
					}
				})
			}
			mutants(a, func(s string) { texts <- s })
			close(texts)
			wg.Wait()
		})
	}
}

// TestSignRefuses checks that Sign returns an error for a template that cannot become an assertion.
func TestSignRefuses(t *testing.T) {
	usual := assertion.Template{Audience: rp, IssuedAt: now, Expires: now.Add(time.Minute)}
	for name, c := range map[string]struct {
		change func(*assertion.Template)
		key    keys.PrivateKey
		chain  []string
	}{
		"no certificate":     {func(*assertion.Template) {}, userRSA, nil},
		"no private key":     {func(*assertion.Template) {}, nil, []string{"certificate"}},
		"no audience":        {func(s *assertion.Template) { s.Audience = "" }, userRSA, []string{"certificate"}},
		"audience no origin": {func(s *assertion.Template) { s.Audience += "/x" }, userRSA, []string{"certificate"}},
		"no expiry":          {func(s *assertion.Template) { s.Expires = time.Time{} }, userRSA, []string{"certificate"}},
		"no times":           {func(s *assertion.Template) { s.IssuedAt, s.Expires = time.Time{}, time.Time{} }, userRSA, []string{"certificate"}},
		"a protocol's claim": {func(s *assertion.Template) { s.Extra = map[string]any{"aud": rp} }, userRSA, []string{"certificate"}},
	} {
		template := usual
		c.change(&template)
		if s, err := assertion.Sign(template, c.key, c.chain...); !errors.Is(err, certchain.ErrTemplate) || s != "" {
			t.Errorf("%s: %q, %v", name, s, err)
		}
	}
	if _, err := assertion.Sign(usual, userRSA, "certificate"); err != nil {
		t.Errorf("a usual one: %v", err)
	}
}

// TestBackedString checks that String returns the text that was parsed.
func TestBackedString(t *testing.T) {
	a := spec{}.String()
	parsed := 0
	mutants(a, func(s string) {
		b, err := assertion.Parse(s)
		if (b == nil) != (err != nil) {
			t.Fatalf("%v with %v", b, err)
		}
		if err == nil && b.String() != s {
			t.Fatalf("%q is written as %q", s, b)
		}
		if err == nil {
			parsed++
		}
	})
	if parsed == 0 || strings.Count(a, "~") != 1 {
		t.Error("no mutant could be parsed: the test checks nothing")
	}
}

func seeds(f *testing.F) {
	f.Helper()
	for _, row := range reasons() {
		f.Add(row.a)
	}
	for _, m := range []spec{{}, {userKey: userRSA}, {issuerKey: idpDSA}} {
		f.Add(m.String())
	}
}

// FuzzParse checks that Parse returns either a result or an error of its classes,
// and that String returns the text that was parsed.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, a string) {
		b, err := assertion.Parse(a)
		if (b == nil) != (err != nil) {
			t.Fatalf("%v with %v", b, err)
		}
		if err != nil {
			if !errors.Is(err, assertion.ErrMalformed) && !errors.Is(err, assertion.ErrChain) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		if b.String() != a {
			t.Fatalf("%q is written as %q", a, b)
		}
		if len(b.Certificates) != strings.Count(a, "~") {
			t.Fatalf("%d certificates in %q", len(b.Certificates), a)
		}
	})
}
