// Package verifier has the flags that describe a verifier: where the keys of
// issuers come from ([Network]), which assertions are accepted ([Trust]), and at
// what time ([Flags], which has all of them).
package verifier

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/outbound"
	"github.com/vepverify/vepverify/wellknown"
)

// Flags are the flags of the commands that verify the assertions in their input.
type Flags struct {
	Network
	Trust
	Now cli.Instant
}

// New returns flags with their defaults.
func New() Flags { return Flags{Network: NewNetwork(), Trust: NewTrust()} }

// Flags returns the flags, bound to f.
func (f *Flags) Flags() []cli.Flag {
	own := []cli.Flag{
		cli.Value(&f.Now, "now", "verify as of `TIME`: 2026-01-31T12:00:00Z or milliseconds since 1970"),
	}
	return slices.Concat(own, f.Trust.Flags(), f.Network.Flags(), f.Trust.InsecureFlags())
}

// Verifier returns the verifier that the flags describe.
func (f *Flags) Verifier(c *cli.Call) (*assertion.Verifier, error) {
	keys, err := f.Source(c)
	if err != nil {
		return nil, err
	}
	return f.Trust.Verifier(c, assertion.Config{Keys: keys, Now: f.Now.Clock(c.Now)})
}

// Summary returns the answer of a verification in one line: the result, or the failure if
// it is not nil.
func Summary(res *assertion.Result, failure *assertion.FailureAnswer) string {
	switch {
	case failure == nil && res.Email == "":
		return cli.Printable("okay: holder of a certificate without email, at " + res.Audience)
	case failure == nil:
		return cli.Printable("okay: " + res.Email + " at " + res.Audience)
	case failure.Undecided:
		return cli.Printable("undecided: " + strings.TrimPrefix(failure.Reason, "undecided, "))
	}
	return cli.Printable("failure: " + failure.Reason)
}

// Trust are the flags that say which assertions are accepted.
type Trust struct {
	Fallback              string
	Leeway                cli.Span
	trustedIssuers        cli.List
	maxChain              cli.Count
	weakKeys              bool
	fallbackOnUnavailable bool
}

// NewTrust returns flags with their defaults.
func NewTrust() Trust {
	return Trust{Leeway: cli.Span(30 * time.Second), maxChain: cli.Count{N: 1, Low: 1, High: assertion.MaxChainLimit}}
}

// Flags returns the flags that do not weaken a check, bound to t.
func (t *Trust) Flags() []cli.Flag {
	return []cli.Flag{
		cli.Value(&t.Leeway, "leeway", "`TIME` by which clocks may differ, at most 5m"),
		cli.Value(&t.maxChain, "max-chain", "`NUMBER` of certificates to accept"),
		cli.Text(&t.Fallback, "fallback", "`DOMAIN` that is the authority for domains without BrowserID"),
		cli.Value(&t.trustedIssuers, "trusted-issuer", "`DOMAIN` to trust for any email address (repeatable)"),
	}
}

// InsecureFlags returns the flags that weaken a check, bound to t.
func (t *Trust) InsecureFlags() []cli.Flag {
	return []cli.Flag{
		cli.Switch(&t.weakKeys, WeakKeys, "accept RSA keys that anyone can break, for archives"),
		cli.Switch(&t.fallbackOnUnavailable, "insecure-fallback-on-unavailable", "use the fallback for domains that cannot be reached"),
	}
}

// Given returns the first of the flags of t on the command line, or "".
func (t *Trust) Given(c *cli.Call) string {
	return firstGiven(c, "leeway", "max-chain", "fallback", "trusted-issuer", WeakKeys, "insecure-fallback-on-unavailable")
}

// WeakKeys is the name of the flag that accepts weak keys.
const WeakKeys = "insecure-weak-keys"

// Verifier returns a verifier that accepts what the flags say. The caller sets the
// other fields of config: keys, clock, one-use guard.
func (t *Trust) Verifier(c *cli.Call, config assertion.Config) (*assertion.Verifier, error) {
	if err := t.check(c); err != nil {
		return nil, err
	}
	config.Leeway = time.Duration(t.Leeway)
	if config.Leeway == 0 {
		config.Leeway = -1 // no leeway; in the library zero means the default
	}
	config.MaxChain, config.Fallback, config.TrustedIssuers = t.maxChain.N, t.Fallback, t.trustedIssuers
	config.InsecureWeakKeys, config.InsecureFallbackOnUnavailable = t.weakKeys, t.fallbackOnUnavailable
	v, err := assertion.NewVerifier(config)
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return v, nil
}

// check returns an error that names the flag if assertion.NewVerifier would reject its
// value. It converts domains in Unicode.
func (t *Trust) check(c *cli.Call) error {
	if t.fallbackOnUnavailable && t.Fallback == "" {
		return c.UsageErrorf("--insecure-fallback-on-unavailable needs --fallback")
	}
	if t.Fallback != "" {
		if err := parseDomain(c, "fallback", &t.Fallback); err != nil {
			return err
		}
	}
	for i := range t.trustedIssuers {
		if err := parseDomain(c, "trusted-issuer", &t.trustedIssuers[i]); err != nil {
			return err
		}
	}
	return checkTime(c, "leeway", t.Leeway)
}

// parseDomain replaces a domain as it is written in a flag by its canonical form.
func parseDomain(c *cli.Call, flag string, name *string) error {
	parsed, err := origin.WrittenDomain(*name)
	if err != nil {
		return c.UsageErrorf("--%s %.100q: %w", flag, *name, err)
	}
	*name = parsed
	return nil
}

// maxTime is the largest value of --leeway and --timeout. Packages assertion and
// wellknown have this limit.
const maxTime = 5 * time.Minute

func checkTime(c *cli.Call, flag string, value cli.Span) error {
	if time.Duration(value) > maxTime {
		return c.UsageErrorf("--%s %s: more than %s", flag, cli.FormatSpan(time.Duration(value)), cli.FormatSpan(maxTime))
	}
	return nil
}

// Network are the flags that say where the keys of issuers come from: the
// network, or files.
type Network struct {
	Timeout      cli.Span
	Keys         string
	CAFile       string
	Proxy        string
	offline      bool
	allowPrivate bool
}

// NewNetwork returns flags with their defaults.
func NewNetwork() Network { return Network{Timeout: cli.Span(8 * time.Second)} }

// networkOnly are the flags that have no meaning without a network.
var networkOnly = []string{"timeout", "ca-file", "proxy", "insecure-allow-private"}

// Flags returns the flags, bound to n.
func (n *Network) Flags() []cli.Flag {
	return []cli.Flag{
		cli.Text(&n.Keys, "keys", "issuers' documents: `FILE` or folder; no network at all"),
		cli.Switch(&n.offline, "offline", "require --keys, so that nothing is ever fetched"),
		cli.Value(&n.Timeout, "timeout", "`TIME` for one lookup with its delegations, at most 5m"),
		cli.Text(&n.CAFile, "ca-file", "trust the certificate authorities in `FILE` (PEM), not the system's"),
		cli.Secret(cli.Text(&n.Proxy, "proxy", "fetch through the proxy at `URL` (http, https, socks5, socks5h), which resolves hosts' names")),
		cli.Switch(&n.allowPrivate, "insecure-allow-private", "fetch from private addresses, and from any port"),
	}
}

// Source returns the source of keys that the flags describe: a
// [*wellknown.Resolver] or a [*wellknown.Static]. With --keys, network flags are
// an error on the command line but not in the environment.
func (n *Network) Source(c *cli.Call) (assertion.KeySource, error) {
	offline, err := n.Offline(c)
	switch {
	case err != nil:
		return nil, err
	case offline:
		return n.LoadKeys()
	}
	return n.resolver(c)
}

// Offline reports whether everything comes from --keys. It returns an error if flags
// contradict each other.
func (n *Network) Offline(c *cli.Call) (bool, error) {
	if n.Keys == "" {
		if n.offline {
			return false, c.UsageErrorf("--offline needs --keys: issuers' keys must come from somewhere")
		}
		return false, nil
	}
	if name := firstGiven(c, networkOnly...); name != "" {
		return false, c.UsageErrorf("--%s and --keys exclude each other: --keys means no network", name)
	}
	return true, nil
}

// LoadKeys reads the documents that --keys names.
func (n *Network) LoadKeys() (*wellknown.Static, error) {
	static, err := wellknown.LoadStatic(n.Keys)
	if err != nil {
		return nil, keysError(n.Keys, err)
	}
	return static, nil
}

// LoadAll reads the documents for BrowserID, and those for the Email Verification Protocol, that
// --keys names. It reads a file once, as it may be a pipe. A folder has none of the latter.
func (n *Network) LoadAll() (*wellknown.Static, *evp.Bundle, error) {
	if info, err := os.Stat(n.Keys); err == nil && info.IsDir() {
		static, err := n.LoadKeys()
		if err != nil {
			return nil, nil, err
		}
		bundle, err := evp.ParseBundle([]byte("{}"))
		return static, bundle, err
	}
	data, err := os.ReadFile(n.Keys)
	if err != nil {
		return nil, nil, keysError(n.Keys, err)
	}
	static, err := wellknown.ParseStatic(data)
	if err != nil {
		return nil, nil, keysError(n.Keys, fmt.Errorf("%s: %w", n.Keys, err))
	}
	bundle, err := evp.ParseBundle(data)
	if err != nil {
		return nil, nil, keysError(n.Keys, fmt.Errorf("%s: %w", n.Keys, err))
	}
	return static, bundle, nil
}

// CheckTimeout returns an error if --timeout is zero or too long.
func (n *Network) CheckTimeout(c *cli.Call) error {
	if n.Timeout == 0 {
		return c.UsageErrorf("--timeout 0 leaves no time for an answer")
	}
	return checkTime(c, "timeout", n.Timeout)
}

// checkOnline returns an error if a flag for the network has a wrong value, and the certificate
// authorities of --ca-file, nil for the system's.
func (n *Network) checkOnline(c *cli.Call) (roots *x509.CertPool, err error) {
	if err := n.CheckTimeout(c); err != nil {
		return nil, err
	}
	if n.CAFile != "" {
		if roots, err = outbound.LoadCAFile(n.CAFile); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = cli.ReadError(n.CAFile, err)
			}
			return nil, c.UsageErrorf("--ca-file: %w", err)
		}
	}
	if n.Proxy != "" {
		if _, err := outbound.ParseProxy(n.Proxy); err != nil {
			return nil, c.UsageErrorf("--proxy: %w", err)
		}
	}
	return roots, nil
}

func (n *Network) resolver(c *cli.Call) (assertion.KeySource, error) {
	roots, err := n.checkOnline(c)
	if err != nil {
		return nil, err
	}
	r, err := wellknown.NewResolver(wellknown.Config{
		Timeout: time.Duration(n.Timeout), RootCAs: roots, Proxy: n.Proxy, InsecureAllowPrivate: n.allowPrivate,
	})
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return r, nil
}
