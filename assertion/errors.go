package assertion

import (
	"errors"
	"log/slog"

	"github.com/vepverify/vepverify/internal/answer"
)

// The classes of error that Verify returns, to be told apart by errors.Is.
// Every error is of exactly one of them.
var (
	// ErrMalformed: the assertion's form is wrong; it says nothing.
	ErrMalformed = errors.New("malformed assertion")
	// ErrRejected: the assertion is well formed and not to be believed. Every
	// reason below matches it too.
	ErrRejected = errors.New("rejected")
	// ErrUnavailable: whether to believe the assertion could not be found out
	// now, because an issuer or a store could not be reached. Try again later.
	ErrUnavailable = errors.New("undecided")
	// ErrMisuse: the caller's mistake, such as a contradictory Config.
	ErrMisuse = errors.New("misuse")
)

// The reasons for a rejection.
var (
	// ErrChain: no certificate, more than Config.MaxChain, or one that may not
	// sign the next.
	ErrChain error = &reason{"broken certificate chain"}
	// ErrAlgorithm: a token's alg is not that of the key that should have signed.
	ErrAlgorithm error = &reason{"algorithms do not match"}
	// ErrKey: the certified key is malformed or of an unknown kind.
	ErrKey error = &reason{"certified key refused"}
	// ErrWeakKey: a key is too weak, see Config.InsecureWeakKeys.
	ErrWeakKey error = &reason{"weak key"}
	// ErrSignature: a signature is not by the key that should have signed.
	ErrSignature error = &reason{"invalid signature"}
	// ErrAudience: the assertion is for another relying party.
	ErrAudience error = &reason{"audience mismatch"}
	// ErrExpired: a certificate's or the assertion's exp has passed.
	ErrExpired error = &reason{"expired"}
	// ErrLifetime: the assertion expires further ahead than Config.MaxLife, or the
	// one-use store's own limit, allows.
	ErrLifetime error = &reason{"lifetime over the limit"}
	// ErrNotYetValid: an iat or nbf is in the future.
	ErrNotYetValid error = &reason{"issued later than verification date"}
	// ErrIssuer: the issuer may not speak for the email, or there is no email.
	ErrIssuer error = &reason{"untrusted issuer"}
	// ErrReplayed: the one-use guard has seen the assertion before.
	ErrReplayed error = &reason{"the assertion was used before"}
)

// reason is a named cause of rejection.
type reason struct{ text string }

func (r *reason) Error() string { return r.text }

func (r *reason) Is(target error) bool { return target == ErrRejected }

// Error is what Verify returns for every outcome but okay. Its text is Reason.
// Neither it nor the text of what it wraps holds a token, an email address or
// anything of a remote answer.
type Error struct {
	// Kind is the class or reason, one of the variables of this package.
	Kind error
	// Reason is the answer's reason. Clients match on some of these texts
	// (PROTOCOL §6), which are therefore interface. It does not tell how the
	// look-up of a domain failed: senders could map the verifier's network.
	Reason string
	// Found and Expected describe what the failed check compared; either may be
	// empty. They are for the verifier's operator and not for the sender of the
	// assertion: Found tells how a look-up failed.
	Found, Expected string
	// Advice says what a person can do about it; it may be empty.
	Advice string

	detail string // empty if Reason tells everything
	cause  error
}

func (e *Error) Error() string { return e.Reason }

// Detail returns Reason or, if a look-up failed on the way, a text that also tells
// how. It is for logs, and must not be sent to the sender of the assertion.
func (e *Error) Detail() string {
	if e.detail != "" {
		return e.detail
	}
	return e.Reason
}

// LogValue implements slog.LogValuer: logs show Detail.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Detail()) }

// Unwrap gives the kind and the cause, so that errors.Is and errors.As find
// both; causes are errors of certchain, keys, wellknown and of contexts.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// Failed is the answer for an assertion that was not accepted (PROTOCOL §6). It
// marshals to {"status":"failure","reason":…}, with "undecided":true when
// trying again later may help.
type Failed struct {
	Reason    string
	Undecided bool
}

// MarshalJSON implements [json.Marshaler].
func (f Failed) MarshalJSON() ([]byte, error) { return answer.Failure(f).MarshalJSON() }

// Failure gives the answer for an error of Verify that is about the assertion:
// one of ErrMalformed, ErrRejected, ErrUnavailable. It gives nil for every
// other error, misuse among them, and for nil.
func Failure(err error) *Failed {
	undecided := errors.Is(err, ErrUnavailable)
	if !undecided && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrRejected) {
		return nil
	}
	return &Failed{Reason: err.Error(), Undecided: undecided}
}
