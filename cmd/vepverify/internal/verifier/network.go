package verifier

import (
	"fmt"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/outbound"
	"github.com/vepverify/vepverify/wellknown"
)

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
		cli.Text(&n.Keys, "keys", "issuers' support documents: `FILE` or folder; no network at all"),
		cli.Switch(&n.offline, "offline", "require --keys, so that nothing is ever fetched"),
		cli.Value(&n.Timeout, "timeout", "`TIME` for one look-up with its delegations, at most 5m"),
		cli.Text(&n.CAFile, "ca-file", "trust the certificate authorities in `FILE` (PEM), not the system's"),
		cli.Secret(cli.Text(&n.Proxy, "proxy", "fetch through the proxy at `URL` (http, https, socks5)")),
		cli.Switch(&n.allowPrivate, "insecure-allow-private", "fetch from private addresses, and from any port"),
	}
}

// Source returns the source of keys that the flags describe: a
// [*wellknown.Resolver] or a [*wellknown.Static]. With --keys, network flags are
// an error on the command line but not in the environment.
func (n *Network) Source(c *cli.Call) (assertion.KeySource, error) {
	if n.Keys == "" {
		if n.offline {
			return nil, c.UsageErrorf("--offline needs --keys: issuers' keys must come from somewhere")
		}
		return n.resolver(c)
	}
	for _, name := range networkOnly {
		if c.Given(name) {
			return nil, c.UsageErrorf("--%s and --keys exclude each other: --keys means no network", name)
		}
	}
	static, err := wellknown.LoadStatic(n.Keys)
	if err != nil {
		return nil, fmt.Errorf("--keys: %w (want a file {\"domain\": {support document}, …}, or a folder of domain.json)", err)
	}
	return static, nil
}

func (n *Network) resolver(c *cli.Call) (assertion.KeySource, error) {
	if n.Timeout == 0 {
		return nil, c.UsageErrorf("--timeout 0 leaves no time for an answer")
	}
	config := wellknown.Config{Timeout: time.Duration(n.Timeout), Proxy: n.Proxy, InsecureAllowPrivate: n.allowPrivate}
	var err error
	if n.CAFile != "" {
		if config.RootCAs, err = outbound.LoadCAFile(n.CAFile); err != nil {
			return nil, c.UsageErrorf("--ca-file: %w", err)
		}
	}
	if n.Proxy != "" {
		if _, err := outbound.ParseProxy(n.Proxy); err != nil {
			return nil, c.UsageErrorf("--proxy: %w", err)
		}
	}
	r, err := wellknown.NewResolver(config)
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return r, nil
}
