// Package vector reads and runs the test vectors of the Email Verification Protocol, in the
// format vepverify-evp-vectors/1. Tests, the command and the benchmarks use it.
//
// A file is {"format":"vepverify-evp-vectors/1","cases":[…]}. A [Case] has a token, what
// the relying party expects, the time, and all that DNS and the issuers answer. Start with
// [Load]; [Case.Check] runs a case and compares the outcome.
package vector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/origin"
)

// Format is the format of the files.
const Format = "vepverify-evp-vectors/1"

// Outcome is the outcome of a case.
type Outcome string

// The outcomes.
const (
	Okay      Outcome = "okay"
	Failure   Outcome = "failure"
	Undecided Outcome = "undecided"
)

// Case is one test vector.
type Case struct {
	Name    string `json:"name"`
	Group   string `json:"group"`
	Comment string `json:"comment"`

	Token    string    `json:"token"`
	Audience Audiences `json:"audience"` // the origins that are accepted
	Nonce    string    `json:"nonce"`    // the expected nonce
	Email    string    `json:"email"`    // the submitted address; empty if it is not known
	Now      int64     `json:"now"`      // in milliseconds
	Profile  string    `json:"profile"`
	Rule     string    `json:"rule"` // the rule that the token breaks; empty if it is not said

	// TXT has the records by name. A name that is absent does not exist.
	TXT map[string]Records `json:"txt"`
	// HTTP has the responses by URL. A URL that is absent answers with status 404.
	HTTP map[string]Response `json:"http"`

	Expect Outcome `json:"expect"`
	Answer *Answer `json:"answer"` // if Expect is Okay
}

// Audiences are a string or an array of strings.
type Audiences []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *Audiences) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = Audiences{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// Records are the answer to a TXT lookup: records, or "nxdomain", "servfail" or "timeout".
type Records struct {
	Records []string `json:"records"`
	Error   string   `json:"error"`
}

// Response is the response to an HTTP request, unless it times out.
type Response struct {
	Status      int    `json:"status"`
	ContentType string `json:"contentType"` // empty means no such field
	Location    string `json:"location"`
	Body        string `json:"body"`
	Timeout     bool   `json:"timeout"`
}

// Answer is the answer for a token that is accepted.
type Answer struct {
	Email    string `json:"email"`
	Issuer   string `json:"issuer"`
	Audience string `json:"audience"`
	Expires  int64  `json:"expires"` // in milliseconds
	Private  bool   `json:"private"`
}

// Load parses a file of vectors.
func Load(data []byte) ([]Case, error) {
	var file struct {
		Format string `json:"format"`
		Cases  []Case `json:"cases"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Format != Format {
		return nil, fmt.Errorf("format is not %s", Format)
	}
	for _, c := range file.Cases {
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("case %q: %w", c.Name, err)
		}
	}
	return file.Cases, nil
}

func (c *Case) validate() error {
	_, err := evp.ParseProfile(c.Profile)
	switch {
	case err != nil:
		return fmt.Errorf("profile %q: %w", c.Profile, err)
	case c.Expect != Okay && c.Expect != Failure && c.Expect != Undecided:
		return fmt.Errorf("expect %q: not known", c.Expect)
	case (c.Expect == Okay) != (c.Answer != nil):
		return errors.New("an answer belongs to the outcome okay, and to no other")
	case c.Nonce == "" || len(c.Audience) == 0:
		return errors.New("no nonce, or no audience")
	}
	return nil
}

// Config returns the configuration of a verifier for the case.
func (c *Case) Config() evp.Config {
	profile, _ := evp.ParseProfile(c.Profile)
	now := time.UnixMilli(c.Now)
	return evp.Config{
		Origins: c.origins(), Profile: profile, Now: func() time.Time { return now },
		Resolver: resolver{c}, InsecureTransport: transport{c},
	}
}

// origins returns the audiences that an origin in a token can be equal to. A verifier
// refuses others in its configuration, or rewrites them.
func (c *Case) origins() (list []string) {
	for _, a := range c.Audience {
		if o, err := origin.Parse(a); err == nil && o.String() == a {
			list = append(list, a)
		}
	}
	if list == nil {
		return []string{"https://no-origin.invalid"}
	}
	return list
}

// Run verifies the token with a new verifier. The outcome is empty if the error is not
// about the token.
func (c *Case) Run(ctx context.Context) (Outcome, *evp.Result, error) {
	v, err := evp.NewVerifier(c.Config())
	if err != nil {
		return "", nil, err
	}
	result, err := v.Verify(ctx, c.Token, evp.Expected{Nonce: c.Nonce, Email: c.Email})
	switch {
	case err == nil:
		return Okay, result, nil
	case errors.Is(err, assertion.ErrUndecided):
		return Undecided, nil, err
	case errors.Is(err, assertion.ErrMalformed), errors.Is(err, assertion.ErrRejected):
		return Failure, nil, err
	}
	return "", nil, err
}

// Check runs the case. It returns an error if the outcome or the answer is not the
// expected one.
func (c *Case) Check(ctx context.Context) error {
	outcome, result, err := c.Run(ctx)
	switch {
	case outcome != c.Expect && err != nil:
		return fmt.Errorf("got %q, want %q: %w", outcome, c.Expect, err)
	case outcome != c.Expect:
		return fmt.Errorf("got %q, want %q", outcome, c.Expect)
	case c.Rule != "" && ruleOf(err) != c.Rule:
		return fmt.Errorf("rule %q, want %q: %w", ruleOf(err), c.Rule, err)
	case result == nil:
		return nil
	}
	got := Answer{result.Email, result.Issuer, result.Audience, result.Expires.UnixMilli(), result.Private}
	if got != *c.Answer {
		return errors.New("another answer than expected")
	}
	return nil
}

// ruleOf returns the rule of an error of a verifier.
func ruleOf(err error) string {
	var e *evp.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Rule
}

// resolver answers TXT lookups from a case.
type resolver struct{ c *Case }

// LookupTXT implements evp.TXTResolver.
func (r resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answer, found := r.c.TXT[strings.TrimSuffix(name, ".")]
	switch {
	case !found || answer.Error == "nxdomain":
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case answer.Error == "timeout":
		return nil, &net.DNSError{Err: "timeout", Name: name, IsTimeout: true, IsTemporary: true}
	case answer.Error != "":
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	return answer.Records, nil
}

// transport answers HTTP requests from a case.
type transport struct{ c *Case }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer, found := t.c.find(r.URL.String())
	if !found {
		answer = Response{Status: http.StatusNotFound}
	}
	if answer.Timeout {
		return nil, os.ErrDeadlineExceeded
	}
	header := http.Header{}
	if answer.ContentType != "" {
		header.Set("Content-Type", answer.ContentType)
	}
	if answer.Location != "" {
		header.Set("Location", answer.Location)
	}
	return &http.Response{
		StatusCode: answer.Status, Status: fmt.Sprint(answer.Status, " ", http.StatusText(answer.Status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: r,
		Body: io.NopCloser(strings.NewReader(answer.Body)), ContentLength: int64(len(answer.Body)),
	}, nil
}

// find returns the response for a URL. The port 443 is the same as none, an empty path the
// same as "/", and upper and lower case are the same before the path.
func (c *Case) find(location string) (Response, bool) {
	if answer, found := c.HTTP[location]; found {
		return answer, true
	}
	for written, answer := range c.HTTP {
		if canonicalURL(written) == canonicalURL(location) {
			return answer, true
		}
	}
	return Response{}, false
}

// canonicalURL returns the form of an https URL in which requests have it.
func canonicalURL(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "https" {
		return location
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}
