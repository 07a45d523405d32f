package assertion

import (
	"encoding/json"
	"time"

	"github.com/vepverify/vepverify/internal/answer"
)

// Result is what an assertion that holds says.
type Result struct {
	// Email is the address proved, its domain in lower case. It is empty when
	// a trusted issuer certified a key without one.
	Email string
	// Audience is the relying party's origin as the user signed it.
	Audience string
	// Issuer is the domain that vouches for the address.
	Issuer string
	// Expires is when the assertion expires, in whole milliseconds. It is not
	// how long a session may last.
	Expires time.Time
	// IDPClaims and UserClaims are what the certificate and the assertion say
	// beyond the protocol's own claims, nil when nothing. Only the first are
	// vouched for by the issuer.
	IDPClaims, UserClaims map[string]json.RawMessage
}

// MarshalJSON returns the answer of PROTOCOL §6:
// {"status":"okay","email":…,"audience":…,"expires":<milliseconds>,"issuer":…}.
func (r Result) MarshalJSON() ([]byte, error) {
	return answer.Okay{
		Email: r.Email, Audience: r.Audience, Expires: r.Expires, Issuer: r.Issuer, IDPClaims: r.IDPClaims, UserClaims: r.UserClaims,
	}.MarshalJSON()
}

func (r *run) result() *Result {
	return &Result{
		Email: r.email, Audience: r.audience, Issuer: r.issuer(),
		Expires:    r.assertion.Validity.Expires,
		IDPClaims:  copied(r.user().Extra()),
		UserClaims: r.assertion.Claims.Extra(),
	}
}
