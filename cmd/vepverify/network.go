package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/wellknown"
)

// network is where the keys of issuers come from: the network, or files.
type network struct {
	keys         string
	offline      bool
	timeout      span
	caFile       string
	proxy        string
	allowPrivate bool
}

func newNetwork() network { return network{timeout: span(8 * time.Second)} }

// onlyOnline are the flags that mean nothing without a network.
var onlyOnline = []string{"timeout", "ca-file", "proxy", "insecure-allow-private"}

func (n *network) flags() []cli.Flag {
	return []cli.Flag{
		textFlag(&n.keys, "keys", "issuers' support documents: `FILE` or folder; no network at all"),
		switchFlag(&n.offline, "offline", "insist on --keys, so that nothing is ever fetched"),
		valueFlag(&n.timeout, "timeout", "`TIME` for one look-up with its delegations, at most 5m"),
		textFlag(&n.caFile, "ca-file", "trust the certificate authorities in `FILE` (PEM), not the system's"),
		textFlag(&n.proxy, "proxy", "fetch through the proxy at `URL` (http, https, socks5)"),
		switchFlag(&n.allowPrivate, "insecure-allow-private", "fetch from private addresses, and from any port"),
	}
}

// source is what can be asked who speaks for a domain.
type source interface {
	Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)
}

// source makes what the flags describe. The environment's settings of the
// network do not matter where there is none.
func (n *network) source(c *cli.Context, p *process) (source, error) {
	if n.keys == "" {
		if n.offline {
			return nil, usageError(c, "--offline needs --keys: issuers' keys must come from somewhere")
		}
		return n.resolver(c)
	}
	for _, name := range onlyOnline {
		if p.given(c, name) {
			return nil, usageError(c, "--%s and --keys exclude each other: with --keys there is no network", name)
		}
	}
	static, err := wellknown.LoadStatic(n.keys)
	if err != nil {
		return nil, fmt.Errorf("--keys: %w (wanted: a file {\"domain\": {support document}, …}, or a folder of domain.json)", unprefixed{err})
	}
	return static, nil
}

func (n *network) resolver(c *cli.Context) (*wellknown.Resolver, error) {
	if n.timeout == 0 {
		return nil, usageError(c, "--timeout 0 leaves no time for an answer")
	}
	r, err := wellknown.NewResolver(wellknown.Config{
		Timeout: time.Duration(n.timeout), CAFile: n.caFile, Proxy: n.proxy, InsecureAllowPrivate: n.allowPrivate,
	})
	if err != nil {
		return nil, usageError(c, "%w", unprefixed{err})
	}
	return r, nil
}

// unprefixed is a library's error without the name of its package, which means
// nothing to a person.
type unprefixed struct{ error }

func (u unprefixed) Error() string {
	text := u.error.Error()
	for _, name := range []string{"wellknown: ", "assertion: "} {
		text = strings.ReplaceAll(text, name, "")
	}
	return text
}

func (u unprefixed) Unwrap() error { return u.error }
