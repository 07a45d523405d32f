package vectors

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/origin"
)

// EVPFormat is the format of test vectors of the Email Verification Protocol.
const EVPFormat = "vepverify-evp-vectors/1"

// EVPCase is the verification of one token and its expected answer:
//
//	{"name":"…", "group":"…", "comment":"…", "token":"…",
//	 "audience":"https://rp.example", "nonce":"…", "email":"…", "now":1700000000000, "profile":"default",
//	 "txt":{"_email-verification.mail.example":{"records":["iss=issuer.example"]}},
//	 "http":{"https://issuer.example/jwks":{"status":200,"contentType":"application/json","body":"…"}},
//	 "expect":"okay", "answer":{"email":"…","issuer":"…","audience":"…","expires":0}}
//
// audience is an origin or an array of origins. An absent email means that the address that
// was submitted is not known. A name under txt has records, or an error: nxdomain, servfail or
// timeout. A name that is absent does not exist. A URL under http may have "location" or
// "timeout":true. A URL that is absent answers 404. rule is the name of the rule that a token
// breaks, where the case tells. Unknown members are ignored: others write such files, too.
type EVPCase struct {
	Name     string                     `json:"name"`
	Group    string                     `json:"group,omitempty"`
	Comment  string                     `json:"comment,omitempty"`
	Token    string                     `json:"token"`
	Audience Origins                    `json:"audience"`
	Nonce    string                     `json:"nonce"`
	Email    string                     `json:"email,omitempty"`
	Now      *int64                     `json:"now"`
	Profile  string                     `json:"profile"`
	TXT      map[string]TXTAnswer       `json:"txt,omitempty"`
	HTTP     map[string]EVPResponse     `json:"http,omitempty"`
	Expect   Outcome                    `json:"expect"`
	Answer   map[string]json.RawMessage `json:"answer,omitempty"`
	Rule     string                     `json:"rule,omitempty"` // of the error
}

// Origins is one origin or several.
type Origins []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *Origins) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = Origins{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

// TXTAnswer is the answer of the DNS for a name.
type TXTAnswer struct {
	Records []string `json:"records,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// EVPResponse is the response to a request for a URL.
type EVPResponse struct {
	Response
	Location string `json:"location,omitempty"`
}

// ID returns the name.
func (c *EVPCase) ID() string { return c.Name }

// validate returns an error if the case cannot be run.
func (c *EVPCase) validate() error {
	if err := validate(c.Name, c.Now, c.Expect); err != nil {
		return err
	}
	if len(c.Audience) == 0 {
		return errors.New("no audience")
	}
	for name, answer := range c.TXT {
		switch answer.Error {
		case "", "nxdomain", "servfail", "timeout":
		default:
			return fmt.Errorf("txt %.80q: error %.20q: want nxdomain, servfail or timeout", name, answer.Error)
		}
	}
	_, err := evp.ParseProfile(c.Profile)
	return err
}

// Check runs the case. It returns an error if the answer is not the expected one; the error
// says how they differ.
func (c *EVPCase) Check(ctx context.Context) error {
	v, err := c.Verifier()
	if err != nil {
		return err
	}
	res, err := v.Verify(ctx, c.Token, evp.Expected{Nonce: cmp.Or(c.Nonce, noNonce), Email: c.Email})
	return c.compare(res, err)
}

// noNonce stands for an empty nonce, which is a mistake of the caller of a verifier. No token
// of a browser has it.
const noNonce = "\x00"

// Verifier returns a verifier with the configuration, the clock, the DNS and the hosts of the
// case.
func (c *EVPCase) Verifier() (*evp.Verifier, error) {
	profile, err := evp.ParseProfile(c.Profile)
	if err != nil {
		return nil, err
	}
	return evp.NewVerifier(evp.Config{
		Origins: c.Audience.canonical(), Profile: profile, Resolver: resolver{c}, InsecureTransport: evpTransport{c},
		Now: func() time.Time { return time.UnixMilli(*c.Now) },
	})
}

// canonical returns the origins in the form in which tokens have them. A verifier refuses all
// other texts in its configuration, or rewrites them; no token can be for one.
func (o Origins) canonical() (list []string) {
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

// compare returns an error if the outcome is not that of the case.
func (c *EVPCase) compare(res *evp.Result, err error) error {
	got, answer, wrong := outcome(res, err)
	if wrong != nil {
		return wrong
	}
	if got != c.Expect {
		return fmt.Errorf("expected %s, got %s%s", c.Expect, got, reasonSuffix(answer))
	}
	var broken *evp.Error
	if errors.As(err, &broken) && c.Rule != "" && broken.Rule != c.Rule {
		return fmt.Errorf("expected the rule %s, got %s: %s", c.Rule, broken.Rule, broken.Reason)
	}
	if name := c.unexpected(answer); got == Okay && name != "" {
		return fmt.Errorf("%s is present, expected it to be absent", name)
	}
	return compareAnswers(answer, c.Answer)
}

// unexpected returns a member of an answer that the case does not have, "" if there is none. A case
// without an answer is about the outcome only, and about private.
func (c *EVPCase) unexpected(answer map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(answer)) {
		if _, found := c.Answer[name]; !found && name != "status" && (c.Answer != nil || name == "private") {
			return name
		}
	}
	return ""
}

// resolver answers with the records of a case.
type resolver struct{ tested *EVPCase }

// LookupTXT implements evp.TXTResolver.
func (r resolver) LookupTXT(_ context.Context, name string) ([]string, error) {
	name = strings.TrimSuffix(name, ".")
	answer, found := r.tested.TXT[name]
	switch {
	case !found, answer.Error == "nxdomain":
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case answer.Error == "timeout":
		return nil, &net.DNSError{Err: "timed out", Name: name, IsTimeout: true, IsTemporary: true}
	case answer.Error != "":
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	return answer.Records, nil
}

// evpTransport answers with the responses of a case.
type evpTransport struct{ tested *EVPCase }

// RoundTrip implements http.RoundTripper.
func (t evpTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	r, found := t.tested.response(req.URL.String())
	switch {
	case !found:
		r.Status, r.ContentType = http.StatusNotFound, "text/plain"
	case r.Timeout:
		return nil, os.ErrDeadlineExceeded
	}
	header := make(http.Header)
	for name, value := range map[string]string{"Content-Type": r.ContentType, "Location": r.Location} {
		if value != "" {
			header.Set(name, value)
		}
	}
	return &http.Response{
		StatusCode: r.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		ContentLength: int64(len(r.Body)), Body: io.NopCloser(strings.NewReader(r.Body)), Request: req,
	}, nil
}

// response returns the response for a URL. URLs with and without the port 443 are the same,
// those with and without an empty path, and those in another case before the path.
func (c *EVPCase) response(location string) (EVPResponse, bool) {
	if r, found := c.HTTP[location]; found {
		return r, true
	}
	for written, r := range c.HTTP {
		if canonicalURL(written) == canonicalURL(location) {
			return r, true
		}
	}
	return EVPResponse{}, false
}

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
