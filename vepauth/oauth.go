package vepauth

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"hash"
	"strings"
)

// oauth signs as two-legged OAuth 1.0 does (RFC 5849): with a client's
// credentials, here those of a token, and an empty token secret.
type oauth struct{}

// The protocol's parameters.
const (
	oauthConsumerKey     = "oauth_consumer_key"
	oauthConsumerSecret  = "oauth_consumer_secret"
	oauthSignatureMethod = "oauth_signature_method"
	oauthSignature       = "oauth_signature"
	oauthTimestamp       = "oauth_timestamp"
	oauthNonce           = "oauth_nonce"
	oauthVersion         = "oauth_version"
	oauthToken           = "oauth_token"
)

// errMisplaced: RFC 5849, section 3.1 lets none of them come twice; in a query
// or form an oauth_signature would not even be signed.
var (
	errMisplaced = errors.New("a parameter of OAuth outside of the header Authorization")
	errSemicolon = errors.New("a semicolon in the query or form")
)

// isProtocolParameter reports whether a parameter belongs in the header
// Authorization, and nowhere else. The base string does not tell where a
// parameter came from. If one could stand in both places, an attacker who sees a
// request could move a parameter of the query to where the next handler does not
// look.
func isProtocolParameter(name string) bool { return strings.HasPrefix(name, "oauth_") }

func (oauth) scheme() Scheme     { return OAuthVEP }
func (oauth) authScheme() string { return "OAuth" }
func (oauth) signsForms() bool   { return true }

func (oauth) knows(method string) bool { return method == "" || hashOf(method) != nil }

// hashOf gives the hash of a signature method that is accepted. PLAINTEXT, which
// would send the secret along, is none.
func hashOf(method string) func() hash.Hash {
	switch method {
	case HMACSHA1:
		return sha1.New
	case HMACSHA256:
		return sha256.New
	}
	return nil
}

func (oauth) read(p *proof, params []parameter) error {
	p.signed = p.room[:0]
	version := "1.0"
	for i, raw := range params {
		name, err := unescape(raw.name)
		if err != nil || hasName(params[:i], name) {
			return unauthorized(errAuthorization.Error())
		}
		params[i].name = name
		if strings.EqualFold(name, "realm") {
			continue // not of OAuth, and not signed
		}
		value, err := unescape(raw.value)
		if err != nil {
			return unauthorized(errAuthorization.Error())
		}
		if name == oauthVersion {
			version = value
		}
		p.foreign = p.foreign || !isProtocolParameter(name)
		if p.set(name, value) {
			p.signed = append(p.signed, parameter{name, value})
		}
	}
	switch {
	case hashOf(p.method) == nil:
		return unauthorized("unsupported signature method")
	case version != "1.0":
		return unauthorized("unsupported oauth_version")
	}
	return p.complete()
}

// set takes a parameter up, and says whether it is signed.
func (p *proof) set(name, value string) bool {
	switch name {
	case oauthConsumerKey:
		p.token = value
	case oauthSignatureMethod:
		p.method = value
	case oauthTimestamp:
		p.timestamp = value
	case oauthNonce:
		p.nonce = value
	case oauthSignature:
		p.signature = value
		return false
	}
	return true
}

func (oauth) present(c Credentials, timestamp, nonce string) *proof {
	if c.Method == "" {
		c.Method = HMACSHA1
	}
	p := new(proof)
	for _, of := range []parameter{
		{oauthConsumerKey, c.ID}, {oauthSignatureMethod, c.Method}, {oauthVersion, "1.0"},
		{oauthTimestamp, timestamp}, {oauthNonce, nonce},
	} {
		p.set(of.name, of.value)
		p.signed = append(p.signed, of)
	}
	return p
}

func (oauth) header(p *proof, signature string) string {
	var b strings.Builder
	b.WriteString("OAuth ")
	for _, of := range p.signed {
		b.WriteString(of.name + `="` + escape(of.value) + `", `)
	}
	b.WriteString(oauthSignature + `="` + escape(signature) + `"`)
	return b.String()
}

// mac is RFC 5849, section 3.4.2. The '&' stands before the empty token secret.
func (oauth) mac(p *proof, secret string, m message) ([]byte, error) {
	var room [128]byte
	h := hmac.New(hashOf(p.method), append(appendEscaped(room[:0], secret), '&'))
	if err := writeBaseString(h, m, p.signed); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

func (oauth) answer(t Token) map[string]any {
	return map[string]any{oauthConsumerKey: t.ID, oauthConsumerSecret: t.Secret}
}
