// Package answer writes and reads the answer to a verification, as
// docs/PROTOCOL.md §6 defines it:
//
//	{"status":"okay","email":…,"audience":…,"expires":<ms>,"issuer":…}
//	{"status":"failure","reason":…}
//	{"status":"failure","reason":…,"undecided":true}
//
// The answer to a token of the Email Verification Protocol (docs/EVP.md, rule 11) has the
// same form, and "private":true if the issuer says so.
//
// [Okay] and [Failure] are the two forms. Both marshal to compact JSON with the
// members in this order, and with HTML characters escaped as by json.Marshal.
// Package answertest parses both.
//
// The names, their order and the milliseconds are part of the interface: clients
// of 2012 read them.
package answer

import (
	"encoding/json"
	"strconv"
	"time"
)

// The values of the member status.
const (
	StatusOkay    = "okay"
	StatusFailure = "failure"
)

// Okay is the answer for an assertion that was accepted.
type Okay struct {
	// Email is the verified address; empty means that the answer has none.
	Email string
	// UnverifiedEmail is an address that the issuer did not verify. The HTTP API
	// reports it on request; empty means that the answer has none.
	UnverifiedEmail string
	// Audience is the relying party's origin.
	Audience string
	// Expires is when the assertion expires. The answer has whole milliseconds.
	Expires time.Time
	// Issuer is the domain that issued the certificate.
	Issuer string
	// Private means that the issuer made the address for this relying party. The
	// answer has no member for false.
	Private bool
	// IDPClaims and UserClaims are the extra claims of the certificate and of the
	// assertion. The answer has no member for an empty map. The values must be
	// valid JSON.
	IDPClaims, UserClaims map[string]json.RawMessage
}

// okayMembers is Okay as encoding/json writes it.
type okayMembers struct {
	Status     string                     `json:"status"`
	Email      string                     `json:"email,omitempty"`
	Unverified string                     `json:"unverified-email,omitempty"`
	Audience   string                     `json:"audience"`
	Expires    int64                      `json:"expires"`
	Issuer     string                     `json:"issuer"`
	Private    bool                       `json:"private,omitempty"`
	IDPClaims  map[string]json.RawMessage `json:"idpClaims,omitempty"`
	UserClaims map[string]json.RawMessage `json:"userClaims,omitempty"`
}

// MarshalJSON implements [json.Marshaler]. It returns an error if a claim is not
// valid JSON.
func (o Okay) MarshalJSON() ([]byte, error) {
	if !o.isPlain() {
		return json.Marshal(okayMembers{
			StatusOkay, o.Email, o.UnverifiedEmail, o.Audience, o.Expires.UnixMilli(), o.Issuer, o.Private, o.IDPClaims, o.UserClaims,
		})
	}
	text := make([]byte, 0, 128+len(o.Email)+len(o.Audience)+len(o.Issuer))
	text = append(text, `{"status":"okay"`...)
	if o.Email != "" {
		text = append(append(append(text, `,"email":"`...), o.Email...), '"')
	}
	text = append(append(text, `,"audience":"`...), o.Audience...)
	text = strconv.AppendInt(append(text, `","expires":`...), o.Expires.UnixMilli(), 10)
	text = append(append(text, `,"issuer":"`...), o.Issuer...)
	return append(text, `"}`...), nil
}

// isPlain reports whether MarshalJSON can concatenate the answer instead of
// encoding it by reflection, which takes longer than all other work of package
// verifyapi for a request (BenchmarkHandler there): it has no claims, and all
// its strings appear in JSON as they are.
func (o Okay) isPlain() bool {
	return o.UnverifiedEmail == "" && !o.Private && len(o.IDPClaims)+len(o.UserClaims) == 0 &&
		isPlain(o.Email) && isPlain(o.Audience) && isPlain(o.Issuer)
}

// isPlain reports whether json.Marshal would write s without escapes.
func isPlain(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

// Failure is the answer for an assertion that was not accepted, and for a
// request that was refused.
type Failure struct {
	// Reason tells why. Some reasons are part of the interface, see
	// docs/PROTOCOL.md §6.
	Reason string
	// Undecided means that the assertion could not be verified now, because an
	// issuer or a store could not be reached.
	Undecided bool
}

// failureMembers is Failure as encoding/json writes it.
type failureMembers struct {
	Status    string `json:"status"`
	Reason    string `json:"reason"`
	Undecided bool   `json:"undecided,omitempty"`
}

// MarshalJSON implements [json.Marshaler]. It never returns an error.
func (f Failure) MarshalJSON() ([]byte, error) {
	return json.Marshal(failureMembers{StatusFailure, f.Reason, f.Undecided})
}

// JSON returns what MarshalJSON returns.
func (f Failure) JSON() []byte {
	text, err := f.MarshalJSON()
	if err != nil { // strings and booleans have a JSON text
		return []byte(`{"status":"failure","reason":"internal error"}`)
	}
	return text
}
