package certchain

import (
	"fmt"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// Certificate is an identity certificate: a token in which an issuer says
// whose key a key is. It is parsed, not verified.
type Certificate struct {
	*Token
	// Issuer is the domain that claims to have signed, in lower case.
	Issuer string

	principal          strictjson.Object // nil when there is none, or it is no object
	email, emailDomain string
	emailErr           error
}

// ParseCertificate takes a certificate apart; it errs with ErrMalformed. The
// certified key and the principal are read by the methods below, so that their
// faults can be told from those of the certificate's form.
func ParseCertificate(s string) (*Certificate, error) {
	var c struct { // in one piece of memory
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
		return malformed("iss is no string")
	}
	if string(iss) == c.emailDomain && c.emailDomain != "" { // nearly always
		c.Issuer = c.emailDomain
		return nil
	}
	if c.Issuer, ok = domain.Parse(string(iss)); !ok {
		return malformed("iss is no domain")
	}
	return nil
}

// readPrincipal finds the certified address: principal.email or, when that is
// absent, sub. A principal that is not an object certifies nobody.
func (c *Certificate) readPrincipal(room strictjson.Object) {
	raw, there := c.Claims.Get("sub")
	if principal, has := c.Claims.Get("principal"); has {
		var err error
		if c.principal, err = strictjson.AppendObject(room, principal); err != nil {
			return
		}
		if inner, has := c.principal.Get("email"); has {
			raw, there = inner, true
		}
	}
	if !there {
		return
	}
	s, _ := strictjson.String(raw)
	var ok bool
	if c.email, c.emailDomain, ok = domain.Email(s); !ok {
		c.emailErr = malformed("the certified email is none")
	}
}

// PublicKey gives the certified key, the claim public-key or, when that is
// absent, pubkey. It errs with ErrKey, and unless allowWeak is set refuses weak
// keys.
func (c *Certificate) PublicKey(allowWeak bool) (keys.PublicKey, error) {
	raw, there := c.Claims.Get("public-key")
	if !there {
		raw, there = c.Claims.Get("pubkey")
	}
	if !there {
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

// Email gives the certified address, with its domain in lower case, and that
// domain; both are empty when the certificate certifies no address. It errs with
// ErrMalformed when there is an address that is none.
func (c *Certificate) Email() (email, emailDomain string, err error) {
	return c.email, c.emailDomain, c.emailErr
}

// Host gives the host that a certificate in the middle of a chain certifies,
// in lower case. It errs with ErrChain when the certificate certifies no host,
// or an address beside it.
func (c *Certificate) Host() (string, error) {
	if c.principal == nil {
		return "", fmt.Errorf("%w: a certificate that signs another has no principal object", ErrChain)
	}
	_, hasEmail := c.principal.Get("email")
	_, hasSub := c.Claims.Get("sub")
	if hasEmail || hasSub {
		return "", fmt.Errorf("%w: an email's certificate signs no other", ErrChain)
	}
	raw, _ := c.principal.Get("host")
	s, _ := strictjson.String(raw)
	host, ok := domain.Parse(s)
	if !ok {
		return "", fmt.Errorf("%w: a certificate that signs another certifies no host", ErrChain)
	}
	return host, nil
}
