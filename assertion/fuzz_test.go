package assertion_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, row := range reasons() {
		f.Add(row.a)
	}
	for _, m := range []mint{{}, {userKey: userRSA}, {issuerKey: idpDSA}} {
		f.Add(m.String())
	}
}

// FuzzParse holds that Parse gives nil exactly with an error of its classes,
// and that what it takes apart can be put together again, to the byte.
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

// FuzzVerify holds that Verify gives nil exactly with an error that Failure
// has an answer for, that Explain agrees, and that nothing is accepted that was
// not signed here: the seeds that hold, and no other text.
func FuzzVerify(f *testing.F) {
	seeds(f)
	v := verifier(f, assertion.Config{MaxChain: 2, InsecureWeakKeys: true})
	good := map[string]bool{}
	for _, m := range []mint{{}, {userKey: userRSA}, {issuerKey: idpDSA}} {
		good[m.String()] = true
	}
	for _, row := range reasons() {
		if _, err := v.Verify(context.Background(), row.a, rp); err == nil {
			good[row.a] = true // by what this verifier allows
		}
	}
	f.Fuzz(func(t *testing.T, a string) {
		res, err := v.Verify(context.Background(), a, rp)
		if (res == nil) != (err != nil) {
			t.Fatalf("%v with %v", res, err)
		}
		if err == nil && !good[a] {
			t.Fatalf("accepted %q", a)
		}
		if err != nil && assertion.Failure(err) == nil {
			t.Fatalf("no answer for %v", err)
		}
		e := v.Explain(context.Background(), a, rp)
		if (e.Err == nil) != (err == nil) {
			t.Fatalf("verified %v, explained %v", err, e.Err)
		}
	})
}
