package assertion

import (
	"errors"
	"log/slog"

	"github.com/vepverify/vepverify/internal/answer"
)

// The classes of error that Verify returns, for errors.Is. Every [*Error] matches
// exactly one of them.
var (
	// ErrMalformed: the assertion's form is wrong; it says nothing.
	ErrMalformed = errors.New("malformed assertion")
	// ErrRejected: the assertion is well formed and not valid. An [*Error] whose
	// Kind is one of the reasons below matches it too.
	ErrRejected = errors.New("rejected")
	// ErrUndecided: the assertion could not be verified now, because an issuer or
	// the one-use store could not be reached. The same assertion may pass later.
	ErrUndecided = errors.New("undecided")
	// ErrMisuse: the caller's mistake, such as a contradictory Config.
	ErrMisuse = errors.New("misuse")
)

// The reasons for a rejection.
var (
	// ErrChain: no certificate, more than Config.MaxChain, or one that may not
	// sign the next.
	ErrChain = errors.New("broken certificate chain")
	// ErrAlgorithm: a token's alg is not that of the key that should have signed.
	ErrAlgorithm = errors.New("algorithms do not match")
	// ErrKey: the certified key is malformed or of an unknown kind.
	ErrKey = errors.New("certified key refused")
	// ErrWeakKey: a key is too weak, see Config.InsecureWeakKeys.
	ErrWeakKey = errors.New("weak key")
	// ErrSignature: a signature is not by the key that should have signed.
	ErrSignature = errors.New("invalid signature")
	// ErrAudience: the assertion is for another relying party.
	ErrAudience = errors.New("audience mismatch")
	// ErrExpired: a certificate's or the assertion's exp has passed.
	ErrExpired = errors.New("expired")
	// ErrLifetime: the assertion expires further ahead than Config.MaxLife, or the
	// one-use store's own limit, allows.
	ErrLifetime = errors.New("lifetime over the limit")
	// ErrNotYetValid: an iat or nbf is in the future.
	ErrNotYetValid = errors.New("issued later than verification date")
	// ErrIssuer: the issuer may not speak for the email, or there is no email.
	ErrIssuer = errors.New("untrusted issuer")
	// ErrReplayed: the one-use guard has seen the assertion before.
	ErrReplayed = errors.New("the assertion was used before")
)

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
	// Setting is the field of Config that the advice is about, such as MaxChain.
	// It is empty if there is none.
	Setting string
	// Domain is the domain whose look-up failed, empty if none did. It is for the
	// operator too.
	Domain string

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

// Unwrap returns Kind, ErrRejected if Kind is a reason for a rejection, and the
// cause if there is one. Causes are errors of certchain, keys, wellknown and of
// contexts.
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

// isRejection reports whether Kind is one of the reasons for a rejection.
func (e *Error) isRejection() bool {
	return e.Kind != ErrMalformed && e.Kind != ErrUndecided && e.Kind != ErrMisuse
}

// FailureAnswer is the answer for an assertion that was not accepted (PROTOCOL §6). It
// marshals to {"status":"failure","reason":…}, with "undecided":true when
// trying again later may help.
type FailureAnswer struct {
	Reason    string
	Undecided bool
}

// MarshalJSON implements [json.Marshaler].
func (f FailureAnswer) MarshalJSON() ([]byte, error) { return answer.Failure(f).MarshalJSON() }

// Failure gives the answer for an error of Verify that is about the assertion:
// one of ErrMalformed, ErrRejected, ErrUndecided. It gives nil for every
// other error, misuse among them, and for nil.
func Failure(err error) *FailureAnswer {
	undecided := errors.Is(err, ErrUndecided)
	if !undecided && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrRejected) {
		return nil
	}
	return &FailureAnswer{Reason: err.Error(), Undecided: undecided}
}
