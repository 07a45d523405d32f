package assertion_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// counted is a key that counts how often it is tried.
type counted struct {
	keys.PublicKey
	tried *atomic.Int32
}

func (c *counted) Verify(message, signature []byte) error {
	c.tried.Add(1)
	return c.PublicKey.Verify(message, signature)
}

// countedKeys returns n copies of a key, and how often they were tried in all.
func countedKeys(n int, key keys.PublicKey) ([]keys.PublicKey, *atomic.Int32) {
	tried := new(atomic.Int32)
	list := make([]keys.PublicKey, n)
	for i := range list {
		list[i] = &counted{key, tried}
	}
	return list, tried
}

// TestCandidates checks that at most four keys of the certificate's algorithm are
// tried, whether or not certificates are remembered.
func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		before int // keys of the algorithm published before the one that signs
		okay   bool
		tried  int32
	}{{0, true, 0}, {3, true, 3}, {4, false, 4}, {16, false, 4}} {
		for _, cache := range []int{0, -1} {
			others, tried := countedKeys(c.before, otherRSA.Public())
			published := append([]keys.PublicKey{idpDSA.Public(), otherDSA.Public(), otherDS256.Public(), userDSA.Public()}, others...)
			source := &changing{authority("idp.example", append(published, idpKey.Public())...)}
			v := verifier(t, assertion.Config{Keys: source, CertificateCache: cache})
			_, err := v.Verify(context.Background(), mint{}.String(), rp)
			if (err == nil) != c.okay || err != nil && !errors.Is(err, assertion.ErrSignature) || tried.Load() != c.tried {
				t.Errorf("%d before, cache %d: %d tried, %v", c.before, cache, tried.Load(), err)
			}
			var e *assertion.Error
			if errors.As(err, &e) && (e.Reason != "invalid signature" || !strings.Contains(e.Found, "the first 4 were tried")) {
				t.Errorf("%d before: reason %q, found %q", c.before, e.Reason, e.Found)
			}
		}
	}
}

// TestCandidatesOfRemembered checks that a remembered certificate whose key is now
// the fifth has the same verdict as one that is not remembered.
func TestCandidatesOfRemembered(t *testing.T) {
	source := &changing{authority("idp.example", idpKey.Public())}
	v := verifier(t, assertion.Config{Keys: source})
	verify := func(want error) {
		t.Helper()
		if _, err := v.Verify(context.Background(), mint{}.String(), rp); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	verify(nil)
	others, _ := countedKeys(4, otherRSA.Public())
	source.now = authority("idp.example", append(others, idpKey.Public())...)
	verify(assertion.ErrSignature)
	source.now = authority("idp.example", append(others[1:], idpKey.Public())...)
	verify(nil)
}

// TestRefusedIsRemembered checks that a refused certificate is not verified again by
// the same keys, and is by others.
func TestRefusedIsRemembered(t *testing.T) {
	published, tried := countedKeys(3, otherRSA.Public())
	source := &changing{authority("idp.example", published...)}
	v := verifier(t, assertion.Config{Keys: source})
	verify := func(m mint, want error, times int32) {
		t.Helper()
		before := tried.Load()
		if _, err := v.Verify(context.Background(), m.String(), rp); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if got := tried.Load() - before; got != times {
			t.Errorf("tried %d keys, want %d", got, times)
		}
	}
	verify(mint{}, assertion.ErrSignature, 3)
	for n := range 5 {
		verify(mint{assertion: map[string]any{"n": n}}, assertion.ErrSignature, 0)
	}
	verify(mint{cert: map[string]any{"n": 1}}, assertion.ErrSignature, 3) // another certificate
	source.now = authority("idp.example", append(published[:2:2], idpKey.Public())...)
	verify(mint{}, nil, 2) // other keys
	verify(mint{}, nil, 0)
	source.now = authority("idp.example", published...)
	verify(mint{}, assertion.ErrSignature, 0) // the first document again
	source.now = authority("idp.example", published[0])
	verify(mint{}, assertion.ErrSignature, 1)
	source.now = authority("idp.example", append(published[:2:2], idpKey.Public())...)
	verify(mint{}, nil, 0) // a refusal in between forgets nothing
}

// TestRefusedAndRefresh checks that a remembered refusal does not keep new keys
// away.
func TestRefusedAndRefresh(t *testing.T) {
	published, tried := countedKeys(1, otherRSA.Public())
	old := authority("idp.example", published...)
	source := &rotating{held: old, fresh: old}
	v := verifier(t, assertion.Config{Keys: source})
	for range 3 {
		if _, err := v.Verify(context.Background(), mint{}.String(), rp); !errors.Is(err, assertion.ErrSignature) {
			t.Error(err)
		}
	}
	if tried.Load() != 1 || source.refreshed != 3 {
		t.Errorf("tried %d times, refreshed %d times", tried.Load(), source.refreshed)
	}
	source.fresh = authority("idp.example", idpKey.Public())
	source.fresh.Fetched = now.Add(time.Second)
	if _, err := v.Verify(context.Background(), mint{}.String(), rp); err != nil {
		t.Error(err)
	}
}

// TestRefusedWeak checks that a refusal without weak keys says nothing about the
// same document with them.
func TestRefusedWeak(t *testing.T) {
	a := &wellknown.Authority{Domain: "idp.example", Keys: []keys.PublicKey{otherRSA.Public()}, WeakKeys: []keys.PublicKey{idpKey.Public()}}
	for _, weak := range []bool{false, true} {
		v := verifier(t, assertion.Config{Keys: &changing{a}, InsecureWeakKeys: weak})
		for range 3 {
			if _, err := v.Verify(context.Background(), mint{}.String(), rp); (err == nil) != weak {
				t.Errorf("weak %v: %v", weak, err)
			}
		}
	}
}

// TestRefusedAreBounded checks that refused certificates take bounded memory and
// the places of no good ones.
func TestRefusedAreBounded(t *testing.T) {
	v := verifier(t, assertion.Config{CertificateCache: 1})
	if _, err := v.Verify(context.Background(), mint{}.String(), rp); err != nil {
		t.Fatal(err)
	}
	padding := strings.Repeat("x", 20<<10)
	for n := range 200 {
		forged := mint{issuerKey: otherRSA, cert: map[string]any{"n": n, "padding": padding}}.String()
		if _, err := v.Verify(context.Background(), forged, rp); !errors.Is(err, assertion.ErrSignature) {
			t.Fatal(err)
		}
	}
	certificates, _, _ := assertion.CacheSize(v)
	refused, bytes := assertion.RejectedSize(v)
	if certificates != 1 || refused == 0 || refused > 100 || bytes > 2<<20 {
		t.Errorf("%d certificates; %d refused, %d bytes", certificates, refused, bytes)
	}
	off := verifier(t, assertion.Config{CertificateCache: -1})
	if _, err := off.Verify(context.Background(), mint{issuerKey: otherRSA}.String(), rp); !errors.Is(err, assertion.ErrSignature) {
		t.Fatal(err)
	}
	if refused, _ := assertion.RejectedSize(off); refused != 0 {
		t.Errorf("switched off: %d refused", refused)
	}
}

// TestRefusedChain checks that the good part of a chain with a forged link is not
// verified again and again.
func TestRefusedChain(t *testing.T) {
	published, tried := countedKeys(1, idpKey.Public())
	v := verifier(t, assertion.Config{Keys: &changing{authority("idp.example", published...)}, MaxChain: 2})
	host := sign(map[string]any{
		"iss": "idp.example", "exp": now.Add(time.Hour).UnixMilli(), "public-key": userRSA.Public(), "principal": map[string]any{"host": "sub.example"},
	}, idpKey)
	forged := mint{issuer: "sub.example", issuerKey: otherRSA}
	for range 3 {
		if _, err := v.Verify(context.Background(), host+"~"+forged.String(), rp); !errors.Is(err, assertion.ErrSignature) {
			t.Error(err)
		}
	}
	if n := tried.Load(); n != 1 {
		t.Errorf("the first certificate was verified %d times", n)
	}
	good := mint{issuer: "sub.example", issuerKey: userRSA}
	if _, err := v.Verify(context.Background(), host+"~"+good.String(), rp); err != nil {
		t.Error(err)
	}
}

// tabled is a key that counts its tables.
type tabled struct {
	keys.PublicKey
	tables *int
}

func (k *tabled) Precompute() (keys.PublicKey, int) {
	*k.tables++
	return k.PublicKey, 100
}

// TestForgedMakeNoTables checks that only signatures that hold lead to tables, each
// of which costs as much as several verifications.
func TestForgedMakeNoTables(t *testing.T) {
	tables := 0
	var published []keys.PublicKey
	for range 3 {
		published = append(published, &tabled{otherRSA.Public(), &tables})
	}
	signing := &tabled{idpKey.Public(), &tables}
	v := verifier(t, assertion.Config{Keys: &changing{authority("idp.example", append(published, signing)...)}})
	for n := range 10 {
		forged := mint{issuerKey: userRSA, cert: map[string]any{"n": n}}.String()
		if _, err := v.Verify(context.Background(), forged, rp); !errors.Is(err, assertion.ErrSignature) {
			t.Fatal(err)
		}
	}
	if tables != 0 {
		t.Errorf("forged certificates made %d tables", tables)
	}
	for n := range 10 {
		if _, err := v.Verify(context.Background(), mint{cert: map[string]any{"n": n}}.String(), rp); err != nil {
			t.Fatal(err)
		}
	}
	if tables != 1 {
		t.Errorf("genuine certificates by one key made %d tables", tables)
	}
}

// TestHeldKeys checks what trying a certificate with the keys that a source holds
// may cost: one list of keys, and four of them.
func TestHeldKeys(t *testing.T) {
	good := []keys.PublicKey{idpKey.Public()}
	bad, tried := countedKeys(17, otherRSA.Public())
	for name, c := range map[string]struct {
		lists [][]keys.PublicKey
		want  []bool
		tried int32
	}{
		"none":              {[][]keys.PublicKey{nil, {}}, []bool{false, false}, 0},
		"good, twice":       {[][]keys.PublicKey{good, good}, []bool{true, true}, 0},
		"bad, twice":        {[][]keys.PublicKey{bad, bad}, []bool{false, false}, 4},
		"several lists":     {[][]keys.PublicKey{bad, bad[4:], bad[8:], good}, []bool{false, false, false, false}, 4},
		"good and another":  {[][]keys.PublicKey{good, bad}, []bool{true, false}, 0},
		"fifth of the list": {[][]keys.PublicKey{append(bad[:4:4], good...)}, []bool{false}, 4},
	} {
		tried.Store(0)
		got, err := assertion.VerifiedBy(verifier(t, assertion.Config{}), mint{}.String(), rp, c.lists...)
		if err != nil || !slices.Equal(got, c.want) || tried.Load() != c.tried {
			t.Errorf("%s: %v after %d tries, %v", name, got, tried.Load(), err)
		}
	}
}
