package wellknown

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// maxAddresses is how many addresses of one host are tried.
const maxAddresses = 8

// control is the type of [net.Dialer.Control].
type control = func(network, address string, c syscall.RawConn) error

// dialer makes the TLS connections of fetches. It checks each address at the
// moment it is dialled, so that no second answer of DNS can slip in between.
type dialer struct {
	dns   *net.Resolver
	guard control // nil: any address
	tls   *tls.Config
	proxy *url.URL // nil: none
	loads loads
	own   func(ctx context.Context, network, addr string) (net.Conn, error)
}

func newDialer(c Config, roots *x509.CertPool, proxy *url.URL, ports []uint16, l loads) *dialer {
	d := &dialer{
		dns: c.DNS, proxy: proxy, own: c.InsecureDialContext, loads: l,
		tls: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}
	if !c.InsecureAllowPrivate {
		d.guard = ssrf.New(ssrf.WithPorts(ports...)).Safe
	}
	return d
}

// deadlineKey is the key of the time when a fetch must end, in its context.
// http.Transport takes cancellation and deadline out of the context that it
// dials with, so that dialling would go on without end, but keeps the values.
type deadlineKey struct{}

// dial is for [http.Transport.DialTLSContext].
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	deadline, ok := ctx.Value(deadlineKey{}).(time.Time)
	if !ok {
		return nil, errors.New("a fetch without a deadline")
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := d.connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	secure, err := d.secure(ctx, &bounded{Conn: conn, left: maxWire}, addr)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return newPatient(secure), nil
}

// connect gives a connection to addr, on which TLS has not begun.
func (d *dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	switch {
	case d.own != nil:
		return d.own(ctx, network, addr)
	case d.proxy != nil:
		return d.tunnel(ctx, addr)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return d.reach(ctx, d.guard, rooted(host), port)
}

// secure begins TLS as a client of the host of addr.
func (d *dialer) secure(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, d.checked(ctx, host))
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secure, nil
}

// reach connects to the first address of host that answers.
func (d *dialer) reach(ctx context.Context, guard control, host, port string) (net.Conn, error) {
	addresses, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	return dialEach(ctx, guard, addresses, port)
}

// rooted keeps the search list of resolv.conf away: it could make a name of
// somebody's own network out of a host that does not exist. A name of one label
// stays as it is, because with a dot behind it localhost is not found in the file
// of hosts; where the search list leads it, the guard and TLS stand.
func rooted(host string) string {
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return host
	}
	return host + "."
}

// resolve gives the addresses of host, IPv4 first: where there is no route for
// the one family the system says so at once, but a broken IPv6 tends to be
// silent. The two families are asked for apart because [net.Resolver], asked for
// both, reports a host as not found although one of the questions failed.
func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	type answer struct {
		addresses []netip.Addr
		err       error
	}
	six := make(chan answer, 1)
	go func() {
		addresses, err := d.dns.LookupNetIP(ctx, "ip6", host)
		six <- answer{addresses, err}
	}()
	four, err4 := d.dns.LookupNetIP(ctx, "ip4", host)
	other := <-six
	if all := append(four, other.addresses...); len(all) > 0 {
		return all[:min(len(all), maxAddresses)], nil
	}
	return nil, leastTelling([]error{err4, other.err})
}

// dialEach tries one address after the other, each for its share of the time
// that is left.
func dialEach(ctx context.Context, guard control, addresses []netip.Addr, port string) (net.Conn, error) {
	failures := make([]error, 0, len(addresses))
	for i, ip := range addresses {
		d := net.Dialer{Control: guard, Timeout: share(ctx, len(addresses)-i)}
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, leastTelling(failures)
}

func share(ctx context.Context, ways int) time.Duration {
	deadline, _ := ctx.Deadline()
	return max(time.Until(deadline)/time.Duration(ways), time.Millisecond)
}

// leastTelling gives the failure that stands for all: that a host does not
// exist or refuses is only known when all of its ways say so.
func leastTelling(failures []error) error {
	weight := func(err error) int {
		switch dialFault(err).kind {
		case ErrUnavailable:
			return 2
		case ErrRefused:
			return 1
		}
		return 0
	}
	worst := failures[0]
	for _, err := range failures[1:] {
		if weight(err) > weight(worst) {
			worst = err
		}
	}
	return worst
}
