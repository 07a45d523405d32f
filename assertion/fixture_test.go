package assertion_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

const rp = "https://rp.example"

// now is the time at which all tests take place.
var now = time.UnixMilli(1700000000000)

func clock() time.Time { return now }

// An identity provider and users of each kind.
var (
	idpKey  = idptest.Key("RS256")
	idpDSA  = idptest.Key("DS128")
	userDSA = idptest.Key("DS128-2")
	userRSA = idptest.Key("RS256-2")

	// Keys of somebody else.
	otherDSA   = idptest.Key("DS128-own-group")
	otherRSA   = idptest.Key("RS256-2047")
	otherDS256 = idptest.Key("DS256")
	weakRSA    = idptest.Key("RS64")
)

// document is a support document that publishes keys.
func document(published ...keys.PublicKey) json.RawMessage {
	data, err := json.Marshal(map[string]any{
		"keys": published, "authentication": "/sign_in", "provisioning": "/provision",
	})
	if err != nil {
		panic(err)
	}
	return data
}

// static is a source of the documents given, idp.example's among them.
func static(t testing.TB, more map[string]json.RawMessage) *wellknown.Static {
	t.Helper()
	documents := map[string]json.RawMessage{"idp.example": document(idpKey.Public(), idpDSA.Public())}
	for host, d := range more {
		documents[host] = d
	}
	s, err := wellknown.NewStatic(documents)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verifier makes a verifier that takes its time and, unless c has a source of
// its own, its keys from here.
func verifier(t testing.TB, c assertion.Config) *assertion.Verifier {
	t.Helper()
	c.Now = clock
	if c.Keys == nil {
		c.Keys = static(t, nil)
	}
	v, err := assertion.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// mint says how a backed assertion is to be made; the zero value is one that
// holds: alice@idp.example, RS256 issuer, DS128 user.
type mint struct {
	issuer     string
	email      string
	issuerKey  keys.PrivateKey
	userKey    keys.PrivateKey
	cert       map[string]any // claims added or, when nil, removed
	assertion  map[string]any
	signingKey keys.PrivateKey // in place of the user's
}

func (m mint) String() string {
	issuerKey, userKey, email, issuer := m.issuerKey, m.userKey, m.email, m.issuer
	if issuerKey == nil {
		issuerKey = idpKey
	}
	if userKey == nil {
		userKey = userDSA
	}
	if issuer == "" {
		issuer = "idp.example"
	}
	if email == "" {
		email = "alice@idp.example"
	}
	cert := map[string]any{
		"iss": issuer, "iat": now.Add(-time.Minute).UnixMilli(), "exp": now.Add(time.Hour).UnixMilli(),
		"public-key": userKey.Public(), "principal": map[string]any{"email": email},
	}
	claims := map[string]any{"aud": rp, "exp": now.Add(2 * time.Minute).UnixMilli()}
	signingKey := m.signingKey
	if signingKey == nil {
		signingKey = userKey
	}
	return assertion.Bundle(sign(change(claims, m.assertion), signingKey), sign(change(cert, m.cert), issuerKey))
}

func change(claims, by map[string]any) map[string]any {
	for name, value := range by {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func sign(claims map[string]any, key keys.PrivateKey) string {
	token, err := certchain.Sign(claims, nil, key)
	if err != nil {
		panic(err)
	}
	return token
}
