package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/internal/outbound"
)

// Outcome is what a failed request means for a domain (PROTOCOL §4).
type Outcome int

// The outcomes.
const (
	Unavailable Outcome = iota // not known now (row 4)
	Unsupported                // the domain does not support BrowserID (row 3)
	Refused                    // a failure (row 5)
)

// Fault is the reason why a host has no usable support document. The classification is by
// positive lists: only the causes named in this file are Unsupported or Refused, all others
// are Unavailable.
type Fault struct {
	Outcome Outcome
	Reason  string // for people; it never contains remote text
	Cause   error  // likewise; may be nil

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

// exchangeFault classifies an error before the status line of an answer. With a proxy, only
// the host's own answer says something about the host: a dead proxy must not make every
// domain Unsupported.
func (c *Client) exchangeFault(err error) *Fault {
	var refused admitError
	if errors.As(err, &refused) {
		return LocalFault("no room to verify the host's certificates", refused.error)
	}
	f := connectFault(err)
	if c.proxied && f.Outcome != Unavailable {
		return Unavailable.Fault(outbound.ProxyFailed.String(), safeCause(err))
	}
	return f
}

// connectFault classifies an error of name resolution, dialling or the TLS handshake.
func connectFault(err error) *Fault {
	var address *net.AddrError
	failure := outbound.Classify(err)
	switch failure {
	case outbound.TimedOut:
		return Unavailable.Fault(failure.String(), context.DeadlineExceeded)
	case outbound.NoSuchHost:
		return Unsupported.Fault(failure.String(), nil)
	case outbound.DNSFailed:
		return Unavailable.Fault(failure.String(), nil)
	}
	switch {
	case errors.As(err, &address): // such as an IPv4 address in IPv6 form, which package net rejects
		return Refused.Fault("no address that may be dialled", nil)
	case guardError(err) != nil:
		return Refused.Fault("an address that is not public", guardError(err))
	case errors.Is(err, errCertificates):
		return Unavailable.Fault(errCertificates.Error(), nil)
	}
	switch failure {
	case outbound.ConnectionRefused:
		return Unsupported.Fault(failure.String(), syscall.ECONNREFUSED)
	case outbound.NotTLS:
		return Unsupported.Fault(failure.String(), nil)
	}
	return Unavailable.Fault(failure.String(), safeCause(err))
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
// document.
func statusFault(status int) *Fault {
	reason := fmt.Sprintf("HTTP status %d", status)
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return Unavailable.Fault(reason, nil)
	case status > 200 && status < 500:
		return Unsupported.FaultByHost(reason)
	}
	return Unavailable.Fault(reason, nil)
}

// contentTypeFault returns a fault unless there is a Content-Type and each is
// application/json.
func contentTypeFault(h http.Header) *Fault {
	types := h.Values("Content-Type")
	for _, t := range types {
		media, _, _ := strings.Cut(t, ";")
		if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
			types = nil
		}
	}
	if len(types) == 0 {
		return Unsupported.FaultByHost("content type other than application/json")
	}
	return nil
}

// bodyFault classifies an error of reading or decompressing a body.
func bodyFault(err error) *Fault {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, errWire):
		return Refused.FaultByHost(fmt.Sprintf("body of more than %d bytes, or %d in gzip", maxBody, maxGzipBody))
	case outbound.Classify(err) == outbound.TimedOut:
		return Unavailable.Fault(outbound.TimedOut.String(), context.DeadlineExceeded)
	}
	return Unavailable.Fault("answer cut off", safeCause(err))
}
