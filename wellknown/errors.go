package wellknown

import (
	"errors"
	"fmt"

	"github.com/vepverify/vepverify/internal/fetch"
)

// The outcomes of a lookup without an authority. Every error of a lookup matches exactly
// one of them.
var (
	// ErrUnsupported means that the domain does not support BrowserID. The verifier's
	// fallback, if it has one, speaks for the domain (PROTOCOL §4, row 3).
	ErrUnsupported = errors.New("domain does not support BrowserID")

	// ErrUnavailable means that the answer is not known now. A later try may succeed. It is
	// never a reason to ask the fallback (PROTOCOL §4, row 4).
	ErrUnavailable = errors.New("domain is unavailable")

	// ErrRefused means that the lookup failed: the answer breaks a limit or a rule, or the
	// host must not be contacted. It is never a reason to ask the fallback (PROTOCOL §4,
	// row 5).
	ErrRefused = errors.New("domain is refused")
)

// outcomes are the errors for the outcomes of package fetch.
var outcomes = map[fetch.Outcome]error{
	fetch.Unsupported: ErrUnsupported, fetch.Unavailable: ErrUnavailable, fetch.Refused: ErrRefused,
}

// LookupError is the reason why a lookup returned no authority. It matches one of
// [ErrUnsupported], [ErrUnavailable] and [ErrRefused].
//
// It wraps its cause, if there is one: the context's error, the operating system's error
// number, an error of code.dny.dev/ssrf, an error of [Hooks.Wait] or [Hooks.Load], or an
// [*IncompleteError].
//
// Neither its text nor its causes contain anything that a remote host sent, except that At
// may be a name from a delegation.
type LookupError struct {
	Host   string // the host that was asked, in lower case; empty if it is not a domain
	At     string // the host at which the lookup ended: Host, or one to which it delegates
	Reason string // for people, such as "connection refused"

	// Advice tells a person what to do, and Setting is the field of [Config] that it is
	// about, such as CAFile. Either may be empty. For a host of which a [Static] has no
	// document, Setting is Keys, a field of assertion.Config.
	Advice, Setting string

	outcome, cause error
}

// newLookupError returns the error of a lookup of asked that ended at the host at. If that
// is a delegate that does not support BrowserID, the lookup is refused: a domain that
// delegates has not opted out.
func newLookupError(f *fetch.Fault, asked, at string) *LookupError {
	outcome := f.Outcome
	if at != asked && outcome == fetch.Unsupported {
		outcome = fetch.Refused
	}
	return &LookupError{
		Host: asked, At: at, Reason: f.Reason, Advice: f.Advice, Setting: f.Setting,
		outcome: outcomes[outcome], cause: f.Cause,
	}
}

// notDomain returns the error of a question with a name that is not a domain.
func notDomain() *LookupError {
	return newLookupError(fetch.Refused.Fault("not a domain", nil), "", "")
}

// notMade returns the error of a lookup of host with a value that its constructor has not made.
func notMade(value, constructor, host string) *LookupError {
	return misuse(value+" not made by "+constructor, "the program must use "+constructor, host)
}

// nilContext returns the error of a lookup of host without a context.
func nilContext(host string) *LookupError {
	return misuse("nil context", "the program must pass a context", host)
}

// misuse returns the error of a wrong call. Nothing is known about the host.
func misuse(reason, advice, host string) *LookupError {
	return newLookupError(fetch.LocalFault(reason, nil).Advise(advice, ""), host, host)
}

// Error returns the host that was asked, the outcome and the reason.
func (e *LookupError) Error() string {
	via := ""
	if e.At != e.Host {
		via = "a host that it delegates to: "
	}
	host := e.Host
	if host == "" {
		host = "lookup"
	}
	return fmt.Sprintf("%s: %v: %s%s", host, e.outcome, via, e.Reason)
}

// Unwrap returns the outcome and the cause.
func (e *LookupError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.outcome}
	}
	return []error{e.outcome, e.cause}
}

// LogClass returns by what logs limit repeated errors: the reason and the host. It
// implements an interface of internal/loglimit.
func (e *LookupError) LogClass() (class, name string) { return e.Reason, e.Host }

// IncompleteError means that a support document is valid, but lacks authentication or
// provisioning, which only a fallback's document may (PROTOCOL §3). It is wrapped by a
// [*LookupError], which has the outcome for a host that is not the fallback:
//
//   - [ErrUnsupported] for the host's own document;
//   - [ErrRefused] for a delegate's document;
//   - [ErrUnavailable] if the document has expired and its host does not answer.
type IncompleteError struct {
	// Authority is what a caller that asked for its fallback may use.
	Authority *Authority
}

// Error returns a text without names.
func (e *IncompleteError) Error() string {
	return "support document without authentication or provisioning"
}
