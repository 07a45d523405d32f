package vectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/evpvector"
)

// EVPCase is the verification of one token of the Email Verification Protocol and its expected
// answer.
type EVPCase struct{ evpvector.Case }

// ID returns the name.
func (c *EVPCase) ID() string { return c.Name }

// validate returns an error if the case cannot be run.
func (c *EVPCase) validate() error {
	if err := c.Validate(); err != nil {
		return err
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
		Origins: c.Audience.Canonical(), Profile: profile, Resolver: &c.Network, InsecureTransport: &c.Network,
		Now: c.Time,
	})
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

// unexpected returns a member of an answer that the case does not have, and "" if there is no such member. A case
// without an answer is about the outcome only, and about private.
func (c *EVPCase) unexpected(answer map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(answer)) {
		if _, found := c.Answer[name]; !found && name != "status" && (c.Answer != nil || name == "private") {
			return name
		}
	}
	return ""
}
