package assertion_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/assertion"
)

// mutantStride is 1, and more under the race detector, which makes the quarter
// of a million verifications slow.
var mutantStride = 1

// mutants gives every text that differs from a good assertion in one
// character, and every truncation and inserted newline; of these, every
// mutantStride-th.
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

func TestEveryMutantIsRefused(t *testing.T) {
	v := verifier(t, assertion.Config{})
	for name, m := range map[string]mint{
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

// TestParseKeepsEveryByte holds that what can be parsed is written as it was.
func TestParseKeepsEveryByte(t *testing.T) {
	a := mint{}.String()
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
		t.Error("no mutant could be parsed: the test holds nothing")
	}
}
