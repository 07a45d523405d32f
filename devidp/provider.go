package devidp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// DefaultDomain is the domain of a provider that is not given another. Names
// under localhost are nobody's, and stay on the machine (RFC 6761, section 6.3).
const DefaultDomain = "idp.localhost"

// Config says what a provider is to be. Each field's zero value is the usual
// choice.
type Config struct {
	// Domain is what follows the @ in the addresses that the provider
	// certifies, and the issuer in certificates. Empty: [DefaultDomain]. A
	// domain that exists lets its users' addresses be tried, at verifiers that
	// are told to believe this provider.
	Domain string
	// Now is the clock, read once a certificate. Nil: [time.Now].
	Now func() time.Time
}

// Provider is a development identity provider. It never changes, and serves any
// number of goroutines.
type Provider struct {
	domain  string
	key     keys.PrivateKey
	now     func() time.Time
	bundle  []byte
	handler http.Handler
}

// New makes a provider with a new key. It errs when the domain is none.
func New(c Config) (*Provider, error) {
	name := c.Domain
	if name == "" {
		name = DefaultDomain
	}
	parsed, ok := domain.Parse(name)
	if !ok || strings.Contains(parsed, ":") {
		return nil, fmt.Errorf("devidp: %.100q is no domain, such as %s", name, DefaultDomain)
	}
	key, err := keys.Generate(keys.RS256)
	if err != nil {
		return nil, fmt.Errorf("devidp: %w", err)
	}
	p := &Provider{domain: parsed, key: key, now: c.Now}
	if p.now == nil {
		p.now = time.Now
	}
	if err := p.publish(); err != nil {
		return nil, fmt.Errorf("devidp: %w", err)
	}
	return p, nil
}

// publish makes all that does not depend on a request.
func (p *Provider) publish() error {
	document, err := json.MarshalIndent(&wellknown.Document{
		PublicKey: p.key.Public(),
		// The dialog is both: it authenticates by asking, and makes the keys.
		Authentication: dialogPath, Provisioning: dialogPath,
	}, "", "  ")
	if err != nil {
		return err
	}
	p.bundle, err = json.MarshalIndent(map[string]json.RawMessage{p.domain: document}, "", "  ")
	if err != nil {
		return err
	}
	p.bundle = append(p.bundle, '\n')
	p.handler, err = p.routes(append(document, '\n'))
	return err
}

// Domain is the domain whose addresses the provider certifies, in lower case.
func (p *Provider) Domain() string { return p.domain }

// Warning says in a sentence or two, for people, what such a provider is not
// for. Whoever starts one should see it.
func (p *Provider) Warning() string {
	return "For development only. This identity provider asks for no password: whoever uses this machine can sign in as anybody at " + p.domain + "."
}

// KeysBundle gives {"<domain>": {support document}} as JSON text with a line
// break at its end: what wellknown.ParseStatic and the option --keys read. A
// verifier that is given it believes this provider, until it is made anew.
func (p *Provider) KeysBundle() []byte { return append([]byte(nil), p.bundle...) }
