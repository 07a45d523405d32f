// Package vector runs the test vectors of the Email Verification Protocol for tests of evp: see
// internal/evpvector. Start with [Load]; [Case.Check] runs a case and compares the outcome.
package vector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/evpvector"
)

// Outcome is the outcome of a case.
type Outcome = evpvector.Outcome

// The outcomes.
const (
	Okay      = evpvector.Okay
	Failure   = evpvector.Failure
	Undecided = evpvector.Undecided
)

// Case is one test vector.
type Case struct{ evpvector.Case }

// answer is the answer for a token that is accepted.
type answer struct {
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
	if file.Format != evpvector.Format {
		return nil, fmt.Errorf("format is not %s", evpvector.Format)
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
	case (c.Expect == Okay) != (c.Answer != nil):
		return errors.New("an answer belongs to the outcome okay, and to no other")
	case c.Nonce == "":
		return errors.New("no nonce")
	}
	return c.Validate()
}

// Config returns the configuration of a verifier for the case.
func (c *Case) Config() evp.Config {
	profile, _ := evp.ParseProfile(c.Profile) // validated
	now := c.Time()
	return evp.Config{
		Origins: c.Audience.Canonical(), Profile: profile, Now: func() time.Time { return now },
		Resolver: &c.Network, InsecureTransport: &c.Network,
	}
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
	want, err := c.answer()
	if got := (answer{result.Email, result.Issuer, result.Audience, result.Expires.UnixMilli(), result.Private}); got != want {
		return errors.New("another answer than expected")
	}
	return err
}

// answer returns the expected answer.
func (c *Case) answer() (a answer, err error) {
	text, err := json.Marshal(c.Answer)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

// ruleOf returns the rule of an error of a verifier.
func ruleOf(err error) string {
	var e *evp.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Rule
}
