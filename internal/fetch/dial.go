package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// maxAddresses is how many addresses of one host are tried.
const maxAddresses = 8

// control has the type of [net.Dialer.Control].
type control = func(network, address string, c syscall.RawConn) error

// dialer makes the TLS connections of requests. It checks each address when that is
// dialled, so that another answer of DNS cannot replace a checked address.
type dialer struct {
	dns    *net.Resolver
	guard  control // nil allows every address
	tls    *tls.Config
	proxy  *url.URL // nil means none
	admit  func(ctx context.Context) (release func(), err error)
	custom func(ctx context.Context, network, addr string) (net.Conn, error) // Config.InsecureDialContext
}

func newDialer(c Config, proxy *url.URL) *dialer {
	d := &dialer{
		dns: limitAnswers(c.DNS), proxy: proxy, admit: c.Admit, custom: c.InsecureDialContext,
		tls: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs},
	}
	if !c.InsecureAllowPrivate {
		d.guard = ssrf.New(ssrf.WithPorts(c.Ports...), ssrf.WithAllowedV4Prefixes(c.Exempt...)).Safe
	}
	return d
}

// dial has the type of [http.Transport.DialTLSContext].
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	x, ctx, cancel, err := exchangeOf(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	conn, err := d.connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	enter(ctx, handshaking)
	secure, err := d.startTLS(ctx, &limitedConn{Conn: conn, left: maxWire}, addr)
	if err != nil {
		conn.Close()
		return nil, err
	}
	enter(ctx, waiting)
	return newClientFirstConn(secure, &x.received), nil
}

// connect returns a connection to addr, directly or through the proxy, without TLS.
func (d *dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	switch {
	case d.custom != nil:
		enter(ctx, connecting)
		return d.custom(ctx, network, addr)
	case d.proxy != nil:
		return d.connectThroughProxy(ctx, addr)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return d.connectTo(ctx, d.guard, fqdn(host), port)
}

// connectTo connects to the first address of host that answers.
func (d *dialer) connectTo(ctx context.Context, guard control, host, port string) (net.Conn, error) {
	enter(ctx, resolving)
	addresses, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	enter(ctx, connecting)
	return dialEach(ctx, guard, addresses, port)
}

// fqdn returns host with a dot at its end, so that the search list of resolv.conf does not
// apply: it could turn a host that does not exist into a name of the local network. A name
// of one label is returned as it is, because localhost is not found in the hosts file with
// a dot. The guard and TLS still check the host to which the search list leads.
func fqdn(host string) string {
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return host
	}
	return host + "."
}

// maxDNSAnswer limits an answer of a name server over TCP, in bytes: room for 250 addresses.
// For each of them [net.Resolver] opens a socket, to sort them, which took 50 ms for 4000 of each family.
const maxDNSAnswer = 4 << 10

// limitAnswers returns a resolver that does what r does, but fails for answers over
// maxDNSAnswer. Go's own resolver accepts no more than 1232 bytes over UDP.
func limitAnswers(r *net.Resolver) *net.Resolver {
	dial := r.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &net.Resolver{
		PreferGo: r.PreferGo, StrictErrors: r.StrictErrors,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if _, packets := conn.(net.PacketConn); packets || err != nil {
				return conn, err
			}
			return &limitedConn{Conn: conn, left: maxDNSAnswer}, nil
		},
	}
}

// resolve returns the addresses of host, IPv4 first: the system reports a missing IPv4
// route at once, but a broken IPv6 network often drops packets. The two families are looked
// up separately because [net.Resolver], asked for both, reports a host as not found
// although one of the two lookups failed.
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
	return nil, leastConclusive([]error{err4, other.err})
}

// dialEach tries one address after the other, each for its share of the time that is left.
func dialEach(ctx context.Context, guard control, addresses []netip.Addr, port string) (net.Conn, error) {
	failures := make([]error, 0, len(addresses))
	for i, ip := range addresses {
		d := net.Dialer{Control: guard, Timeout: shareOfTime(ctx, len(addresses)-i)}
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, leastConclusive(failures)
}

// shareOfTime returns the time that is left until the deadline of ctx, divided by n.
func shareOfTime(ctx context.Context, n int) time.Duration {
	deadline, _ := ctx.Deadline()
	return max(time.Until(deadline)/time.Duration(n), time.Millisecond)
}

// leastConclusive returns the error that represents several. A host counts as one that does
// not exist, or refuses connections, only if all errors agree. leastConclusive prefers Unavailable to
// Refused, and Refused to Unsupported.
func leastConclusive(failures []error) error {
	rank := map[Outcome]int{Unavailable: 2, Refused: 1, Unsupported: 0}
	worst := failures[0]
	for _, err := range failures[1:] {
		if rank[connectFault(err).Outcome] > rank[connectFault(worst).Outcome] {
			worst = err
		}
	}
	return worst
}

// limitedConn is a connection with a limit on the bytes that are read from it. Header and
// body have their own limits; this one bounds TLS and the framing of HTTP.
type limitedConn struct {
	net.Conn
	left  int
	first []byte // up to 3 bytes: the header of the first TLS record
}

var errWire = errors.New("more bytes than an exchange may have")

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errWire
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	c.first = append(c.first, p[:min(n, 3-len(c.first))]...)
	return n, err
}

// isOldTLS reports whether the first record of the host is a handshake of a version before
// TLS 1.2. (TLS 1.3 has the number of TLS 1.2 there.)
func (c *limitedConn) isOldTLS() bool {
	const handshake, major, minor = 22, 3, 3
	return len(c.first) == 3 && c.first[0] == handshake && c.first[1] == major && c.first[2] < minor
}

// clientFirstConn is a connection whose Read waits for the first Write. Without it,
// http.Transport logs the first bytes of a host that sends before it is asked, and hosts
// must not write to the program's log. It counts the bytes that are read.
type clientFirstConn struct {
	net.Conn
	received *atomic.Int64
	written  chan struct{}
	once     sync.Once
}

func newClientFirstConn(c net.Conn, received *atomic.Int64) *clientFirstConn {
	return &clientFirstConn{Conn: c, received: received, written: make(chan struct{})}
}

func (c *clientFirstConn) allowRead() { c.once.Do(func() { close(c.written) }) }

// Read implements [net.Conn].
func (c *clientFirstConn) Read(p []byte) (int, error) {
	<-c.written
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

// Write implements [net.Conn].
func (c *clientFirstConn) Write(p []byte) (int, error) {
	c.allowRead()
	return c.Conn.Write(p)
}

// Close implements [net.Conn].
func (c *clientFirstConn) Close() error {
	c.allowRead()
	return c.Conn.Close()
}
