// Package evpvector contains the test vectors of the Email Verification Protocol, in the
// format vepverify-evp-vectors/1, and the network that they describe:
//
//	{"format":"vepverify-evp-vectors/1","cases":[
//	  {"name":"…", "group":"…", "comment":"…", "token":"…",
//	   "audience":"https://rp.example", "nonce":"…", "email":"…", "now":1700000000000, "profile":"default",
//	   "txt":{"_email-verification.mail.example":{"records":["iss=issuer.example"]}},
//	   "http":{"https://issuer.example/jwks":{"status":200,"contentType":"application/json","body":"…"}},
//	   "expect":"okay", "answer":{"email":"…","issuer":"…","audience":"…","expires":0}}]}
//
// audience is an origin or an array of origins. An absent email means that the address that
// was submitted is not known. A name under txt has records, or an error: nxdomain, servfail or
// timeout. A name that is absent does not exist. A URL under http may have "location" or
// "timeout":true. A URL that is absent answers 404. rule is the name of the rule that a token
// breaks, where the case tells. Unknown members are ignored: others write such files, too.
//
// The package runs no case: evp/internal/vector does for tests, and the command's vectors for
// users.
package evpvector

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vepverify/vepverify/internal/origin"
)

// Format is the format of the files.
const Format = "vepverify-evp-vectors/1"

// Outcome is the outcome of a verification.
type Outcome string

// The outcomes.
const (
	Okay      Outcome = "okay"
	Failure   Outcome = "failure"
	Undecided Outcome = "undecided"
)

// Case is the verification of one token and its expected answer.
type Case struct {
	Name     string  `json:"name"`
	Group    string  `json:"group,omitempty"`
	Comment  string  `json:"comment,omitempty"`
	Token    string  `json:"token"`
	Audience Origins `json:"audience"`
	Nonce    string  `json:"nonce"`
	Email    string  `json:"email,omitempty"`
	Now      *int64  `json:"now"` // in milliseconds
	Profile  string  `json:"profile"`
	Network
	Expect Outcome                    `json:"expect"`
	Answer map[string]json.RawMessage `json:"answer,omitempty"`
	Rule   string                     `json:"rule,omitempty"` // of the error
}

// Time returns the time of the verification.
func (c *Case) Time() time.Time { return time.UnixMilli(*c.Now) }

// Validate returns an error if the case cannot be run. It does not check the profile.
func (c *Case) Validate() error {
	if err := ValidateMembers(c.Name, c.Now, c.Expect); err != nil {
		return err
	}
	if len(c.Audience) == 0 {
		return errors.New("no audience")
	}
	return c.Network.validate()
}

// ValidateMembers returns an error if a member that every case has is missing or wrong, also
// a case of BrowserID.
func ValidateMembers(name string, now *int64, expect Outcome) error {
	switch {
	case expect != Okay && expect != Failure && expect != Undecided:
		return fmt.Errorf("expect %.20q: want okay, failure or undecided", string(expect))
	case name == "":
		return errors.New("no name")
	case now == nil:
		return errors.New("no now")
	}
	return nil
}

// Origins is one origin or several.
type Origins []string

// UnmarshalJSON implements [json.Unmarshaler].
func (o *Origins) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = Origins{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

// Canonical returns the origins in the form in which tokens have them. A verifier refuses all
// other texts in its configuration, or rewrites them; no token can be for one.
func (o Origins) Canonical() (list []string) {
	for _, text := range o {
		if parsed, err := origin.Parse(text); err == nil && parsed.String() == text {
			list = append(list, text)
		}
	}
	if list == nil {
		return []string{"https://none.invalid"}
	}
	return list
}
