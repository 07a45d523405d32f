package serve

import (
	"sync/atomic"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/verifyapi"
)

// tokenFlag returns the first flag for tokens on the command line, or "".
func (s *command) tokenFlag(c *cli.Call) string {
	for _, name := range []string{"evp-issuer", "evp-domain"} {
		if c.Given(name) {
			return name
		}
	}
	return s.EVP.Given(c)
}

// tokenVerifier returns the verifier for POST /evp, nil with --no-evp. With --keys, it is read
// again when the files are.
func (s *command) tokenVerifier(c *cli.Call, files *files, guard guard) (verifyapi.TokenVerifier, error) {
	if s.noEVP {
		return nil, nil
	}
	config := evp.Config{Origins: []string{noOrigin}, Now: c.Now}
	if guard.store != nil {
		config.OneUse = guard.store
	}
	var err error
	if config.Issuers, err = parseNames(c, "evp-issuer", s.evpIssuers); err != nil {
		return nil, err
	}
	if config.Domains, err = parseNames(c, "evp-domain", s.evpDomains); err != nil {
		return nil, err
	}
	if files.keys == nil {
		return s.TokenVerifier(c, &s.Network, config)
	}
	t := &tokens{config: config}
	t.config.Profile = s.Profile()
	t.config.Bundle = files.keys.current.Load().bundle
	v, err := s.TokenVerifier(c, &s.Network, t.config)
	if err != nil {
		return nil, err
	}
	t.current.Store(v)
	files.keys.tokens = t
	return t, nil
}

// noOrigin is the origin of the verifier itself. Each request names its own.
const noOrigin = "https://verifier.invalid"

// parseNames returns domains as they are written in a flag in their canonical form. Nil means all.
func parseNames(c *cli.Call, flag string, written []string) (names []string, err error) {
	for _, text := range written {
		name, err := origin.WrittenDomain(text)
		if err != nil {
			return nil, c.UsageErrorf("--%s %.100q: %w", flag, cli.Shown(text), err)
		}
		names = append(names, name)
	}
	return names, nil
}

// tokens is a verifier of tokens with the keys of --keys, which are read again.
type tokens struct {
	config  evp.Config // without the bundle
	current atomic.Pointer[evp.Verifier]
}

// WithOrigins implements verifyapi.TokenVerifier.
func (t *tokens) WithOrigins(origins ...string) (*evp.Verifier, error) {
	return t.current.Load().WithOrigins(origins...)
}

// use makes a new bundle the one in use.
func (t *tokens) use(bundle *evp.Bundle) error {
	config := t.config
	config.Bundle = bundle
	v, err := evp.NewVerifier(config)
	if err != nil {
		return err
	}
	t.current.Store(v)
	return nil
}
