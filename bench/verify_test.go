package bench_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/workload"
)

// size is the size of the tests' pools, returning the number of their returning users.
const size, returning = 12, 6

var small = sync.OnceValues(func() (*workload.Generator, error) { return workload.NewGenerator(size) })

// pools are made once. States with the same users share one.
var pools = make(map[string]*workload.Pool)

func pool(t *testing.T, p workload.Pair, s workload.State) (*workload.Generator, *workload.Pool) {
	t.Helper()
	generator, err := small()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprint(p, s == workload.Cold || s == workload.First)
	if pools[name] == nil {
		if pools[name], err = generator.Pool(p, s); err != nil {
			t.Fatal(err)
		}
	}
	return generator, pools[name]
}

// TestVerify checks that every assertion of a pool verifies for its user, in every state.
func TestVerify(t *testing.T) {
	for _, p := range workload.Pairs() {
		for _, s := range append(p.States(), workload.First) {
			t.Run(p.String()+"/"+string(s), func(t *testing.T) {
				generator, pool := pool(t, p, s)
				r, err := generator.NewRunner(pool, s)
				if err != nil {
					t.Fatal(err)
				}
				emails := make(map[string]bool)
				for range pool.Texts {
					result, err := r.Verify(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if result.Issuer != pool.Domain {
						t.Fatalf("issuer %s, want %s", result.Issuer, pool.Domain)
					}
					emails[result.Email] = true
				}
				want := len(pool.Texts)
				if s == workload.Cert || s == workload.Table {
					want = returning
				}
				if len(emails) != want {
					t.Errorf("%d users, want %d", len(emails), want)
				}
			})
		}
	}
}

// TestPoolIsDistinct checks that no two assertions are equal, and that keys and certificates
// of new users are new.
func TestPoolIsDistinct(t *testing.T) {
	_, cold := pool(t, workload.Pair{Issuer: "DS128", User: "DS128"}, workload.Cold)
	_, warm := pool(t, workload.Pair{Issuer: "DS128", User: "DS128"}, workload.Cert)
	if n := distinct(t, cold, func(b *assertion.Backed) string { return b.Assertion.Signed() }); n != size {
		t.Errorf("%d assertions of %d", n, size)
	}
	if n := distinct(t, warm, func(b *assertion.Backed) string { return b.Assertion.Signed() }); n != size {
		t.Errorf("%d assertions of %d with returning users", n, size)
	}
	if n := distinct(t, cold, func(b *assertion.Backed) string { return b.Certificates[0].Signed() }); n != size {
		t.Errorf("%d certificates of %d", n, size)
	}
	key := func(b *assertion.Backed) string {
		k, err := b.Certificates[0].PublicKey(false)
		if err != nil {
			t.Fatal(err)
		}
		return string(k.Canonical())
	}
	if n := distinct(t, cold, key); n != size {
		t.Errorf("%d user keys of %d", n, size)
	}
	if n := distinct(t, warm, key); n != returning {
		t.Errorf("%d user keys of %d with returning users", n, returning)
	}
}

func distinct(t *testing.T, pool *workload.Pool, of func(*assertion.Backed) string) int {
	t.Helper()
	seen := make(map[string]bool)
	for _, text := range pool.Texts {
		b, err := assertion.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		seen[of(b)] = true
	}
	return len(seen)
}

// TestPlain checks that Plain agrees with the verifier.
func TestPlain(t *testing.T) {
	for _, p := range workload.Pairs() {
		t.Run(p.String(), func(t *testing.T) {
			_, pool := pool(t, p, workload.Cold)
			issuers := plainIssuers(t, pool)
			for i, text := range pool.Texts {
				email, err := workload.Plain(text, workload.Audience, workload.Now, issuers)
				if err != nil || !strings.HasSuffix(email, "@"+pool.Domain) {
					t.Fatalf("assertion %d: %q, %v", i, email, err)
				}
			}
			certificate, own, _ := strings.Cut(pool.Texts[0], "~")
			_, other, _ := strings.Cut(pool.Texts[1], "~")
			otherCertificate, _, _ := strings.Cut(pool.Texts[1], "~")
			forged := certificate[:strings.LastIndexByte(certificate, '.')] + otherCertificate[strings.LastIndexByte(otherCertificate, '.'):]
			for name, bad := range map[string]string{
				"another's assertion": certificate + "~" + other, "another's certificate signature": forged + "~" + own,
				"no certificate": own, "garbage": "~..",
			} {
				if _, err := workload.Plain(bad, workload.Audience, workload.Now, issuers); err == nil {
					t.Errorf("%s: accepted", name)
				}
			}
			if _, err := workload.Plain(pool.Texts[0], "https://other.example", workload.Now, issuers); err == nil {
				t.Error("accepted for another audience")
			}
			if _, err := workload.Plain(pool.Texts[0], workload.Audience, workload.Now.AddDate(1, 0, 0), issuers); err == nil {
				t.Error("accepted a year later")
			}
		})
	}
}

func plainIssuers(t *testing.T, pool *workload.Pool) map[string]workload.PlainKey {
	t.Helper()
	text, err := pool.Key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	key, err := workload.ParsePlainKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]workload.PlainKey{pool.Domain: key}
}

// TestRunnerError checks that a runner returns an error if an assertion is refused.
func TestRunnerError(t *testing.T) {
	generator, pool := pool(t, workload.Pair{Issuer: "DS128", User: "DS128"}, workload.Cold)
	spoiled := *pool
	spoiled.Texts = []string{pool.Texts[0][:len(pool.Texts[0])-8] + "AAAAAAAA"}
	if _, err := generator.NewRunner(&spoiled, workload.Cold); !errors.Is(err, assertion.ErrSignature) {
		t.Errorf("%v, want ErrSignature", err)
	}
}
