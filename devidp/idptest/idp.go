package idptest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/keys"
)

// IdP is an identity provider: a domain and its keys. It makes recipes for
// tokens that are right, which tests then spoil.
//
// The fields are not to be changed while a [Server] serves the IdP.
type IdP struct {
	// Domain is the issuer of its certificates.
	Domain string
	// Keys are its private keys, all published; the first signs. At least one.
	Keys []keys.PrivateKey
	// Now is the clock that default times are taken from. Nil: [time.Now].
	Now func() time.Time
}

// New makes an identity provider that goes by the real clock. Without keys it
// has the test key "RS256".
func New(domain string, private ...keys.PrivateKey) *IdP {
	if len(private) == 0 {
		private = []keys.PrivateKey{Key("RS256")}
	}
	return &IdP{Domain: domain, Keys: private}
}

// At gives an identity provider with the same domain and keys for which it is
// always the time given.
func (p *IdP) At(now time.Time) *IdP {
	return &IdP{Domain: p.Domain, Keys: p.Keys, Now: func() time.Time { return now }}
}

// How long tokens hold by default. They count from a little before now, so that
// clocks may differ a bit.
const (
	// Early is how long before now certificates are issued.
	Early = time.Minute
	// CertificateLife is how long after now certificates expire.
	CertificateLife = time.Hour
	// AssertionLife is how long after now assertions expire.
	AssertionLife = 2 * time.Minute
)

// Certificate certifies that the user with that address has that key: iss, iat,
// exp, public-key and principal.
func (p *IdP) Certificate(email string, user keys.PublicKey) Token {
	return p.certificate(Object{"email": email}, user)
}

// HostCertificate certifies a host's key, which may then sign certificates: all
// but the last of a chain are such.
func (p *IdP) HostCertificate(host string, key keys.PublicKey) Token {
	return p.certificate(Object{"host": host}, key)
}

func (p *IdP) certificate(principal Object, key keys.PublicKey) Token {
	now := p.now()
	return Token{Key: p.Keys[0], Claims: Object{
		"iss": p.Domain, "principal": principal, "public-key": key,
		"iat": now.Add(-Early).UnixMilli(), "exp": now.Add(CertificateLife).UnixMilli(),
	}}
}

// Assertion is an identity assertion for a relying party, aud and exp, signed
// by a user of whichever issuer.
func (p *IdP) Assertion(audience string, user keys.PrivateKey) Token {
	return Token{Key: user, Claims: Object{
		"aud": audience, "exp": p.now().Add(AssertionLife).UnixMilli(),
	}}
}

// Backed is what a browser would send: a good backed assertion of that user for
// that relying party.
func (p *IdP) Backed(email string, user keys.PrivateKey, audience string) string {
	return Backed(p.Certificate(email, user.Public()), p.Assertion(audience, user))
}

// Backed puts certificates and, last, an assertion together. It panics where
// [Token.Encode] errs.
func Backed(tokens ...Token) string {
	texts := make([]string, len(tokens))
	for i, t := range tokens {
		texts[i] = t.String()
	}
	return strings.Join(texts, "~")
}

// Document is the support document: the first key as public-key, all of them
// under keys when there are several, and two pages. [Object.With] and
// [Object.Without] change it.
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

// JWK gives a key's JWK form, as in a support document's keys.
func JWK(key keys.PublicKey) Object { return object(key.MarshalJWK()) }

// Legacy gives a key's legacy form, as in a certificate.
func Legacy(key keys.PublicKey) Object { return object(key.MarshalJSON()) }

func object(data []byte, err error) Object {
	var o Object
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err != nil {
		panic(fmt.Sprintf("idptest: cannot write a key: %v", err))
	}
	return o
}

func (p *IdP) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}
