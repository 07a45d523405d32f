package idptest

import (
	"context"
	"net"
	"os"
	"syscall"

	"code.dny.dev/ssrf"
)

// The sites of this file are simulated: [Server.DialContext] gives the error
// that Go's resolver or dialer would give, and no packet is sent. What a real
// resolver makes of real answers of DNS, or which addresses a real dialer
// refuses, is not tested by them.

// NXDomain is a host that does not exist, like all that were not set.
// Simulated.
func NXDomain() Site {
	return lookupFails(net.DNSError{Err: "no such host", IsNotFound: true})
}

// ServFail is a host whose name servers fail. Simulated.
func ServFail() Site {
	return lookupFails(net.DNSError{Err: "server misbehaving", IsTemporary: true})
}

// DNSTimeout is a host whose name servers do not answer; the look-up has given
// up at once. Simulated.
func DNSTimeout() Site {
	return lookupFails(net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true})
}

func lookupFails(e net.DNSError) Site {
	return Site{unreachable: func(_ context.Context, addr string) error {
		e := e
		e.Name, _, _ = net.SplitHostPort(addr)
		return dialError(&e)
	}}
}

// Refused is a host that refuses connections. Simulated.
func Refused() Site {
	return Site{unreachable: func(context.Context, string) error {
		return dialError(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}}
}

// Blackhole is a host that drops every packet: connecting takes until the
// client gives up or the server is closed. Simulated.
func Blackhole() Site {
	return Site{unreachable: func(ctx context.Context, _ string) error {
		<-ctx.Done()
		return dialError(ctx.Err())
	}}
}

// PrivateAddress is a host that DNS gives the address 10.0.0.1. The answer of
// DNS is simulated; the refusal is that of the guard of package
// code.dny.dev/ssrf, made before anything is sent.
func PrivateAddress() Site {
	return Site{unreachable: func(ctx context.Context, _ string) error {
		guarded := net.Dialer{Control: ssrf.New().Safe}
		conn, err := guarded.DialContext(ctx, "tcp", "10.0.0.1:443")
		if err == nil {
			conn.Close()
			panic("idptest: the guard let a private address through")
		}
		return err
	}}
}

func dialError(cause error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: cause} }
