package discovery

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
