package assertion_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// changing is a source that answers whatever it holds at the moment.
type changing struct{ now *wellknown.Authority }

func (c *changing) Authority(context.Context, string, string) (*wellknown.Authority, error) {
	return c.now, nil
}

// TestRememberedDecidesNothing holds that a certificate whose signature is
// known to hold is judged anew in every other respect.
func TestRememberedDecidesNothing(t *testing.T) {
	at := now
	source := &changing{authority("idp.example", idpKey.Public())}
	store := assertion.NewMemoryOneUse(100, func() time.Time { return at })
	v, err := assertion.NewVerifier(assertion.Config{Keys: source, Now: func() time.Time { return at }, OneUse: store, MaxLife: -1})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	verify := func(want error) {
		t.Helper()
		n++
		a := mint{assertion: map[string]any{"n": n, "exp": now.Add(23 * time.Hour).UnixMilli()}}.String()
		if _, err := v.Verify(context.Background(), a, rp); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	for range 4 {
		verify(nil)
	}
	if certificates, _, _ := assertion.CacheSize(v); certificates != 1 {
		t.Fatalf("%d certificates remembered", certificates)
	}
	good := source.now
	source.now = authority("idp.example", otherRSA.Public())
	verify(assertion.ErrSignature)
	source.now = authority("idp.example", idpDSA.Public())
	verify(assertion.ErrAlgorithm)
	source.now = authority("idp.example")
	verify(assertion.ErrAlgorithm)
	source.now = authority("d.example", idpKey.Public())
	verify(assertion.ErrIssuer)
	source.now = good
	verify(nil)
	at = now.Add(2 * time.Hour) // the certificate has expired, the assertions have not
	verify(assertion.ErrExpired)
	at = now.Add(-time.Hour)
	verify(assertion.ErrNotYetValid)
}

// TestCachesChangeNothing holds that verifications come to the same with caches
// cold, warm and off.
func TestCachesChangeNothing(t *testing.T) {
	for name, row := range reasons() {
		off := row.config
		off.CertificateCache, off.KeyTables = -1, -1
		want, wantErr := verifier(t, off).Verify(context.Background(), row.a, rp)
		v := verifier(t, row.config)
		for round := range 5 {
			// The good one shares issuer, key and sometimes certificate.
			if _, err := v.Verify(context.Background(), mint{}.String(), rp); err != nil && len(row.config.TrustedIssuers) == 0 {
				t.Fatal(err)
			}
			got, err := v.Verify(context.Background(), row.a, rp)
			if diff := cmp.Diff(want, got); diff != "" || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%s, round %d: %v, without caches %v: %s", name, round, err, wantErr, diff)
			}
		}
	}
}

// TestResultsAreTheCallers holds that what a caller does to a result does not
// reach the next one.
func TestResultsAreTheCallers(t *testing.T) {
	v := verifier(t, assertion.Config{})
	a := mint{cert: map[string]any{"level": "high"}}.String()
	for range 3 {
		res, err := v.Verify(context.Background(), a, rp)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(res.IDPClaims["level"]); got != `"high"` {
			t.Fatalf("level %s", got)
		}
		clear(res.IDPClaims["level"])
		delete(res.IDPClaims, "level")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	v := verifier(t, assertion.Config{CertificateCache: 50, KeyTables: 20})
	for i := range 200 {
		a := mint{issuerKey: idpDSA, cert: map[string]any{"n": i}}.String()
		for range 4 {
			if _, err := v.Verify(context.Background(), a, rp); err != nil {
				t.Fatal(err)
			}
		}
	}
	certificates, tables, bytes := assertion.CacheSize(v)
	if certificates != 50 || tables > 40 || bytes > 22<<20 {
		t.Errorf("%d certificates, %d tables, %d bytes", certificates, tables, bytes)
	}
	off := verifier(t, assertion.Config{CertificateCache: -1, KeyTables: -1})
	for range 4 {
		if _, err := off.Verify(context.Background(), mint{}.String(), rp); err != nil {
			t.Fatal(err)
		}
	}
	if certificates, tables, bytes := assertion.CacheSize(off); certificates != 0 || tables != 0 || bytes != 0 {
		t.Errorf("switched off: %d certificates, %d tables, %d bytes", certificates, tables, bytes)
	}
}

// oddKey is a key of a type that cannot be compared.
type oddKey struct {
	keys.PublicKey
	_ []int
}

// TestForeignKeys holds that a source may have keys of its own types.
func TestForeignKeys(t *testing.T) {
	v := verifier(t, assertion.Config{Keys: &changing{authority("idp.example", oddKey{PublicKey: idpKey.Public()})}})
	for range 4 {
		if _, err := v.Verify(context.Background(), mint{}.String(), rp); err != nil {
			t.Fatal(err)
		}
	}
	if certificates, _, _ := assertion.CacheSize(v); certificates != 0 {
		t.Errorf("%d certificates remembered of a signer without identity", certificates)
	}
}
