package idptest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vepverify/vepverify/keys"
)

// IdP is an identity provider: a domain and its keys. It makes tokens that are correct,
// which tests then change.
//
// The fields must not be modified while a [Server] serves the IdP.
type IdP struct {
	// Domain is the issuer of its certificates.
	Domain string
	// Keys are its private keys, at least one. All are published; the first signs.
	Keys []keys.PrivateKey
	// Now is the clock from which default times are computed. Nil means [time.Now].
	Now func() time.Time
}

// New returns an identity provider that uses the system's clock. Without keys it
// has the test key "RS256".
func New(domain string, private ...keys.PrivateKey) *IdP {
	if len(private) == 0 {
		private = []keys.PrivateKey{Key("RS256")}
	}
	return &IdP{Domain: domain, Keys: private}
}

// At returns an identity provider with the same domain and keys, and a clock that
// stands at now.
func (p *IdP) At(now time.Time) *IdP {
	return &IdP{Domain: p.Domain, Keys: p.Keys, Now: func() time.Time { return now }}
}

const (
	// CertificateLife is the time from now until certificates expire.
	CertificateLife = time.Hour
	// AssertionLife is the time from now until assertions expire.
	AssertionLife = 2 * time.Minute

	// issuedBefore is the time from a certificate's iat until now, so that a
	// verifier's clock may be a little slow.
	issuedBefore = time.Minute
)

// Certificate returns a certificate of the key for the user with that address. It has
// the claims iss, iat, exp, public-key and principal.
func (p *IdP) Certificate(email string, user keys.PublicKey) Token {
	return p.certificate(Object{"email": email}, user)
}

// HostCertificate returns a certificate of a host's key, which may then sign
// certificates. All certificates of a chain except the last are of this kind.
func (p *IdP) HostCertificate(host string, key keys.PublicKey) Token {
	return p.certificate(Object{"host": host}, key)
}

func (p *IdP) certificate(principal Object, key keys.PublicKey) Token {
	now := p.now()
	return Token{Key: p.Keys[0], Claims: Object{
		"iss": p.Domain, "principal": principal, "public-key": key,
		"iat": now.Add(-issuedBefore).UnixMilli(), "exp": now.Add(CertificateLife).UnixMilli(),
	}}
}

// Assertion returns an identity assertion for a relying party, signed by a user of
// any issuer. It has the claims aud and exp.
func (p *IdP) Assertion(audience string, user keys.PrivateKey) Token {
	return Token{Key: user, Claims: Object{
		"aud": audience, "exp": p.now().Add(AssertionLife).UnixMilli(),
	}}
}

// Backed returns what a browser sends: a valid backed assertion of that user for
// that relying party.
func (p *IdP) Backed(email string, user keys.PrivateKey, audience string) string {
	return Backed(p.Certificate(email, user.Public()), p.Assertion(audience, user))
}

// Document returns the support document: the first key as public-key, all keys
// as keys if there are several, and two pages.
func (p *IdP) Document() Object {
	d := Object{"public-key": p.Keys[0].Public(), "authentication": "/sign_in", "provisioning": "/provision"}
	if len(p.Keys) > 1 {
		entries := make([]Object, len(p.Keys))
		for i, key := range p.Keys {
			entries[i] = JWK(key.Public()).With("use", "sig")
		}
		d["keys"] = entries
	}
	return d
}

// JWK returns a key's JWK form, as in a support document's keys.
func JWK(key keys.PublicKey) Object { return object(key.MarshalJWK()) }

// Legacy returns a key's legacy form, as in a certificate.
func Legacy(key keys.PublicKey) Object { return object(key.MarshalJSON()) }

func object(data []byte, err error) Object {
	var o Object
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err != nil {
		panic(fmt.Sprintf("idptest: cannot encode a key: %v", err))
	}
	return o
}

func (p *IdP) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}
