package certchain

import (
	"encoding/json"
	"fmt"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// Certificate is a parsed certificate: a token in which an issuer states to whom a key
// belongs. Its signature is not verified.
type Certificate struct {
	*Token
	// Issuer is the domain that the certificate says issued it, in lower case.
	Issuer string

	principal          strictjson.Object // nil if there is none, or if it is not an object
	email, emailDomain string
	emailErr           error
}

// ParseCertificate parses a certificate. The error matches [ErrMalformed]. The methods
// of Certificate report faults of the certified key and of the principal, so that
// callers can tell them from faults of the certificate itself.
func ParseCertificate(s string) (*Certificate, error) {
	var c struct { // one allocation (BenchmarkParse)
		Certificate
		token   Token
		members [2]strictjson.Member
	}
	t := &c.token
	if err := t.parse(s); err != nil {
		return nil, err
	}
	c.Token = t
	c.readPrincipal(c.members[:0])
	if err := c.readIssuer(); err != nil {
		return nil, err
	}
	return &c.Certificate, nil
}

func (c *Certificate) readIssuer() error {
	raw, _ := c.Claims.Get("iss")
	iss, ok := strictjson.Text(raw)
	if !ok {
		return malformed("iss is not a string")
	}
	if string(iss) == c.emailDomain && c.emailDomain != "" { // nearly always
		c.Issuer = c.emailDomain
		return nil
	}
	if c.Issuer, ok = domain.Parse(string(iss)); !ok {
		return malformed("iss is not a domain")
	}
	return nil
}

// readPrincipal reads the certified email address: principal.email or, if that is
// absent, sub. A principal that is not an object certifies no address, whatever sub is
// (PROTOCOL 4.no-email). buf backs the members of the principal.
func (c *Certificate) readPrincipal(buf strictjson.Object) {
	raw, found := c.Claims.Get("sub")
	if principal, ok := c.Claims.Get("principal"); ok {
		var err error
		if c.principal, err = strictjson.AppendObject(buf, principal); err != nil {
			return
		}
		if email, ok := c.principal.Get("email"); ok {
			raw, found = email, true
		}
	}
	if !found {
		return
	}
	s, _ := strictjson.String(raw)
	var ok bool
	if c.email, c.emailDomain, ok = domain.Email(s); !ok {
		c.emailErr = malformed("the certified email is not an email address")
	}
}

// PublicKey returns the certified key: the claim public-key or, if that is absent,
// pubkey. The error matches [ErrKey]. Weak keys are an error unless allowWeak is set.
func (c *Certificate) PublicKey(allowWeak bool) (keys.PublicKey, error) {
	raw, ok := c.Claims.Get("public-key")
	if !ok {
		raw, ok = c.Claims.Get("pubkey")
	}
	if !ok {
		return nil, fmt.Errorf("%w: the certificate has none", ErrKey)
	}
	parse := keys.ParsePublicKey
	if allowWeak {
		parse = keys.InsecureParsePublicKey
	}
	key, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return key, nil
}

// Email returns the certified email address, with its domain in lower case, and that
// domain. Both are empty if the certificate certifies no address. The error matches
// [ErrMalformed] if the address is malformed.
func (c *Certificate) Email() (email, emailDomain string, err error) {
	return c.email, c.emailDomain, c.emailErr
}

// Host returns the host that a certificate in the middle of a chain certifies, in lower
// case. The error matches [ErrChain] if the certificate certifies no host, or an email
// address as well.
func (c *Certificate) Host() (string, error) {
	if c.principal == nil {
		return "", fmt.Errorf("%w: a certificate that signs another has no principal object", ErrChain)
	}
	_, hasEmail := c.principal.Get("email")
	_, hasSub := c.Claims.Get("sub")
	if hasEmail || hasSub {
		return "", fmt.Errorf("%w: a certificate for an email address signs another", ErrChain)
	}
	raw, _ := c.principal.Get("host")
	s, _ := strictjson.String(raw)
	host, ok := domain.Parse(s)
	if !ok {
		return "", fmt.Errorf("%w: a certificate that signs another certifies no host", ErrChain)
	}
	return host, nil
}

// Extra returns the claims that the protocol does not use, or nil if there are none. The
// members of a principal object count as claims, except those that have the name of a
// claim.
func (c *Certificate) Extra() map[string]json.RawMessage {
	return addExtra(addExtra(nil, c.Claims.object), c.principal, "email")
}

// Chain is a chain of certificates. Each certificate but the last certifies the host
// that issued the next one, and the key that signed it. The last certifies the user.
type Chain []*Certificate

// CheckLinks returns an error matching [ErrChain] if a certificate is not issued by the
// host that the previous one certifies, or if the previous one certifies an email
// address. CheckLinks checks no signature.
func (c Chain) CheckLinks() error {
	for i := 1; i < len(c); i++ {
		host, err := c[i-1].Host()
		if err != nil {
			return err
		}
		if c[i].Issuer != host {
			return fmt.Errorf("%w: certificate %d is not issued by the host that certificate %d certifies", ErrChain, i+1, i)
		}
	}
	return nil
}

// Verify verifies the signature of each certificate: that of the first with the keys
// that its authority publishes, that of each further one with the key that the previous
// one certifies. certified holds the certified keys of the chain, in order, as
// [Certificate.PublicKey] returns them. Verify returns the index in authority of the key
// that signed the first certificate. The error matches [ErrAlgorithm] or [ErrSignature].
func (c Chain) Verify(certified, authority []keys.PublicKey) (signer int, err error) {
	candidates := authority
	for i, certificate := range c {
		index, err := certificate.verify(candidates)
		if err != nil {
			return 0, fmt.Errorf("certificate %d of %d: %w", i+1, len(c), err)
		}
		if i == 0 {
			signer = index
		}
		candidates = certified[i : i+1]
	}
	return signer, nil
}
