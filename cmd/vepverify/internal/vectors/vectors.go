// Package vectors reads and runs language-neutral test vectors of BrowserID
// verification, format vepverify-vectors/1:
//
//	{"format":"vepverify-vectors/1","cases":[
//	  {"name":"…", "group":"…", "comment":"…",
//	   "assertion":"…", "audience":"https://rp.example", "now":1700000000000,
//	   "config":{"fallback":"…","trustedIssuers":["…"],"insecureWeakKeys":true,"leeway":0,"maxChain":1},
//	   "documents":{"idp.example":{…}},
//	   "responses":{"x.example":{"status":500,"contentType":"text/html","body":"…"},"y.example":{"timeout":true}},
//	   "expect":"okay", "answer":{"email":"…","issuer":"…","expires":0}, "reason":"expired"}]}
//
// Times are milliseconds. The hosts under documents answer 200, application/json and the
// document. Those under responses answer as they say. Every other host answers 404. expect
// is okay, failure or undecided. Every member of answer must equal the same member of the
// result; null means that the member must be absent. reason must be a prefix of the
// failure's reason. An absent leeway means none. Unknown members are an error.
//
// Start with [Read], then [Case.Check]. A case runs in the resolver and the verifier that
// the command uses. Only the network is replaced.
package vectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Format is the format that Read accepts.
const Format = "vepverify-vectors/1"

// File is a file of cases.
type File struct {
	Format string `json:"format"`
	Cases  []Case `json:"cases"`
}

// Case is one verification and its expected answer.
type Case struct {
	Name      string                     `json:"name"`
	Group     string                     `json:"group,omitempty"`
	Comment   string                     `json:"comment,omitempty"`
	Assertion string                     `json:"assertion"`
	Audience  string                     `json:"audience"`
	Now       *int64                     `json:"now"`
	Config    Config                     `json:"config,omitzero"`
	Documents map[string]json.RawMessage `json:"documents,omitempty"`
	Responses map[string]Response        `json:"responses,omitempty"`
	Expect    Outcome                    `json:"expect"`
	Answer    map[string]json.RawMessage `json:"answer,omitempty"`
	Reason    string                     `json:"reason,omitempty"`
}

// Config is the configuration of the verifier, as far as a case sets it.
type Config struct {
	Fallback         string   `json:"fallback,omitempty"`
	TrustedIssuers   []string `json:"trustedIssuers,omitempty"`
	InsecureWeakKeys bool     `json:"insecureWeakKeys,omitempty"`
	Leeway           int64    `json:"leeway,omitempty"` // milliseconds
	MaxChain         int      `json:"maxChain,omitempty"`
}

// Response is the response of a host.
type Response struct {
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Body        string `json:"body,omitempty"`
	Timeout     bool   `json:"timeout,omitempty"` // no response until the deadline
}

// Outcome is the outcome of a verification.
type Outcome string

// The outcomes.
const (
	Okay      Outcome = "okay"
	Failure   Outcome = "failure"
	Undecided Outcome = "undecided"
)

// ErrOther means that a file is JSON and is not meant as test vectors: it has neither a
// format nor cases.
var ErrOther = fmt.Errorf("not a file of test vectors: it does not have \"format\":%q", Format)

// Read reads a file of cases. It returns an error for another format, an unknown member, or
// a case that cannot be run, and [ErrOther] for other JSON.
func Read(r io.Reader) (*File, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if err := checkFormat(data); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var f File
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("not in the format %s: %w", Format, err)
	}
	for i, c := range f.Cases {
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("case %d (%.80q): %w", i+1, c.Name, err)
		}
	}
	return &f, nil
}

// checkFormat returns an error if a file is not JSON or has another format.
func checkFormat(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("not a file of test vectors: it is empty")
	}
	var file struct{ Format, Cases json.RawMessage }
	var syntax *json.SyntaxError
	err := json.Unmarshal(data, &file)
	if errors.As(err, &syntax) {
		return fmt.Errorf("not a file of test vectors: not JSON (byte %d)", syntax.Offset)
	}
	if file.Format == nil && file.Cases == nil {
		return ErrOther
	}
	var format string
	if err := json.Unmarshal(file.Format, &format); err != nil || format != Format {
		return fmt.Errorf("format %.40q: want %q", format, Format)
	}
	return nil
}

// validate returns an error if the case cannot be run.
func (c *Case) validate() error {
	switch c.Expect {
	case Okay, Failure, Undecided:
	default:
		return fmt.Errorf("expect %.20q: want okay, failure or undecided", string(c.Expect))
	}
	if c.Name == "" {
		return errors.New("no name")
	}
	if c.Now == nil {
		return errors.New("no now")
	}
	if c.Config.Leeway < 0 {
		return errors.New("a negative leeway")
	}
	return nil
}
