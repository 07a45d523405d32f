package wellknown

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// What an exchange came to is decided by white lists: only what is named here
// counts as "does not support BrowserID" or as refused, and everything else is a
// host that cannot be known about now.

// exchangeFault classifies an error before the first line of an answer.
// Through a proxy nothing that happens before the host's own answer
// tells about the host: a dead proxy must not hand every domain to the fallback.
func exchangeFault(err error, proxied bool) *fault {
	var full errNoPlace
	if errors.As(err, &full) {
		return unavailable("no room to verify the host's certificates", full.error).local()
	}
	if !proxied && !proxyConnect(err) {
		return dialFault(err)
	}
	if f := dialFault(err); f.kind == ErrUnavailable {
		return f
	}
	return unavailable("no connection through the proxy", safeCause(err))
}

// proxyConnect says whether err is about the way to a proxy, of a transport
// that is not ours.
func proxyConnect(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "proxyconnect"
}

// dialFault classifies an error of name resolution, of connecting or of the
// TLS handshake.
func dialFault(err error) *fault {
	var dns *net.DNSError
	var address *net.AddrError
	switch {
	case timeout(err):
		return unavailable("timed out", context.DeadlineExceeded)
	case errors.As(err, &dns):
		if dns.IsNotFound && !dns.IsTemporary {
			return unsupported("no such host", nil)
		}
		return unavailable("name resolution failed", nil)
	case errors.As(err, &address): // such as IPv4 dressed up as IPv6, which net sorts out
		return refused("no address that may be dialled", nil)
	case prohibited(err) != nil:
		return refused("an address that is not public", prohibited(err))
	case connectionRefused(err):
		return unsupported("connection refused", syscall.ECONNREFUSED)
	case notTLS(err):
		return unsupported("no TLS spoken", nil)
	}
	return unavailable(describe(err), safeCause(err))
}

func timeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// prohibited gives the guard's error without the address that is in its text.
func prohibited(err error) error {
	for _, sentinel := range []error{ssrf.ErrProhibitedIP, ssrf.ErrProhibitedPort, ssrf.ErrProhibitedNetwork, ssrf.ErrInvalidHostPort} {
		if errors.Is(err, sentinel) {
			return sentinel
		}
	}
	return nil
}

func connectionRefused(err error) bool {
	const windows = syscall.Errno(10061) // WSAECONNREFUSED, which package syscall does not name
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, windows)
}

// notTLS: the first bytes were no TLS record. Conn is nil in errors about
// later ones, which are broken TLS.
func notTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) && header.Conn != nil || errors.Is(err, http.ErrSchemeMismatch)
}

// describe says in our own words what went wrong: the texts of errors quote
// certificates, addresses and answers.
func describe(err error) string {
	var (
		invalid   x509.CertificateInvalidError
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		cert      *tls.CertificateVerificationError
		op        *net.OpError
	)
	switch {
	case errors.Is(err, errCertificates):
		return "TLS certificates over a limit: more than 10, or an RSA key of more than 4096 bits or an exponent over 65537"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "TLS certificate expired or not yet valid"
	case errors.As(err, &name):
		return "TLS certificate of another name"
	case errors.As(err, &authority):
		return "TLS certificate of an unknown authority"
	case errors.As(err, &cert) || errors.As(err, &invalid):
		return "TLS certificate not valid"
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return "TLS handshake failed"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET):
		return "connection closed early"
	}
	return "no usable answer"
}

// safeCause gives what of err cannot hold anything remote, nil if nothing.
func safeCause(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return nil
}

// statusFault classifies the status of an answer, nil for the one that comes
// with a document.
func statusFault(status int) *fault {
	reason := fmt.Sprintf("HTTP status %d", status)
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return unavailable(reason, nil)
	case status > 200 && status < 500:
		return unsupported(reason, nil).byHost()
	}
	return unavailable(reason, nil)
}

// typeFault wants application/json in each Content-Type there is.
func typeFault(h http.Header) *fault {
	types := h.Values("Content-Type")
	for _, t := range types {
		media, _, _ := strings.Cut(t, ";")
		if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
			types = nil
		}
	}
	if len(types) == 0 {
		return unsupported("content type other than application/json", nil).byHost()
	}
	return nil
}
