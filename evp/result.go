package evp

import (
	"time"

	"github.com/vepverify/vepverify/internal/answer"
)

// Result is what a valid token states. It marshals to the answer of rule 11:
// {"status":"okay","email":…,"audience":…,"expires":<milliseconds>,"issuer":…}, with
// "private":true if Private is set.
type Result struct {
	// Email is the address as the issuer wrote it. Its domain is in lower case. The case
	// of the part before the @ may differ from what the user typed.
	Email string
	// Audience is the origin of the relying party that the browser signed.
	Audience string
	// Issuer is the host of the issuer.
	Issuer string
	// Expires is when the token expires, in whole milliseconds. It may have passed, by
	// at most a minute. It does not limit the length of a session.
	Expires time.Time
	// Private means that the issuer made the address for this relying party, and
	// forwards its mail.
	Private bool
}

// MarshalJSON implements [json.Marshaler].
func (r Result) MarshalJSON() ([]byte, error) {
	return answer.Okay{
		Email: r.Email, Audience: r.Audience, Expires: r.Expires, Issuer: r.Issuer, Private: r.Private,
	}.MarshalJSON()
}
