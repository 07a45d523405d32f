package vectors

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/wellknown"
)

// Check runs the case. It returns an error if the answer is not the expected one; the error
// says how they differ.
func (c *Case) Check(ctx context.Context) error {
	v, err := c.Verifier()
	if err != nil {
		return err
	}
	return c.CheckWith(ctx, v)
}

// CheckWith is Check with a verifier that Verifier has made. It may have been used before.
func (c *Case) CheckWith(ctx context.Context, v *assertion.Verifier) error {
	res, err := v.Verify(ctx, c.Assertion, c.Audience)
	got, answer, err := outcome(res, err)
	if err != nil {
		return err
	}
	if got != c.Expect {
		return fmt.Errorf("expected %s, got %s%s", c.Expect, got, reasonSuffix(answer))
	}
	if err := compareAnswers(answer, c.Answer); err != nil {
		return err
	}
	if reason, _ := answer["reason"].(string); !strings.HasPrefix(reason, c.Reason) {
		return fmt.Errorf("expected the reason %q, got %q", c.Reason, reason)
	}
	return nil
}

// Verifier returns a verifier with the configuration, the clock and the hosts of the case.
// Options may change settings that a case does not have.
func (c *Case) Verifier(options ...func(*assertion.Config)) (*assertion.Verifier, error) {
	now := func() time.Time { return time.UnixMilli(*c.Now) }
	resolver, err := wellknown.NewResolver(wellknown.Config{
		InsecureTransport:    transport{c},
		InsecureAllowPrivate: true, // hosts may be IP addresses and have ports
		Now:                  now,
	})
	if err != nil {
		return nil, err
	}
	leeway := time.Duration(c.Config.Leeway) * time.Millisecond
	if leeway == 0 {
		leeway = -1 // none
	}
	config := assertion.Config{
		Keys:             resolver,
		Now:              now,
		Fallback:         c.Config.Fallback,
		TrustedIssuers:   c.Config.TrustedIssuers,
		InsecureWeakKeys: c.Config.InsecureWeakKeys,
		Leeway:           leeway,
		MaxChain:         c.Config.MaxChain,
	}
	for _, option := range options {
		option(&config)
	}
	return assertion.NewVerifier(config)
}

// outcome returns the outcome of Verify and its answer as JSON values. It returns an error
// if Verify returned an error that is not an answer.
func outcome(res any, err error) (Outcome, map[string]any, error) {
	if err == nil {
		answer, err := values(res)
		return Okay, answer, err
	}
	failed := assertion.Failure(err)
	if failed == nil {
		return "", nil, err
	}
	answer, err := values(failed)
	if failed.Undecided {
		return Undecided, answer, err
	}
	return Failure, answer, err
}

// values returns the members of the JSON object that v marshals to.
func values(v any) (m map[string]any, err error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return m, decode(data, &m)
}

// decode decodes JSON into a value. Numbers stay as they are written.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

// compareAnswers returns an error that names a member of want that got does not have.
func compareAnswers(got map[string]any, want map[string]json.RawMessage) error {
	for name, raw := range want {
		var value any
		if err := decode(raw, &value); err != nil {
			return fmt.Errorf("the case's answer: %w", err)
		}
		found, there := got[name]
		if value == nil {
			if there {
				return fmt.Errorf("%s is present, expected it to be absent", name)
			}
			continue
		}
		if !there {
			return fmt.Errorf("%s is absent, expected %s", name, raw)
		}
		if !reflect.DeepEqual(canonical(found), canonical(value)) {
			return fmt.Errorf("%s is %v, expected %s", name, found, raw)
		}
	}
	return nil
}

// number is the exact value of a JSON number, in a canonical form.
type number string

// canonical returns JSON values with their numbers in canonical form. Equal numbers are
// then equal, exactly, and a number never equals a string. It modifies v.
func canonical(v any) any {
	switch v := v.(type) {
	case json.Number:
		return canonicalNumber(v.String())
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = canonical(v[name])
		}
	}
	return v
}

// canonicalNumber returns the canonical form of a number. A number with an exponent,
// whose digits could need much memory, stays as it is written.
func canonicalNumber(text string) number {
	if strings.ContainsAny(text, "eE") {
		return number(text)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return number(text)
	}
	return number(r.RatString())
}

// reasonSuffix returns the reason of an answer, for the end of an error.
func reasonSuffix(answer map[string]any) string {
	if reason, ok := answer["reason"].(string); ok {
		return ": " + reason
	}
	return ""
}

// transport answers with the documents and responses of a case.
type transport struct{ tested *Case }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	r, err := t.response(strings.ToLower(req.URL.Host))
	if err != nil {
		return nil, err
	}
	header := make(http.Header)
	if r.ContentType != "" {
		header.Set("Content-Type", r.ContentType)
	}
	return &http.Response{
		StatusCode: r.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		ContentLength: int64(len(r.Body)), Body: io.NopCloser(strings.NewReader(r.Body)), Request: req,
	}, nil
}

// response returns the response of a host, or an error if it does not respond.
func (t transport) response(host string) (Response, error) {
	if r, ok := t.tested.Responses[host]; ok {
		if r.Timeout {
			return r, os.ErrDeadlineExceeded
		}
		return r, nil
	}
	if document, ok := t.tested.Documents[host]; ok {
		var body bytes.Buffer
		if err := json.Compact(&body, document); err != nil {
			return Response{}, err
		}
		return Response{Status: http.StatusOK, ContentType: "application/json", Body: body.String()}, nil
	}
	return Response{Status: http.StatusNotFound, ContentType: "text/plain"}, nil
}
