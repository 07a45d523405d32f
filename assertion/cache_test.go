package assertion_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// TestCachedCertificateIsChecked checks that the cache replaces only the check of
// the signature, and no other check.
func TestCachedCertificateIsChecked(t *testing.T) {
	at := now
	source := &variableSource{authority("idp.example", idpKey.Public())}
	store := assertion.NewMemoryOneUse(100, func() time.Time { return at })
	v, err := assertion.NewVerifier(assertion.Config{Keys: source, Now: func() time.Time { return at }, OneUse: store, MaxLife: -1})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	verify := func(want error) {
		t.Helper()
		n++
		a := spec{assertion: map[string]any{"n": n, "exp": now.Add(23 * time.Hour).UnixMilli()}}.String()
		if _, err := v.Verify(context.Background(), a, rp); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	for range 4 {
		verify(nil)
	}
	if certificates, _, _ := assertion.CacheSize(v); certificates != 1 {
		t.Fatalf("%d certificates cached", certificates)
	}
	good := source.answer
	source.answer = authority("idp.example", otherRSA.Public())
	verify(assertion.ErrSignature)
	source.answer = authority("idp.example", idpDSA.Public())
	verify(assertion.ErrAlgorithm)
	source.answer = authority("idp.example")
	verify(assertion.ErrAlgorithm)
	source.answer = authority("d.example", idpKey.Public())
	verify(assertion.ErrIssuer)
	source.answer = good
	verify(nil)
	at = now.Add(2 * time.Hour) // the certificate has expired, the assertions have not
	verify(assertion.ErrExpired)
	at = now.Add(-time.Hour)
	verify(assertion.ErrNotYetValid)
}

// TestCachesChangeNothing checks that outcomes are the same with an empty cache, a
// full one and none.
func TestCachesChangeNothing(t *testing.T) {
	for name, row := range reasons() {
		off := row.config
		off.CertificateCache, off.KeyTables = -1, -1
		want, wantErr := verifier(t, off).Verify(context.Background(), row.a, rp)
		v := verifier(t, row.config)
		for round := range 5 {
			// The valid assertion has the same issuer, key and sometimes certificate.
			if _, err := v.Verify(context.Background(), spec{}.String(), rp); err != nil && len(row.config.TrustedIssuers) == 0 {
				t.Fatal(err)
			}
			got, err := v.Verify(context.Background(), row.a, rp)
			if diff := cmp.Diff(want, got); diff != "" || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%s, round %d: %v, without caches %v: %s", name, round, err, wantErr, diff)
			}
		}
	}
}

// TestResultsAreCopies checks that a caller may modify a result.
func TestResultsAreCopies(t *testing.T) {
	v := verifier(t, assertion.Config{})
	a := spec{cert: map[string]any{"level": "high"}}.String()
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

func TestCacheIsBounded(t *testing.T) {
	v := verifier(t, assertion.Config{CertificateCache: 50, KeyTables: 20})
	for i := range 200 {
		a := spec{issuerKey: idpDSA, cert: map[string]any{"n": i}}.String()
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
		if _, err := off.Verify(context.Background(), spec{}.String(), rp); err != nil {
			t.Fatal(err)
		}
	}
	if certificates, tables, bytes := assertion.CacheSize(off); certificates != 0 || tables != 0 || bytes != 0 {
		t.Errorf("switched off: %d certificates, %d tables, %d bytes", certificates, tables, bytes)
	}
}

// incomparableKey is a key of a type that cannot be compared.
type incomparableKey struct {
	keys.PublicKey
	_ []int
}

// TestIncomparableKeys checks that nothing is cached for keys that cannot be compared.
func TestIncomparableKeys(t *testing.T) {
	v := verifier(t, assertion.Config{Keys: &variableSource{authority("idp.example", incomparableKey{PublicKey: idpKey.Public()})}})
	for range 4 {
		if _, err := v.Verify(context.Background(), spec{}.String(), rp); err != nil {
			t.Fatal(err)
		}
	}
	if certificates, _, _ := assertion.CacheSize(v); certificates != 0 {
		t.Errorf("%d certificates cached of a signer that cannot be compared", certificates)
	}
}

// TestForeignKeys checks that a KeySource may have keys of its own types, and that the
// cache compares them by identity.
func TestForeignKeys(t *testing.T) {
	published, tried := countingKeys(2, idpKey.Public())
	source := &variableSource{authority("idp.example", published[0])}
	v := verifier(t, assertion.Config{Keys: source})
	for range 4 {
		if _, err := v.Verify(context.Background(), spec{}.String(), rp); err != nil {
			t.Fatal(err)
		}
	}
	if certificates, _, _ := assertion.CacheSize(v); certificates != 1 || tried.Load() != 1 {
		t.Errorf("%d certificates cached after %d checks", certificates, tried.Load())
	}
	source.answer = authority("idp.example", published[1]) // an equal key, but another one
	if _, err := v.Verify(context.Background(), spec{}.String(), rp); err != nil || tried.Load() != 2 {
		t.Errorf("%v after %d checks", err, tried.Load())
	}
}

// TestCandidatesOfCached checks that the outcome for a cached certificate whose key
// is now the fifth is the same as without the cache.
func TestCandidatesOfCached(t *testing.T) {
	source := &variableSource{authority("idp.example", idpKey.Public())}
	v := verifier(t, assertion.Config{Keys: source})
	verify := func(want error) {
		t.Helper()
		if _, err := v.Verify(context.Background(), spec{}.String(), rp); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	verify(nil)
	others, _ := countingKeys(4, otherRSA.Public())
	source.answer = authority("idp.example", append(others, idpKey.Public())...)
	verify(assertion.ErrSignature)
	source.answer = authority("idp.example", append(others[1:], idpKey.Public())...)
	verify(nil)
}

// TestRejectedIsCached checks that a rejected certificate is not verified again with
// the same keys, and is verified with others.
func TestRejectedIsCached(t *testing.T) {
	published, tried := countingKeys(3, otherRSA.Public())
	source := &variableSource{authority("idp.example", published...)}
	v := verifier(t, assertion.Config{Keys: source})
	verify := func(m spec, want error, times int32) {
		t.Helper()
		before := tried.Load()
		if _, err := v.Verify(context.Background(), m.String(), rp); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if got := tried.Load() - before; got != times {
			t.Errorf("tried %d keys, want %d", got, times)
		}
	}
	verify(spec{}, assertion.ErrSignature, 3)
	for n := range 5 {
		verify(spec{assertion: map[string]any{"n": n}}, assertion.ErrSignature, 0)
	}
	verify(spec{cert: map[string]any{"n": 1}}, assertion.ErrSignature, 3) // another certificate
	source.answer = authority("idp.example", append(published[:2:2], idpKey.Public())...)
	verify(spec{}, nil, 2) // other keys
	verify(spec{}, nil, 0)
	source.answer = authority("idp.example", published...)
	verify(spec{}, assertion.ErrSignature, 0) // the first document again
	source.answer = authority("idp.example", published[0])
	verify(spec{}, assertion.ErrSignature, 1)
	source.answer = authority("idp.example", append(published[:2:2], idpKey.Public())...)
	verify(spec{}, nil, 0) // a rejection in between evicts nothing
}

// TestRejectedAndRefresh checks that new keys are fetched and tried for a cached
// rejection.
func TestRejectedAndRefresh(t *testing.T) {
	published, tried := countingKeys(1, otherRSA.Public())
	old := authority("idp.example", published...)
	source := &refreshingSource{cached: old, fresh: old}
	v := verifier(t, assertion.Config{Keys: source})
	for range 3 {
		if _, err := v.Verify(context.Background(), spec{}.String(), rp); !errors.Is(err, assertion.ErrSignature) {
			t.Error(err)
		}
	}
	if tried.Load() != 1 || source.refreshed != 3 {
		t.Errorf("tried %d times, refreshed %d times", tried.Load(), source.refreshed)
	}
	source.fresh = authority("idp.example", idpKey.Public())
	source.fresh.Fetched = now.Add(time.Second)
	if _, err := v.Verify(context.Background(), spec{}.String(), rp); err != nil {
		t.Error(err)
	}
}

// TestRejectedWithoutWeakKeys checks that a rejection without weak keys is not used
// for the same document with weak keys.
func TestRejectedWithoutWeakKeys(t *testing.T) {
	a := &wellknown.Authority{Domain: "idp.example", Keys: []keys.PublicKey{otherRSA.Public()}, WeakKeys: []keys.PublicKey{idpKey.Public()}}
	for _, weak := range []bool{false, true} {
		v := verifier(t, assertion.Config{Keys: &variableSource{a}, InsecureWeakKeys: weak})
		for range 3 {
			if _, err := v.Verify(context.Background(), spec{}.String(), rp); (err == nil) != weak {
				t.Errorf("weak %v: %v", weak, err)
			}
		}
	}
}

// TestRejectedAreBounded checks that rejected certificates take bounded memory and
// evict no verified ones.
func TestRejectedAreBounded(t *testing.T) {
	v := verifier(t, assertion.Config{CertificateCache: 1})
	if _, err := v.Verify(context.Background(), spec{}.String(), rp); err != nil {
		t.Fatal(err)
	}
	padding := strings.Repeat("x", 20<<10)
	for n := range 200 {
		forged := spec{issuerKey: otherRSA, cert: map[string]any{"n": n, "padding": padding}}.String()
		if _, err := v.Verify(context.Background(), forged, rp); !errors.Is(err, assertion.ErrSignature) {
			t.Fatal(err)
		}
	}
	certificates, _, _ := assertion.CacheSize(v)
	rejected, bytes := assertion.RejectedSize(v)
	if certificates != 1 || rejected == 0 || rejected > 100 || bytes > 2<<20 {
		t.Errorf("%d certificates; %d rejected, %d bytes", certificates, rejected, bytes)
	}
	off := verifier(t, assertion.Config{CertificateCache: -1})
	if _, err := off.Verify(context.Background(), spec{issuerKey: otherRSA}.String(), rp); !errors.Is(err, assertion.ErrSignature) {
		t.Fatal(err)
	}
	if rejected, _ := assertion.RejectedSize(off); rejected != 0 {
		t.Errorf("switched off: %d rejected", rejected)
	}
}

// TestRejectedChain checks that the valid part of a chain with a forged certificate
// is verified only once.
func TestRejectedChain(t *testing.T) {
	published, tried := countingKeys(1, idpKey.Public())
	v := verifier(t, assertion.Config{Keys: &variableSource{authority("idp.example", published...)}, MaxChain: 2})
	host := sign(map[string]any{
		"iss": "idp.example", "exp": now.Add(time.Hour).UnixMilli(), "public-key": userRSA.Public(), "principal": map[string]any{"host": "sub.example"},
	}, idpKey)
	forged := spec{issuer: "sub.example", issuerKey: otherRSA}
	for range 3 {
		if _, err := v.Verify(context.Background(), host+"~"+forged.String(), rp); !errors.Is(err, assertion.ErrSignature) {
			t.Error(err)
		}
	}
	if n := tried.Load(); n != 1 {
		t.Errorf("the first certificate was verified %d times", n)
	}
	good := spec{issuer: "sub.example", issuerKey: userRSA}
	if _, err := v.Verify(context.Background(), host+"~"+good.String(), rp); err != nil {
		t.Error(err)
	}
}

// tableKey is a key that counts its tables.
type tableKey struct {
	keys.PublicKey
	tables *int
}

func (k *tableKey) Precompute() (keys.PublicKey, int) {
	*k.tables++
	return k.PublicKey, 100
}

// TestForgedSignaturesMakeNoTables checks that only valid signatures lead to tables, each of
// which costs as much as several verifications.
func TestForgedSignaturesMakeNoTables(t *testing.T) {
	tables := 0
	var published []keys.PublicKey
	for range 3 {
		published = append(published, &tableKey{otherRSA.Public(), &tables})
	}
	signing := &tableKey{idpKey.Public(), &tables}
	v := verifier(t, assertion.Config{Keys: &variableSource{authority("idp.example", append(published, signing)...)}})
	for n := range 10 {
		forged := spec{issuerKey: userRSA, cert: map[string]any{"n": n}}.String()
		if _, err := v.Verify(context.Background(), forged, rp); !errors.Is(err, assertion.ErrSignature) {
			t.Fatal(err)
		}
	}
	if tables != 0 {
		t.Errorf("forged certificates made %d tables", tables)
	}
	for n := range 10 {
		if _, err := v.Verify(context.Background(), spec{cert: map[string]any{"n": n}}.String(), rp); err != nil {
			t.Fatal(err)
		}
	}
	if tables != 1 {
		t.Errorf("genuine certificates by one key made %d tables", tables)
	}
}
