package discovery

import (
	"errors"

	"github.com/vepverify/vepverify/internal/fetch"
)

// refused returns an error that will stay as it is.
func refused(rule, reason string) *Error {
	return &Error{Outcome: Refused, Rule: rule, Reason: reason}
}

// unavailable returns an error that may be gone at a later try.
func unavailable(rule, reason string, cause error) *Error {
	return &Error{Outcome: Unavailable, Rule: rule, Reason: reason, Cause: cause}
}

// advise sets the advice and the setting of e, and returns e.
func (e *Error) advise(advice, setting string) *Error {
	e.Advice, e.Setting = advice, setting
	return e
}

// at returns e for a domain or host.
func (e *Error) at(domain string) *Error {
	copied := *e
	copied.Domain = domain
	return &copied
}

// errorOf returns the error for a fault of a lookup that breaks a rule of 8 or 9.
func errorOf(f *fetch.Fault, section string) *Error {
	var own *Error
	switch {
	case errors.As(f.Cause, &own):
		return own
	case f.Outcome != fetch.Refused:
		return unavailable(section+".unavailable", f.Reason, f.Cause).advise(f.Advice, f.Setting)
	case f.ByHost:
		return refused("9.refused", f.Reason).advise(f.Advice, f.Setting)
	}
	e := refused("9.guard", f.Reason).advise("the issuer should use a public address; only in development, allow private ones", "InsecureAllowPrivate")
	e.Cause = f.Cause
	return e
}

// faultOf returns the fault of a fetch that ended with e, an answer of the host itself
// unless it is unavailable.
func faultOf(e *Error) *fetch.Fault {
	f := fetch.Refused.FaultByHost(e.Reason)
	if e.Outcome == Unavailable {
		f = fetch.Unavailable.Fault(e.Reason, nil)
	}
	f.Cause = e
	return f.Advise(e.Advice, e.Setting)
}
