package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/internal/outbound"
)

// Outcome is what a failed request means for a host.
type Outcome int

// The outcomes.
const (
	Unavailable Outcome = iota // not known now
	Unsupported                // the host does not take part in the protocol
	Refused                    // a failure
)

// Fault is the reason why there is no usable document. The classification is by positive
// lists: only the causes named in this file are Unsupported or Refused, all others are
// Unavailable.
type Fault struct {
	Outcome Outcome
	Reason  string // for people; it never contains remote text
	Cause   error  // likewise; may be nil

	// Advice tells a person what to do, and Setting is the field of the protocol's
	// Config that it is about. Either may be empty.
	Advice, Setting string

	// ByHost reports that the host itself answered, over valid TLS. Only such a fault
	// replaces an earlier document.
	ByHost bool

	// Local reports that the cause is on this side. It says nothing about the host, so it
	// must not be cached.
	Local bool
}

// Fault returns a fault with the outcome o.
func (o Outcome) Fault(reason string, cause error) *Fault {
	return &Fault{Outcome: o, Reason: reason, Cause: cause}
}

// FaultByHost returns a fault with the outcome o that is an answer of the host itself.
func (o Outcome) FaultByHost(reason string) *Fault {
	return &Fault{Outcome: o, Reason: reason, ByHost: true}
}

// LocalFault returns a fault that is Unavailable for a cause on this side.
func LocalFault(reason string, cause error) *Fault {
	return &Fault{Reason: reason, Cause: cause, Local: true}
}

// Advise sets the advice and the setting of f, and returns f.
func (f *Fault) Advise(advice, setting string) *Fault {
	f.Advice, f.Setting = advice, setting
	return f
}

// Fields of the protocols' Configs that advice is about.
const (
	settingCA      = "CAFile"
	settingPrivate = "InsecureAllowPrivate"
	settingProxy   = "Proxy"
	settingTimeout = "Timeout"
)

// notHTTP1 is the reason of an answer that is not valid, or of another version.
const notHTTP1 = "no valid HTTP/1 answer"

// Advice that several faults have.
const (
	adviceLater   = "try again later; if it stays so, look at the host's log"
	adviceTimeout = "try again later, or allow more time"
	advicePrivate = "only in development, allow private addresses"
)

// exchangeFault classifies an error before the status line of an answer. With a proxy, only
// the host's own answer says something about the host: a dead proxy must not make every
// domain Unsupported.
func (c *Client) exchangeFault(x *exchange, err error) *Fault {
	var (
		refused admitError
		proxy   *proxyError
		status  *outbound.ConnectError
	)
	switch {
	case errors.As(err, &refused):
		return LocalFault("no room to verify the host's certificates", refused.error).Advise("try again later", "")
	case errors.As(err, &proxy) && !errors.Is(proxy.cause, context.DeadlineExceeded):
		return Unavailable.Fault("the proxy "+c.proxy+" "+proxy.reason, proxy.cause).Advise(proxy.advice, proxy.setting)
	case errors.As(err, &status):
		return Unavailable.Fault(status.Error(), nil).Advise(status.Advice(), settingProxy)
	}
	f := connectFault(err)
	switch {
	case errors.Is(f.Cause, context.DeadlineExceeded) && c.proxy != "" && !x.isPast(tunnelling):
		return Unavailable.Fault("the proxy "+c.proxy+" "+x.timedOut(), f.Cause).Advise(adviceProxy, settingProxy)
	case errors.Is(f.Cause, context.DeadlineExceeded):
		f.Reason = x.timedOut()
	case f.Outcome == Unavailable && x.received.Load() >= maxHeader:
		f.Reason = fmt.Sprintf("response header of more than %d bytes", maxHeader)
		f.Advise("the host should send fewer or shorter header fields", "")
	case f.Outcome == Unsupported && f.Advice == "": // it refuses connections, or speaks no TLS
		f.Advise("the host should serve its document on port "+x.port+", with TLS", "")
	case x.isPast(handshaking) && f.Reason == outbound.Other.String():
		f.Reason = notHTTP1
	}
	switch {
	case c.proxy != "":
		f.Outcome, f.Reason = Unavailable, "through the proxy "+c.proxy+": "+f.Reason
	case f.Outcome == Unsupported:
		f.Outcome = c.rules.Absent
	}
	return f
}

// connectFault classifies an error of name resolution, dialling, the TLS handshake or the
// header of an answer.
func connectFault(err error) *Fault {
	var address *net.AddrError
	failure := outbound.Classify(err)
	switch failure {
	case outbound.TimedOut:
		return Unavailable.Fault(failure.String(), context.DeadlineExceeded).Advise(adviceTimeout, settingTimeout)
	case outbound.NoSuchHost:
		return Unsupported.Fault(failure.String(), nil).
			Advise("check the spelling of the domain, and its DNS records", "")
	case outbound.DNSFailed:
		return dnsFault(err)
	}
	switch {
	case errors.As(err, &address): // such as an IPv4 address in IPv6 form, which package net rejects
		return Refused.Fault("no address that may be dialled", nil)
	case guardError(err) != nil:
		return Refused.Fault("an address that is not public", guardError(err)).Advise(advicePrivate, settingPrivate)
	}
	if f := tlsFault(failure, err); f != nil {
		return f
	}
	if failure == outbound.ConnectionRefused {
		return Unsupported.Fault(failure.String(), syscall.ECONNREFUSED)
	}
	return errnoFault(failure, err)
}

// tlsFault classifies an error of TLS. It returns nil for another error.
func tlsFault(failure outbound.Failure, err error) *Fault {
	var header tls.RecordHeaderError
	f := Unavailable.Fault(failure.String(), nil)
	switch {
	case failure == outbound.NotTLS:
		f.Outcome = Unsupported
		return f
	case errors.As(err, &header):
		return Unavailable.Fault("broken TLS", nil).Advise(adviceLater, "")
	case errors.Is(err, errNoRoots):
		return LocalFault(errNoRoots.Error(), nil).Advise("install the system's CA certificates, or name a file of them", settingCA)
	case errors.Is(err, errCertificates):
		return Unavailable.Fault(errCertificates.Error(), nil).Advise("the host should send fewer certificates, with usual keys", "")
	case errors.Is(err, errOldTLS), isProtocolVersionAlert(err):
		return Unavailable.Fault(errOldTLS.Error(), nil).Advise("the host should support TLS 1.2 or later", "")
	case failure == outbound.CertificateExpired:
		return f.Advise("the host should renew its TLS certificate; check this machine's clock too", "")
	case failure == outbound.CertificateName:
		return f.Advise("the host should have a TLS certificate for its own name", "")
	case failure == outbound.CertificateAuthority:
		return authorityFault(f, err)
	case failure == outbound.CertificateInvalid:
		return f.Advise("the host should correct its TLS certificate", "")
	case failure == outbound.HandshakeFailed:
		return f.Advise("look at the host's TLS settings", "")
	}
	return nil
}

// isProtocolVersionAlert reports whether the host sent the alert protocol_version.
func isProtocolVersionAlert(err error) bool {
	const protocolVersion = tls.AlertError(70)
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" && op.Err != nil && op.Err.Error() == protocolVersion.Error()
}

// authorityFault completes the fault f of a certificate that no trusted authority issued.
func authorityFault(f *Fault, err error) *Fault {
	const private = "name its authority in the file of authorities, which replaces the system's"
	var verification *tls.CertificateVerificationError
	if !errors.As(err, &verification) || len(verification.UnverifiedCertificates) == 0 {
		return f.Advise("if the authority is a private one, "+private, settingCA)
	}
	own, others := verification.UnverifiedCertificates[0], verification.UnverifiedCertificates[1:]
	issuedOwn := func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, own.RawIssuer) }
	switch {
	case issuedOwn(own):
		f.Reason = "self-signed TLS certificate"
		return f.Advise("the host should have a certificate of a public authority; or name this one in the file of authorities", settingCA)
	case !slices.ContainsFunc(others, issuedOwn):
		f.Reason += ", sent without intermediate certificates"
		return f.Advise("if a public authority issued it, the host should send the intermediate certificates too; if a private one did, "+private, settingCA)
	}
	return f.Advise("if the authority is a private one, "+private, settingCA)
}

// localErrors are errors of the operating system about this machine, and what to do.
var localErrors = map[syscall.Errno]string{
	syscall.EMFILE:        "raise this process's limit of open files",
	syscall.ENFILE:        "raise this machine's limit of open files",
	syscall.ENOBUFS:       "this machine has too few network buffers",
	syscall.ENOMEM:        "this machine has too little memory",
	syscall.EADDRNOTAVAIL: "this machine has no free port or no suitable address",
	syscall.EACCES:        "a firewall or a policy of this machine forbids the connection",
	syscall.EPERM:         "a firewall or a policy of this machine forbids the connection",
}

// errnoFault returns the fault of an error that says nothing about the host, with the
// operating system's text if there is one.
func errnoFault(failure outbound.Failure, err error) *Fault {
	f := Unavailable.Fault(failure.String(), safeCause(err))
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return f.Advise(adviceLater, "")
	}
	f.Reason += ": " + errno.Error()
	if advice, local := localErrors[errno]; local {
		f.Local = true
		return f.Advise(advice, "")
	}
	if errno == syscall.ENETUNREACH || errno == syscall.EHOSTUNREACH {
		return f.Advise("check this machine's network, and whether the host has only IPv6 addresses", "")
	}
	return f.Advise(adviceLater, "")
}

// dnsFault returns the fault of a name resolution that failed. A net.DNSError does not wrap
// the operating system's error, but its text ends with that of the error.
func dnsFault(err error) *Fault {
	f := Unavailable.Fault(outbound.DNSFailed.String(), nil).
		Advise("try again later; if it stays so, look at this machine's name servers and at the domain's", "")
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		return f
	}
	for errno, advice := range localErrors {
		if strings.HasSuffix(dns.Err, errno.Error()) {
			return LocalFault(f.Reason+": "+errno.Error(), errno).Advise(advice, "")
		}
	}
	if reason, advice := outbound.NameServerFailure(err); reason != "" {
		f.Reason += ": " + reason
		return f.Advise(advice, "")
	}
	return f
}

// guardError returns the guard's error without the address that is in its text, nil if err
// has none.
func guardError(err error) error {
	for _, sentinel := range []error{
		ssrf.ErrProhibitedIP, ssrf.ErrProhibitedPort, ssrf.ErrProhibitedNetwork, ssrf.ErrInvalidHostPort,
	} {
		if errors.Is(err, sentinel) {
			return sentinel
		}
	}
	return nil
}

// safeCause returns the part of err that cannot contain remote text, or nil.
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

// statusFault classifies the status of an answer. It returns nil for the status of a
// document. A status 407 is never a host's own: with a proxy, it is the proxy's.
func (c *Client) statusFault(status int) *Fault {
	reason := fmt.Sprintf("HTTP status %d", status)
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusProxyAuthRequired && c.proxy != "":
		return Unavailable.Fault("the proxy "+c.proxy+" answered with "+outbound.StatusText(status), nil).
			Advise("set or check its user and password in the proxy URL", settingProxy)
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return Unavailable.Fault(reason, nil).Advise(adviceLater, "")
	case status >= 300 && status < 400:
		return c.rules.Other.FaultByHost(reason+", a redirect").Advise(c.rules.RedirectAdvice, "")
	case status > 200 && status < 500:
		return c.rules.Other.FaultByHost(reason).Advise(c.rules.Advice, "")
	}
	return Unavailable.Fault(reason, nil).Advise(adviceLater, "")
}

// contentTypeFault returns a fault unless there is a Content-Type and each is that of a
// document.
func (c *Client) contentTypeFault(h http.Header) *Fault {
	types := h.Values("Content-Type")
	if len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return !c.rules.isJSON(t) }) {
		return c.rules.Other.FaultByHost("content type other than application/json").Advise(c.rules.Advice, "")
	}
	return nil
}

// isJSON reports whether a Content-Type is that of a document.
func (r Rules) isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	kind, subtype, _ := strings.Cut(strings.Trim(media, " \t"), "/")
	if !isMediaName(kind) || !isMediaName(subtype) {
		return false
	}
	kind, subtype = strings.ToLower(kind), strings.ToLower(subtype) // both are ASCII
	name, found := strings.CutSuffix(subtype, "+json")
	return kind == "application" && subtype == "json" || r.JSONSuffix && found && name != ""
}

// isMediaName reports whether s is a type or a subtype (RFC 6838 §4.2).
func isMediaName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && strings.Trim(s, letters+"0123456789!#$&-^_.+") == ""
}

// codingFault returns the fault of a body in a content coding that cannot be decoded.
func codingFault(reason string) *Fault {
	return Unavailable.Fault(reason, nil).
		Advise("the host should send the document without a content coding, or in gzip", "")
}

// bodyFault classifies an error of reading or decompressing a body. otherwise is the reason
// for an error that says nothing about the host.
func bodyFault(err error, otherwise string) *Fault {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, errWire):
		return Refused.FaultByHost(fmt.Sprintf("body of more than %d bytes, or %d in gzip", maxBody, maxGzipBody)).
			Advise("the host should serve a smaller document", "")
	case outbound.Classify(err) == outbound.TimedOut:
		return Unavailable.Fault("timed out while reading the body", context.DeadlineExceeded).Advise(adviceTimeout, settingTimeout)
	}
	return Unavailable.Fault(otherwise, safeCause(err)).Advise(adviceLater, "")
}
