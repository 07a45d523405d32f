package evptest

import "strings"

// Issuer is an issuer of email verification tokens. Its fields must not be modified while
// a [World] uses it, except by [World.Rotate].
type Issuer struct {
	// Host is its host, such as "accounts.issuer.example". The claim iss is "https://"
	// and the host.
	Host string
	// Domains are the email domains that name the issuer in DNS.
	Domains []string
	// Keys are its keys, at least one. All are published; the first signs.
	Keys []Key
	// JWKSURI is the URL of the key set. Empty means "https://HOST/jwks".
	JWKSURI string
	// Unnamed means that the metadata has no member issuer, as Gmail's in July 2026.
	Unnamed bool
}

// NewIssuer returns an issuer of the email domains. Without keys it has the test key
// "Ed25519" with the kid "k1".
func NewIssuer(host string, domains []string, keys ...Key) *Issuer {
	if len(keys) == 0 {
		keys = []Key{TestKey("Ed25519").WithID("k1")}
	}
	return &Issuer{Host: host, Domains: domains, Keys: keys}
}

// The default issuer.
const (
	DefaultHost   = "accounts.issuer.example"
	DefaultDomain = "mail.example"
)

// Default returns the issuer accounts.issuer.example of addresses at mail.example.
// Without keys it has the test key "Ed25519" with the kid "k1".
func Default(keys ...Key) *Issuer { return NewIssuer(DefaultHost, []string{DefaultDomain}, keys...) }

// Gmail returns an issuer that differs from the draft as Gmail did in July and August
// 2026: the algorithm is called EdDSA, no key has a kid, the metadata does not name the
// issuer, and the key set is at a host of another domain. The profile Draft02 refuses its
// tokens (rules 2.alg, 2.kid, 9.issuer).
func Gmail() *Issuer {
	return &Issuer{
		Host: "accounts.gmail.example", Domains: []string{"gmail.example"}, Unnamed: true,
		Keys:    []Key{TestKey("EdDSA"), TestKey("EdDSA-3")},
		JWKSURI: "https://keys.googleapis.example/.well-known/vc-public-jwks",
	}
}

// URL returns the issuer's identifier, the claim iss.
func (i *Issuer) URL() string { return "https://" + i.Host }

// MetadataURL returns the URL of its metadata.
func (i *Issuer) MetadataURL() string { return i.URL() + "/.well-known/email-verification" }

// KeysURL returns the URL of its key set.
func (i *Issuer) KeysURL() string {
	if i.JWKSURI != "" {
		return i.JWKSURI
	}
	return i.URL() + "/jwks"
}

// Metadata returns the issuer's metadata.
func (i *Issuer) Metadata() Object {
	algorithms := make([]string, len(i.Keys))
	for n, key := range i.Keys {
		algorithms[n] = key.Alg
	}
	m := Object{
		"issuer": i.URL(), "issuance_endpoint": i.URL() + "/issue", "jwks_uri": i.KeysURL(),
		"signing_alg_values_supported": algorithms, "private_email_supported": true,
	}
	if i.Unnamed {
		m = m.Without("issuer")
	}
	return m
}

// JWKS returns the issuer's key set.
func (i *Issuer) JWKS() Object {
	entries := make([]Object, len(i.Keys))
	for n, key := range i.Keys {
		entries[n] = key.Published()
	}
	return Object{"keys": entries}
}

// Record returns the issuer's TXT record.
func (i *Issuer) Record() string { return "iss=" + i.Host }

// RecordName returns the name of the TXT record of an email domain.
func RecordName(domain string) string { return "_email-verification." + strings.ToLower(domain) }
