package assertion

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/vepverify/vepverify/internal/answer"
)

// Result is what a valid assertion states. It marshals to the answer of PROTOCOL
// §6: {"status":"okay","email":…,"audience":…,"expires":<milliseconds>,"issuer":…}.
type Result struct {
	// Email is the email address, with its domain in lower case. It is empty if
	// a trusted issuer certified a key without an address.
	Email string
	// Audience is the relying party's origin as the user signed it.
	Audience string
	// Issuer is the domain that issued the certificate, or the first one of a
	// chain.
	Issuer string
	// Expires is when the assertion expires, in whole milliseconds. It does not
	// limit the length of a session.
	Expires time.Time
	// IDPClaims and UserClaims are the claims of the certificate and of the
	// assertion that the protocol does not use. Nil means that there are none. The
	// issuer vouches for IDPClaims only.
	IDPClaims, UserClaims map[string]json.RawMessage
}

// MarshalJSON implements [json.Marshaler].
func (r Result) MarshalJSON() ([]byte, error) {
	return answer.Okay{
		Email: r.Email, Audience: r.Audience, Expires: r.Expires, Issuer: r.Issuer, IDPClaims: r.IDPClaims, UserClaims: r.UserClaims,
	}.MarshalJSON()
}

// FailureAnswer is the answer for an assertion that was not accepted (PROTOCOL
// §6). It marshals to {"status":"failure","reason":…}, with "undecided":true if
// Undecided is set.
type FailureAnswer struct {
	Reason string
	// Undecided means that the same assertion may pass later.
	Undecided bool
}

// MarshalJSON implements [json.Marshaler].
func (f FailureAnswer) MarshalJSON() ([]byte, error) { return answer.Failure(f).MarshalJSON() }

// Failure returns the answer for an error of Verify that matches ErrMalformed,
// ErrRejected or ErrUndecided. It returns nil for every other error, ErrMisuse
// among them, and for nil.
func Failure(err error) *FailureAnswer {
	undecided := errors.Is(err, ErrUndecided)
	if !undecided && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrRejected) {
		return nil
	}
	return &FailureAnswer{Reason: err.Error(), Undecided: undecided}
}
