package devidp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// DefaultDomain is the domain of a provider whose [Config] names none. Names under
// localhost stay on the machine (RFC 6761, section 6.3).
const DefaultDomain = "idp.localhost"

// Config configures a [Provider]. The zero value is a sensible choice.
type Config struct {
	// Domain is the part after the @ of the addresses that the provider
	// certifies, and the issuer of its certificates. Empty means
	// [DefaultDomain]. If it is the domain of a real provider, verifiers that
	// have the keys of this one accept the addresses of that provider's users.
	Domain string
	// Now is the clock, read once for each certificate. Nil means [time.Now].
	Now func() time.Time
	// Logger receives errors that are not the client's. Nil means
	// [slog.Default].
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Domain == "" {
		c.Domain = DefaultDomain
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	if name, ok := domain.Parse(c.Domain); !ok || strings.Contains(name, ":") {
		return fmt.Errorf("devidp: Domain: not a domain name: %.100q", c.Domain)
	}
	return nil
}

// Provider is a development identity provider. It never changes, and is safe for
// concurrent use.
type Provider struct {
	config  Config
	key     keys.PrivateKey
	bundle  []byte
	mux     *http.ServeMux
	problem *template.Template // the page of a refusal
}

// New returns a provider with a new key. It returns an error if the domain is not a
// domain name.
func New(c Config) (*Provider, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.Domain, _ = domain.Parse(c.Domain) // in lower case
	key, err := keys.Generate(keys.RS256)
	if err != nil {
		return nil, fmt.Errorf("devidp: cannot make a key: %w", err)
	}
	p := &Provider{config: c, key: key}
	document, err := json.MarshalIndent(&wellknown.Document{
		PublicKey: key.Public(),
		// The dialog serves both purposes.
		Authentication: dialogPath, Provisioning: dialogPath,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("devidp: cannot make the support document: %w", err)
	}
	if p.bundle, err = json.MarshalIndent(map[string]json.RawMessage{c.Domain: document}, "", "  "); err != nil {
		return nil, fmt.Errorf("devidp: cannot make the keys bundle: %w", err)
	}
	p.bundle = append(p.bundle, '\n')
	if err := p.route(append(document, '\n')); err != nil {
		return nil, fmt.Errorf("devidp: %w", err)
	}
	return p, nil
}

// Domain returns the domain whose addresses the provider certifies, in lower case.
func (p *Provider) Domain() string { return p.config.Domain }

// Warning returns a warning for the user, of a sentence or two. Programs that start a
// provider should print it.
func (p *Provider) Warning() string {
	return "For development only. This identity provider asks for no password: anyone who uses this machine can sign in as any user of " + p.config.Domain + "."
}

// KeysBundle returns the support document as {"<domain>": {…}}, in JSON with a line
// break at its end. wellknown.ParseStatic and the option --keys of the command read
// it. A verifier that has it accepts this provider's certificates. The caller may
// modify the result.
func (p *Provider) KeysBundle() []byte { return bytes.Clone(p.bundle) }
