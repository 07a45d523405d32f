package servers

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// Listen listens on a host and a port. The host is an IP address, without brackets, or a
// name. With an IPv4 address it listens on IPv4 only: for package net, 0.0.0.0 means all
// addresses of IPv6 too. With an empty host it listens on all addresses. Its errors name the
// cause and what to do.
func Listen(host, port string) (net.Listener, error) {
	network := "tcp"
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		network = "tcp4"
	}
	address := net.JoinHostPort(host, port)
	l, err := net.Listen(network, address)
	if before, last, ok := cutPort(host); ok && errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil, fmt.Errorf("%w; if %s is the port, write the address as %s", listenError(address, err), last, before)
	}
	return l, listenError(address, err)
}

// listenError returns an error of listening on an address with what to do about it.
func listenError(address string, err error) error {
	if err == nil {
		return nil
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return &addressError{address, "the port is in use; stop the program that has it, perhaps another vepverify, or choose another port", err}
	case errors.Is(err, syscall.EACCES):
		return &addressError{address, "permission denied; choose a port from 1024 on, or allow this program a lower one (CAP_NET_BIND_SERVICE)", err}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return &addressError{address, "this machine does not have that address; 0.0.0.0 means all of its IPv4 addresses, :: all addresses", err}
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return &addressError{address, "this machine does not have this version of IP; 0.0.0.0 means all of its IPv4 addresses", err}
	case errors.As(err, &name):
		return &addressError{address, name.Err + "; use an IP address, or a name that resolves to one of this machine", err}
	}
	return &addressError{address, err.Error(), err}
}

// addressError is the cause for which an address cannot be listened on.
type addressError struct {
	address, cause string
	err            error
}

// Error implements error.
func (e *addressError) Error() string { return "cannot listen on " + e.address + ": " + e.cause }

// Unwrap returns the error of the system.
func (e *addressError) Unwrap() error { return e.err }

// ParseHost returns the host of an address without a port: an IP address or a name. An
// IPv6 address may be in brackets.
func ParseHost(text string) (host string, err error) {
	inner, bracketed := strings.CutPrefix(text, "[")
	if bracketed {
		inner = strings.TrimSuffix(inner, "]")
	}
	ip, err := netip.ParseAddr(inner)
	switch {
	case err != nil || bracketed && (ip.Is4() || !strings.HasSuffix(text, "]")):
	case ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == "":
		return "", fmt.Errorf("a link-local address needs its interface: write %s%%eth0", ip)
	default:
		return inner, nil
	}
	switch host, port, err := net.SplitHostPort(text); {
	case text == "*":
		return "", errors.New(`write 0.0.0.0 for all IPv4 addresses, or :: for all addresses`)
	case err == nil && isPort(port):
		return "", fmt.Errorf("an address without a port is needed: write %s, and the port %s separately", orAny(host), port)
	case strings.ContainsAny(text, "[]/: "):
		return "", errors.New("not an IP address: write one such as 127.0.0.1 or ::1")
	}
	return text, nil
}

func orAny(host string) string {
	if host == "" || host == "*" {
		return "::"
	}
	return host
}

// SplitHostPort returns the host and the port of an address: IP:PORT, [IPv6]:PORT or :PORT.
func SplitHostPort(text string) (host, port string, err error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return "", "", noPort(ip, text)
	}
	host, port, err = net.SplitHostPort(text)
	switch {
	case err != nil && isPort(text):
		return "", "", fmt.Errorf("an address is missing: write 127.0.0.1:%s, or :%[1]s for all addresses", text)
	case err != nil:
		return "", "", errors.New("not an address and a port: write them as 127.0.0.1:9090 or [::1]:9090")
	case !isPort(port) && !isService(port):
		return "", "", errors.New("the port is not a number from 0 to 65535")
	}
	if host != "" {
		host, err = ParseHost(host)
	}
	return host, port, err
}

// noPort returns the error for an address without a port. An IPv6 address without brackets
// may be meant to have one at its end.
func noPort(ip netip.Addr, text string) error {
	if ip.Is4() {
		return fmt.Errorf("the port is missing: write %s:9090", ip)
	}
	if before, port, ok := cutPort(text); ok {
		return fmt.Errorf("the address needs brackets: write [%s]:%s", before, port)
	}
	return fmt.Errorf("the port is missing: write [%s]:9090", ip)
}

// cutPort splits an IPv6 address without brackets before its last group, if that may be
// meant as a port.
func cutPort(address string) (before, port string, ok bool) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 || !isPort(address[i+1:]) {
		return "", "", false
	}
	before = address[:i]
	if before == ":" {
		before = "::"
	}
	_, err := netip.ParseAddr(before)
	return before, address[i+1:], err == nil
}

// isService reports whether text is the name of a port, such as http.
func isService(text string) bool {
	_, err := net.LookupPort("tcp", text)
	return text != "" && err == nil
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
