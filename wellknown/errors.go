package wellknown

import (
	"errors"
	"fmt"
)

// The outcomes of a look-up that are no authority. Every error of a look-up
// matches exactly one of them.
var (
	// ErrUnsupported: the domain does not support BrowserID, so a verifier's
	// fallback, if it has one, speaks for it (PROTOCOL §4, row 3).
	ErrUnsupported = errors.New("domain does not support BrowserID")
	// ErrUnavailable: not knowable now, trying later may help; never a reason
	// to ask the fallback (PROTOCOL §4, row 4).
	ErrUnavailable = errors.New("domain is unavailable")
	// ErrRefused: a failure, and never a reason to ask the fallback (PROTOCOL
	// §4, row 5).
	ErrRefused = errors.New("domain is refused")
)

// LookupError says why a look-up gave no authority. It matches one of
// [ErrUnsupported], [ErrUnavailable] and [ErrRefused]; behind it errors.Is and
// errors.As find, where that was the cause, the context's error, the
// operating system's error number, an error of code.dny.dev/ssrf, one of
// [Hooks.Wait] or an [*IncompleteError]. Neither its text nor its causes hold anything that a
// remote host wrote, except that At may be a name out of a delegation.
type LookupError struct {
	Host   string // the host asked about, lower case; empty when it is not a domain
	At     string // the host where the look-up ended: Host, or one to which it delegates
	Reason string // for people, such as "connection refused"

	kind, cause error
}

// Error names the host asked about, the outcome and the reason.
func (e *LookupError) Error() string {
	via := ""
	if e.At != e.Host {
		via = "a host that it delegates to: "
	}
	host := e.Host
	if host == "" {
		host = "look-up"
	}
	return fmt.Sprintf("%s: %v: %s%s", host, e.kind, via, e.Reason)
}

// Unwrap gives the outcome and the cause.
func (e *LookupError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// IncompleteError: the support document is good but for its authentication or
// provisioning, which only a fallback's document may lack (PROTOCOL §3). It
// comes inside a [*LookupError], which has the outcome for everybody else: like a
// malformed document's, or [ErrUnavailable] when the document is out of date
// and its host does not answer.
type IncompleteError struct {
	// Authority is what a caller who asked for a configured fallback may use.
	Authority *Authority
}

// Error says what is missing, without naming anybody.
func (e *IncompleteError) Error() string {
	return "support document without authentication or provisioning"
}

// fault is why there is no support document of one host: an outcome before it
// is known on which host's behalf it was wanted.
type fault struct {
	kind     error  // ErrUnsupported, ErrUnavailable or ErrRefused
	reason   string // never holds remote text
	cause    error  // likewise; may be nil
	answered bool   // by the host itself over valid TLS, which replaces what was known before
	own      bool   // it says nothing about the host, so it is not remembered
}

func unavailable(reason string, cause error) *fault {
	return &fault{kind: ErrUnavailable, reason: reason, cause: cause}
}

func refused(reason string, cause error) *fault {
	return &fault{kind: ErrRefused, reason: reason, cause: cause}
}

func unsupported(reason string, cause error) *fault {
	return &fault{kind: ErrUnsupported, reason: reason, cause: cause}
}

// byHost marks the fault as the host's own answer.
func (f *fault) byHost() *fault {
	f.answered = true
	return f
}

// local marks the fault as one on our own side.
func (f *fault) local() *fault {
	f.own = true
	return f
}

// of gives the error of a look-up of asked that ended at at. A delegate that
// supports nothing is a delegation that ends nowhere: a domain that delegates
// has not opted out.
func (f *fault) of(asked, at string) *LookupError {
	kind := f.kind
	if at != asked && kind == ErrUnsupported {
		kind = ErrRefused
	}
	return &LookupError{Host: asked, At: at, Reason: f.reason, kind: kind, cause: f.cause}
}
