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
// The format of tokens of the Email Verification Protocol is described in
// internal/evpvector.
//
// Start with [Read], or with [ReadTests] for files of either format. A case runs in the resolver
// and the verifier that the command uses. Only the network is replaced.
package vectors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vepverify/vepverify/internal/evpvector"
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
type Outcome = evpvector.Outcome

// The outcomes.
const (
	Okay      = evpvector.Okay
	Failure   = evpvector.Failure
	Undecided = evpvector.Undecided
)

// Test is a case of either format.
type Test interface {
	// ID returns the name of the case.
	ID() string
	// Check runs the case. It returns an error if the answer is not the expected one.
	Check(ctx context.Context) error
	// validate returns an error if the case cannot be run.
	validate() error
}

// ErrOther means that a file is JSON and is not meant as test vectors: it has neither a
// format nor cases.
var ErrOther = fmt.Errorf("not a file of test vectors: it does not have \"format\":%q", Format)

// Read reads a file of cases of [Format]. It returns an error for another format, an unknown
// member, or a case that cannot be run, and [ErrOther] for other JSON.
func Read(r io.Reader) (*File, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if format, err := formatOf(data); err != nil {
		return nil, err
	} else if format != Format {
		return nil, fmt.Errorf("format %.40q: want %q", format, Format)
	}
	cases, err := parse[Case](data, Format)
	if err != nil {
		return nil, err
	}
	return &File{Format, cases}, nil
}

// ReadTests is [Read] for a file of either format.
func ReadTests(r io.Reader) ([]Test, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	format, err := formatOf(data)
	if err != nil {
		return nil, err
	}
	if format == evpvector.Format {
		return tests(parse[EVPCase](data, format))
	}
	return tests(parse[Case](data, format))
}

// testOf is a pointer to a case, which is a Test.
type testOf[C any] interface {
	*C
	Test
}

// parse parses the cases of a file.
func parse[C any, P testOf[C]](data []byte, format string) ([]C, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if format == Format {
		d.DisallowUnknownFields()
	}
	var f struct {
		Format string `json:"format"`
		Cases  []C    `json:"cases"`
	}
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("not in the format %s: %w", format, err)
	}
	for i := range f.Cases {
		c := P(&f.Cases[i])
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("case %d (%.80q): %w", i+1, c.ID(), err)
		}
	}
	return f.Cases, nil
}

// tests returns cases as tests.
func tests[C any, P testOf[C]](cases []C, err error) ([]Test, error) {
	all := make([]Test, len(cases))
	for i := range cases {
		all[i] = P(&cases[i])
	}
	return all, err
}

// formatOf returns the format of a file. It returns an error if the file is not JSON or has an
// unknown format.
func formatOf(data []byte) (format string, err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return "", errors.New("not a file of test vectors: it is empty")
	}
	var file struct{ Format, Cases json.RawMessage }
	var syntax *json.SyntaxError
	err = json.Unmarshal(data, &file)
	if errors.As(err, &syntax) {
		return "", fmt.Errorf("not a file of test vectors: not JSON (byte %d)", syntax.Offset)
	}
	if file.Format == nil && file.Cases == nil {
		return "", ErrOther
	}
	if err := json.Unmarshal(file.Format, &format); err != nil || format != Format && format != evpvector.Format {
		return "", fmt.Errorf("format %.40q: want %q or %q", format, Format, evpvector.Format)
	}
	return format, nil
}

// ID returns the name.
func (c *Case) ID() string { return c.Name }

// validate returns an error if the case cannot be run.
func (c *Case) validate() error {
	if c.Config.Leeway < 0 {
		return errors.New("a negative leeway")
	}
	return evpvector.ValidateMembers(c.Name, c.Now, c.Expect)
}
