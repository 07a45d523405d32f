// Package answertest parses the answer of docs/PROTOCOL.md §6 strictly, for tests that
// check answers. Nothing else in this module reads one.
package answertest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/internal/answer"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Answer is an answer that was parsed. Exactly one of Okay and Failure is not nil.
type Answer struct {
	Okay    *answer.Okay
	Failure *answer.Failure
}

// Parse parses an answer, which must be one JSON object in UTF-8 without
// duplicate names. The members status and, by its value, audience, expires and
// issuer, or reason, are required. Other members are ignored. The claims of the
// result are parts of text.
//
// No error contains text of the answer.
func Parse(text []byte) (Answer, error) {
	object, err := strictjson.ParseObject(text)
	if err != nil {
		return Answer{}, err
	}
	r := reader{object: object}
	var a Answer
	switch r.text("status", true) {
	case answer.StatusOkay:
		a.Okay = r.okay()
	case answer.StatusFailure:
		a.Failure = r.failure()
	default:
		r.fail("status", "neither okay nor failure")
	}
	if r.err != nil {
		return Answer{}, r.err
	}
	return a, nil
}

// reader reads the members of an object, and keeps the first error.
type reader struct {
	object strictjson.Object
	err    error
}

func (r *reader) okay() *answer.Okay {
	return &answer.Okay{
		Email: r.text("email", false), UnverifiedEmail: r.text("unverified-email", false),
		Audience: r.text("audience", true), Expires: r.time("expires"), Issuer: r.text("issuer", true),
		Private:   r.boolean("private"),
		IDPClaims: r.claims("idpClaims"), UserClaims: r.claims("userClaims"),
	}
}

func (r *reader) failure() *answer.Failure {
	return &answer.Failure{Reason: r.text("reason", true), Undecided: r.boolean("undecided")}
}

// fail sets the error, unless there is one.
func (r *reader) fail(name, problem string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", name, problem)
	}
}

// text returns the string of a member, or "" if it is absent.
func (r *reader) text(name string, required bool) string {
	raw, found := r.object.Get(name)
	if !found {
		if required {
			r.fail(name, "missing")
		}
		return ""
	}
	s, ok := strictjson.String(raw)
	if !ok {
		r.fail(name, "not a string")
	}
	return s
}

// time returns the time of a member in milliseconds, which must be an integer.
func (r *reader) time(name string) time.Time {
	raw, found := r.object.Get(name)
	if !found {
		r.fail(name, "missing")
		return time.Time{}
	}
	ms, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		r.fail(name, fmt.Sprintf("not an integer from %d to %d", int64(math.MinInt64), int64(math.MaxInt64)))
	}
	return time.UnixMilli(ms)
}

// boolean reports whether a member is true. An absent member means false.
func (r *reader) boolean(name string) bool {
	raw, found := r.object.Get(name)
	if found && string(raw) != "true" && string(raw) != "false" {
		r.fail(name, "not a boolean")
	}
	return string(raw) == "true"
}

// claims returns the members of an object by name, or nil if it is absent.
func (r *reader) claims(name string) map[string]json.RawMessage {
	raw, found := r.object.Get(name)
	if !found {
		return nil
	}
	object, err := strictjson.ParseObject(raw)
	if err != nil {
		r.fail(name, "not an object")
		return nil
	}
	claims := make(map[string]json.RawMessage, len(object))
	for _, m := range object {
		claims[m.Name] = m.Value
	}
	return claims
}
