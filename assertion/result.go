package assertion

import (
	"encoding/json"
	"time"
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

// MarshalJSON gives the answer of PROTOCOL §6:
// {"status":"okay","email":…,"audience":…,"expires":<milliseconds>,"issuer":…}.
func (r *Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Status     string                     `json:"status"`
		Email      string                     `json:"email,omitempty"`
		Audience   string                     `json:"audience"`
		Expires    int64                      `json:"expires"`
		Issuer     string                     `json:"issuer"`
		IDPClaims  map[string]json.RawMessage `json:"idpClaims,omitempty"`
		UserClaims map[string]json.RawMessage `json:"userClaims,omitempty"`
	}{"okay", r.Email, r.Audience, r.Expires.UnixMilli(), r.Issuer, r.IDPClaims, r.UserClaims})
}

func (r *run) result() *Result {
	return &Result{
		Email: r.email, Audience: r.audience, Issuer: r.issuer(),
		Expires:    time.UnixMilli(r.assertion.Validity.Expires),
		IDPClaims:  copied(r.user().Extra()),
		UserClaims: r.assertion.Claims.Extra(),
	}
}
