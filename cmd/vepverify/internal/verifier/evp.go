package verifier

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/sniff"
)

// EVP are the flags of the commands that verify tokens of the Email Verification Protocol.
type EVP struct {
	profile   profile
	dnsServer dnsServer
}

// Flags returns the flags, bound to e.
func (e *EVP) Flags() []cli.Flag {
	return []cli.Flag{
		cli.Value(&e.profile, "profile", "rules for tokens, `NAME`: default, or draft-02 to the letter"),
		e.DNSFlag(),
	}
}

// DNSFlag returns the flag for the DNS server, bound to e.
func (e *EVP) DNSFlag() cli.Flag {
	return cli.Value(&e.dnsServer, "dns-server", "ask the DNS server at `IP` or IP:PORT about issuers of tokens, not the system's")
}

// Given returns the first of the flags of [EVP.Flags] on the command line, or "".
func (e *EVP) Given(c *cli.Call) string { return firstGiven(c, "profile", "dns-server") }

// Profile returns the value of --profile.
func (e *EVP) Profile() evp.Profile { return evp.Profile(e.profile) }

// firstGiven returns the first of these flags that is given on the command line, or "".
func firstGiven(c *cli.Call, names ...string) string {
	for _, name := range names {
		if c.Given(name) {
			return name
		}
	}
	return ""
}

// CheckOrigins returns an error for a value of --audience that is not the origin of a page. Audiences
// of assertions may be written in other ways.
func CheckOrigins(c *cli.Call, audiences []string) error {
	for _, a := range audiences {
		if _, err := origin.Parse(a); err != nil {
			return c.UsageErrorf("--audience %q: for a token: %w", cli.Shown(a), err)
		}
	}
	return nil
}

// TokenVerifier returns a verifier of tokens that the flags describe. The caller sets the
// other fields of config: origins, clock, one-use guard, and with --keys the bundle.
func (e *EVP) TokenVerifier(c *cli.Call, n *Network, config evp.Config) (*evp.Verifier, error) {
	offline, err := n.Offline(c)
	switch {
	case err != nil:
		return nil, err
	case offline && c.Given("dns-server"):
		return nil, c.UsageErrorf("--dns-server and --keys exclude each other: --keys means no network")
	case !offline:
		if err := e.setOnline(c, n, &config); err != nil {
			return nil, err
		}
	}
	config.Profile = e.Profile()
	v, err := evp.NewVerifier(config)
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return v, nil
}

// setOnline sets the fields of config that say how the network is used.
func (e *EVP) setOnline(c *cli.Call, n *Network, config *evp.Config) (err error) {
	if config.RootCAs, err = n.checkOnline(c); err != nil {
		return err
	}
	config.Timeout, config.Proxy, config.InsecureAllowPrivate = time.Duration(n.Timeout), n.Proxy, n.allowPrivate
	if e.dnsServer.IsValid() {
		config.Resolver = e.dnsServer.resolver()
	}
	return nil
}

// TokenBundle returns what --keys has for tokens, nil without --keys. It is an error if that is
// nothing. The domain is that of the addresses, "" if it is not known.
func (n *Network) TokenBundle(c *cli.Call, domain string) (*evp.Bundle, error) {
	offline, err := n.Offline(c)
	if err != nil || !offline {
		return nil, err
	}
	_, bundle, err := n.LoadAll()
	if err != nil || len(bundle.Names()) > 0 {
		return bundle, err
	}
	switch kindOfFile(n.Keys) {
	case sniff.Unknown, sniff.JSON, sniff.Bundle:
	default:
		return nil, keysError(n.Keys, nil)
	}
	if domain == "" {
		domain = "DOMAIN"
	}
	return nil, c.UsageErrorf("--keys %s: it has documents of BrowserID only; a token needs the TXT record, the metadata and the key set of an issuer: "+
		"add them with %s lookup --evp %s --save FILE", n.Keys, cli.Program, domain)
}

// profile is the value of --profile.
type profile evp.Profile

// Set implements flag.Value.
func (p *profile) Set(s string) error {
	parsed, err := evp.ParseProfile(s)
	if err != nil {
		return errors.New("want default or draft-02")
	}
	*p = profile(parsed)
	return nil
}

// String implements flag.Value.
func (p *profile) String() string { return evp.Profile(*p).String() }

// Choices returns the values for completion.
func (p *profile) Choices() []string { return []string{evp.Default.String(), evp.Draft02.String()} }

// dnsServer is the value of --dns-server: the address of a DNS server. The zero value means
// those of the system.
type dnsServer struct{ netip.AddrPort }

const dnsPort = 53

// Set implements flag.Value.
func (d *dnsServer) Set(s string) error {
	if address, err := netip.ParseAddr(s); err == nil {
		d.AddrPort = netip.AddrPortFrom(address, dnsPort)
		return nil
	}
	parsed, err := netip.ParseAddrPort(s)
	if err != nil || parsed.Port() == 0 {
		return errors.New("want an IP address, or IP:PORT")
	}
	d.AddrPort = parsed
	return nil
}

// String implements flag.Value.
func (d *dnsServer) String() string {
	if !d.IsValid() {
		return ""
	}
	return d.AddrPort.String()
}

// resolver returns a resolver that asks this server only.
func (d *dnsServer) resolver() *net.Resolver {
	address := d.String()
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
}

// TokenSummary returns the result of the verification of a token in one line.
func TokenSummary(res *evp.Result) string {
	text := fmt.Sprintf("okay: %s at %s", res.Email, res.Audience)
	if res.Private {
		text += " (a private address)"
	}
	return cli.Printable(text)
}
