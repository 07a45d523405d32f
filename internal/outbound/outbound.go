// Package outbound contains what all clients of remote hosts in this module share: the
// settings of an operator (a file of certificate authorities, the URL of a proxy), and the
// classification of network errors.
//
// The errors and texts of this package contain nothing that a remote host sent, and no
// password of a proxy.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/vepverify/vepverify/internal/domain"
)

// LoadCAFile returns the certificate authorities in a PEM file. It returns an error if the
// file cannot be read or contains no certificate.
func LoadCAFile(name string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", name)
	}
	return pool, nil
}

// proxyPorts are the default ports of proxies, by the scheme of the proxy's URL.
var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080"}

// remoteDNS is the scheme that other programs use for a SOCKS5 proxy that resolves names.
const remoteDNS = "socks5h"

// errProxy does not show the URL, which may contain a password.
var errProxy = errors.New("want http://host:port, https://host:port, socks5://host:port or socks5h://host:port")

// ParseProxy parses the URL of a proxy: its scheme is http, https, socks5 or socks5h; a user,
// a password and a port may be given; a path other than "/", a query and a fragment are
// errors. Each proxy gets the name of the host and resolves it, so socks5h means the same as
// socks5, and the URL that ParseProxy returns has socks5 in its place.
func ParseProxy(proxy string) (*url.URL, error) {
	u, err := url.Parse(proxy)
	if err != nil {
		return nil, errProxy
	}
	if u.Scheme == remoteDNS {
		u.Scheme = "socks5"
	}
	if _, known := proxyPorts[u.Scheme]; !known || u.Hostname() == "" || u.Path != "" && u.Path != "/" ||
		u.RawQuery != "" || u.Fragment != "" {
		return nil, errProxy
	}
	// url.Parse accepts a host such as "]".
	if _, port, err := net.SplitHostPort(ProxyAddr(u)); err != nil || !domain.IsPort(port) {
		return nil, errProxy
	}
	return u, nil
}

// ProxyAddr returns the address of a proxy as host:port, with the default port of its
// scheme if the URL has none.
func ProxyAddr(proxy *url.URL) string {
	port := proxy.Port()
	if port == "" {
		port = proxyPorts[proxy.Scheme]
	}
	return net.JoinHostPort(proxy.Hostname(), port)
}

// ConnectError is the error of an HTTP proxy that answered CONNECT with another status than
// 200. Its text contains nothing that the proxy sent, and no password.
type ConnectError struct {
	Proxy  *url.URL
	Status int
}

// Error names the proxy, the status with its name by RFC 9110, and what to do.
func (e *ConnectError) Error() string {
	return "the proxy " + ProxyAddr(e.Proxy) + " answered CONNECT with " + StatusText(e.Status) + ": " + e.Advice()
}

// Advice tells a person what to do.
func (e *ConnectError) Advice() string {
	switch e.Status {
	case http.StatusProxyAuthRequired:
		if e.Proxy.User != nil {
			return "check its user and password in the proxy URL"
		}
		return "set its user and password in the proxy URL"
	case http.StatusForbidden:
		return "the proxy should allow CONNECT to this host and port"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "the proxy could not reach the host: look at the proxy's log"
	}
	return "check that it is an HTTP proxy that allows CONNECT"
}

// StatusText returns a status with its name by RFC 9110, without what was sent as its name.
func StatusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// Failure is the class of a network error.
type Failure int

// Classes of network errors.
const (
	Other Failure = iota // none of those below
	TimedOut
	ProxyFailed // net/http could not connect through the proxy
	NoSuchHost  // the name has no address (NXDOMAIN or NODATA)
	DNSFailed   // the name could not be resolved, for another reason
	ConnectionRefused
	NotTLS // the first bytes of the answer were not TLS
	CertificateExpired
	CertificateName      // the certificate is for another name
	CertificateAuthority // no trusted authority issued the certificate
	CertificateInvalid   // for another reason
	HandshakeFailed      // one side ended the TLS handshake with an alert
	ClosedEarly          // the connection ended, or was reset, before the answer did
	DialFailed           // no connection, for another reason
)

var failureTexts = map[Failure]string{
	Other:                "no usable answer",
	TimedOut:             "timed out",
	ProxyFailed:          "no connection through the proxy",
	NoSuchHost:           "no such host",
	DNSFailed:            "name resolution failed",
	ConnectionRefused:    "connection refused",
	NotTLS:               "no TLS spoken",
	CertificateExpired:   "TLS certificate expired or not yet valid",
	CertificateName:      "TLS certificate of another name",
	CertificateAuthority: "TLS certificate of an unknown authority",
	CertificateInvalid:   "TLS certificate not valid",
	HandshakeFailed:      "TLS handshake failed",
	ClosedEarly:          "connection closed early",
	DialFailed:           "no connection",
}

// String returns a description for people, such as "connection refused".
func (f Failure) String() string { return failureTexts[f] }

// Classify returns the class of an error of net, crypto/tls or net/http. If several classes
// apply, it returns the first of them, in the order of the constants.
func Classify(err error) Failure {
	switch {
	case isTimeout(err):
		return TimedOut
	case isOp(err, "proxyconnect"):
		return ProxyFailed
	}
	if f := dnsFailure(err); f != Other {
		return f
	}
	switch {
	case isConnectionRefused(err):
		return ConnectionRefused
	case isNotTLS(err):
		return NotTLS
	}
	if f := tlsFailure(err); f != Other {
		return f
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return ClosedEarly
	case isOp(err, "dial"):
		return DialFailed
	}
	return Other
}

func dnsFailure(err error) Failure {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return Other
	case dns.IsNotFound && !dns.IsTemporary:
		return NoSuchHost
	}
	return DNSFailed
}

func tlsFailure(err error) Failure {
	var (
		invalid   x509.CertificateInvalidError
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		cert      *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return CertificateExpired
	case errors.As(err, &name):
		return CertificateName
	case errors.As(err, &authority):
		return CertificateAuthority
	case errors.As(err, &cert), errors.As(err, &invalid):
		return CertificateInvalid
	case isOp(err, "remote error"), isOp(err, "local error"): // as crypto/tls names alerts
		return HandshakeFailed
	}
	return Other
}

// isTimeout reports whether err is a timeout, of a context or of the system.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// isOp reports whether err is about an operation of that name in package net.
func isOp(err error, name string) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == name
}

// isConnectionRefused reports whether the host refused the connection.
func isConnectionRefused(err error) bool {
	const windows = syscall.Errno(10061) // WSAECONNREFUSED, which package syscall does not name
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, windows)
}

// isNotTLS reports whether the first bytes were not a TLS record. The field Conn is nil in
// errors about later records, which are broken TLS.
func isNotTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) && header.Conn != nil || errors.Is(err, http.ErrSchemeMismatch)
}
