package evp_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/evp/internal/jose"
)

// The parties of the tests.
const (
	site       = "https://rp.example"
	nonce      = "n-0S6_WzA2MjAxOTUtbm9uY2U"
	email      = "alice@mail.example"
	mailDomain = "mail.example"
	host       = "accounts.issuer.example"
)

// now is the time of the tests.
var now = time.Unix(1_800_000_000, 0)

// object is a JSON object.
type object = map[string]any

var keyOf = func() func(t testing.TB, name, alg string) *jose.PrivateKey {
	var mu sync.Mutex
	made := map[string]*jose.PrivateKey{}
	return func(t testing.TB, name, alg string) *jose.PrivateKey {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if k := made[name+alg]; k != nil {
			return k
		}
		k, err := jose.Generate(alg)
		if err != nil {
			t.Fatal(err)
		}
		made[name+alg] = k
		return k
	}
}()

// mint is a token before it is signed. A test changes what it is about.
type mint struct {
	issuer, holder                    *jose.PrivateKey
	evtHeader, evt, kbHeader, kb, jwk object
}

// newMint returns a token that is valid.
func newMint(t testing.TB, issuerAlg, holderAlg string) *mint {
	t.Helper()
	m := &mint{issuer: keyOf(t, "issuer", issuerAlg).WithKid("k1"), holder: keyOf(t, "holder", holderAlg)}
	public, err := json.Marshal(m.holder.Public())
	if err == nil {
		err = json.Unmarshal(public, &m.jwk)
	}
	if err != nil {
		t.Fatal(err)
	}
	iat := now.Unix() - 5
	m.evtHeader = object{"alg": issuerAlg, "typ": "evt+jwt", "kid": "k1"}
	m.evt = object{"iss": "https://" + host, "iat": iat, "email": email, "email_verified": true}
	m.kbHeader = object{"alg": holderAlg, "typ": "kb+jwt"}
	m.kb = object{"aud": site, "iat": iat, "nonce": nonce}
	return m
}

// token signs the token. It adds cnf and sd_hash unless they are set.
func (m *mint) token(t testing.TB) string {
	t.Helper()
	evt, kb := maps.Clone(m.evt), maps.Clone(m.kb)
	if _, found := evt["cnf"]; !found {
		evt["cnf"] = object{"jwk": m.jwk}
	}
	first, err := m.issuer.Sign(m.evtHeader, evt)
	if err != nil {
		t.Fatal(err)
	}
	if _, found := kb["sd_hash"]; !found {
		kb["sd_hash"] = hashOf(first + "~")
	}
	second, err := m.holder.Sign(m.kbHeader, kb)
	if err != nil {
		t.Fatal(err)
	}
	return first + "~" + second
}

// hashOf returns the sd_hash of the issuer's half and the "~".
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return jose.EncodeBase64(sum[:])
}

// source is a discovery.Source in memory.
type source struct {
	host       string
	keys       *discovery.KeySet
	fresh      *discovery.KeySet // after a refresh; nil means keys
	issuerErr  error
	keysErr    error
	refreshErr error

	mu    sync.Mutex
	calls []string
}

// sourceOf returns a source for an issuer with these keys.
func sourceOf(keys ...*jose.PublicKey) *source {
	return &source{host: host, keys: keySet(now.Add(-time.Hour), keys...)}
}

func keySet(fetched time.Time, keys ...*jose.PublicKey) *discovery.KeySet {
	return &discovery.KeySet{Keys: keys, HasIssuer: true, Fetched: fetched}
}

func (s *source) called(call string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
}

func (s *source) Issuer(_ context.Context, domain string) (string, error) {
	s.called("issuer " + domain)
	return s.host, s.issuerErr
}

func (s *source) Keys(_ context.Context, issuer, _ string, refresh bool) (*discovery.KeySet, error) {
	if !refresh {
		s.called("keys " + issuer)
		return s.keys, s.keysErr
	}
	s.called("refresh " + issuer)
	if s.refreshErr != nil {
		return nil, s.refreshErr
	}
	if s.fresh != nil {
		return s.fresh, nil
	}
	return s.keys, nil
}

// config returns the configuration of the tests.
func config() evp.Config {
	empty, err := evp.ParseBundle([]byte(`{}`))
	if err != nil {
		panic(err)
	}
	return evp.Config{Origins: []string{site}, Now: func() time.Time { return now }, Bundle: empty}
}

// verifier returns a verifier with this source.
func verifier(t testing.TB, c evp.Config, s discovery.Source) *evp.Verifier {
	t.Helper()
	v, err := evp.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v.WithSource(s)
}

var expected = evp.Expected{Nonce: nonce, Email: email}

// wantError checks the class, the reason and the rule of an error.
func wantError(t testing.TB, err error, kind error, rule string) *evp.Error {
	t.Helper()
	var e *evp.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of rule %q", err, rule)
	}
	if !errors.Is(err, kind) || e.Rule != rule {
		t.Fatalf("got rule %q, %v; want rule %q, %v", e.Rule, err, rule, kind)
	}
	classes := []error{assertion.ErrMalformed, assertion.ErrRejected, assertion.ErrUndecided, assertion.ErrMisuse}
	matching := slices.DeleteFunc(classes, func(class error) bool { return !errors.Is(err, class) })
	if len(matching) != 1 {
		t.Errorf("matches %v", matching)
	}
	if (assertion.Failure(err) == nil) != errors.Is(err, assertion.ErrMisuse) {
		t.Error("no answer")
	}
	return e
}
