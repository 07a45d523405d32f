package evp

import (
	"errors"
	"log/slog"

	"github.com/vepverify/vepverify/assertion"
)

// The reasons for a rejection that package assertion does not have. Its ErrAlgorithm,
// ErrKey, ErrSignature, ErrAudience, ErrExpired, ErrNotYetValid, ErrIssuer and
// ErrReplayed are reasons of this package too.
var (
	// ErrHeader means that a header has another typ, a kid that is not a string, or a
	// member that changes the meaning of the token.
	ErrHeader = errors.New("header refused")
	// ErrClaims means that a claim is absent, or is not what it must be.
	ErrClaims = errors.New("claims refused")
	// ErrEmail means that the claim is not an email address of this protocol, that it
	// is not the address that the user submitted, or that its domain is not among
	// Config.Domains.
	ErrEmail = errors.New("email address refused")
	// ErrNonce means that the token was made for another nonce.
	ErrNonce = errors.New("nonce mismatch")
	// ErrBinding means that the browser signed for another token of the issuer.
	ErrBinding = errors.New("the halves of the token do not belong together")
)

// Error is the error of Verify and of NewVerifier. Its text is Reason. Its text, and the
// texts of the errors that it wraps, contain no token, no email address and nothing of a
// remote answer.
type Error struct {
	// Kind is the class or the reason: a variable of this package or of package
	// assertion.
	Kind error
	// Rule is the name of the rule in docs/EVP.md, such as 4.nonce. It is empty if no
	// rule was broken: for a wrong call, for Config.Issuers and Config.Domains, and if
	// the one-use store could not be reached.
	Rule string
	// Reason is the reason in the answer. It does not tell how a lookup failed: with
	// that, senders could map the verifier's network.
	Reason string
	// Found and Expected describe what the failed check compared. Either may be empty.
	// They are for the verifier's operator and not for the sender of the token.
	Found, Expected string
	// Advice tells a person what to do. It may be empty.
	Advice string
	// Setting is the field of Config that Advice is about. It may be empty.
	Setting string
	// Domain is the domain or the host whose lookup failed, or whose keys did not
	// verify the token. It is empty otherwise. It is for the operator too.
	Domain string

	detail string // empty if Reason tells everything
	cause  error
}

func (e *Error) Error() string { return e.Reason }

// Detail returns Reason or, if a lookup failed, a text that also tells how. It is for
// logs, and must not be sent to the sender of the token.
func (e *Error) Detail() string {
	if e.detail != "" {
		return e.detail
	}
	return e.Reason
}

// LogValue implements [slog.LogValuer]: logs contain Detail.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Detail()) }

// Unwrap returns Kind, assertion.ErrRejected if Kind is a reason for a rejection, and the
// cause if there is one.
func (e *Error) Unwrap() []error {
	wrapped := append(make([]error, 0, 3), e.Kind)
	switch e.Kind {
	case nil, assertion.ErrMalformed, assertion.ErrUndecided, assertion.ErrMisuse:
	default:
		wrapped = append(wrapped, assertion.ErrRejected)
	}
	if e.cause != nil {
		wrapped = append(wrapped, e.cause)
	}
	return wrapped
}

// withCause returns text and, if there is one, the cause.
func withCause(text string, cause error) string {
	if cause == nil {
		return text
	}
	return text + " (" + cause.Error() + ")"
}

// misuse returns the error of a wrong call.
func misuse(reason string) error { return &Error{Kind: assertion.ErrMisuse, Reason: reason} }
