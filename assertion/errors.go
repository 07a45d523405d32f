package assertion

import (
	"errors"
	"log/slog"
)

// The classes of error that Verify returns, for errors.Is. Every [*Error] matches
// exactly one of them.
var (
	// ErrMalformed means that the text is not an assertion.
	ErrMalformed = errors.New("malformed assertion")
	// ErrRejected means that the assertion is well formed and not valid. An
	// [*Error] whose Kind is one of the reasons below matches it too.
	ErrRejected = errors.New("rejected")
	// ErrUndecided means that the assertion cannot be verified now, because an
	// issuer or the one-use store cannot be reached. It may pass later.
	ErrUndecided = errors.New("undecided")
	// ErrMisuse means that the caller is at fault, for example by a
	// contradictory Config.
	ErrMisuse = errors.New("misuse")
)

// The reasons for a rejection.
var (
	// ErrChain means that there is no certificate, that there are more than
	// Config.MaxChain, or that one of them must not sign the next.
	ErrChain = errors.New("broken certificate chain")
	// ErrAlgorithm means that the alg of a token is not that of the key that must
	// have signed it.
	ErrAlgorithm = errors.New("algorithms do not match")
	// ErrKey means that the certified key is malformed, too large, or of an unknown
	// type.
	ErrKey = errors.New("certified key refused")
	// ErrWeakKey means that the certified key is too weak. See
	// Config.InsecureWeakKeys.
	ErrWeakKey = errors.New("weak key")
	// ErrSignature means that none of the keys that may sign a token signed it.
	ErrSignature = errors.New("invalid signature")
	// ErrAudience means that the assertion is for another relying party.
	ErrAudience = errors.New("audience mismatch")
	// ErrExpired means that the exp of a certificate or of the assertion has
	// passed.
	ErrExpired = errors.New("expired")
	// ErrLifetime means that the assertion expires further ahead than
	// Config.MaxLife, or the one-use store's own limit, allows.
	ErrLifetime = errors.New("lifetime over the limit")
	// ErrNotYetValid means that an iat or nbf is in the future.
	ErrNotYetValid = errors.New("issued later than verification date")
	// ErrIssuer means that the issuer may not speak for the email address, or that
	// there is no email address.
	ErrIssuer = errors.New("untrusted issuer")
	// ErrReplayed means that the assertion was presented before. See Config.OneUse.
	ErrReplayed = errors.New("the assertion was used before")
)

// Error is the error of Verify and of NewVerifier. Its text is Reason. Its text,
// and the texts of the errors that it wraps, contain no token, no email address
// and nothing of a remote answer.
type Error struct {
	// Kind is the class or the reason, one of the variables of this package.
	Kind error
	// Reason is the reason in the answer. Some of the texts are part of the
	// interface (PROTOCOL §6), because clients compare them. Reason does not tell
	// how the lookup of a domain failed: with that, senders could map the
	// verifier's network.
	Reason string
	// Found and Expected describe what the failed check compared. Either may be
	// empty. They are for the verifier's operator and not for the sender of the
	// assertion: Found tells how a lookup failed.
	Found, Expected string
	// Advice tells a person what to do. It may be empty.
	Advice string
	// Setting is the field of Config that Advice is about, such as MaxChain. If a
	// lookup failed, it may be a field of wellknown.Config, such as CAFile. It may be
	// empty.
	Setting string
	// Domain is the domain whose lookup failed, or whose published keys did not
	// verify the certificate. It is empty otherwise. It is for the operator too.
	Domain string
	// EmailDomain is the domain of the email address, if Domain was asked about emails
	// of another domain: Domain is a fallback, a trusted issuer or a delegate. It is empty
	// otherwise.
	EmailDomain string

	detail string // empty if Reason tells everything
	cause  error
}

func (e *Error) Error() string { return e.Reason }

// Detail returns Reason or, if a lookup failed, a text that also tells how. It
// is for logs, and must not be sent to the sender of the assertion.
func (e *Error) Detail() string {
	if e.detail != "" {
		return e.detail
	}
	return e.Reason
}

// LogValue implements [slog.LogValuer]: logs contain Detail.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Detail()) }

// Unwrap returns Kind, ErrRejected if Kind is a reason for a rejection, and the
// cause if there is one. Causes are errors of certchain, keys, wellknown, the
// one-use store and contexts.
func (e *Error) Unwrap() []error {
	wrapped := append(make([]error, 0, 3), e.Kind)
	if e.isRejection() {
		wrapped = append(wrapped, ErrRejected)
	}
	if e.cause != nil {
		wrapped = append(wrapped, e.cause)
	}
	return wrapped
}

// setDomain sets Domain, which was asked about emails of emailDomain.
func (e *Error) setDomain(domain, emailDomain string) {
	e.Domain = domain
	if emailDomain != domain {
		e.EmailDomain = emailDomain
	}
}

// isRejection reports whether Kind is one of the reasons for a rejection.
func (e *Error) isRejection() bool {
	return e.Kind != nil && e.Kind != ErrMalformed && e.Kind != ErrUndecided && e.Kind != ErrMisuse
}
