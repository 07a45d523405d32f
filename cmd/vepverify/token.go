package main

import (
	"context"
	"strings"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/sniff"
)

// isToken reports whether a text is a token of the Email Verification Protocol, or meant as one.
func isToken(text string, kind sniff.Kind) bool {
	return evp.IsToken(text) || kind == sniff.EVPToken || kind == sniff.EVPHalf
}

// isOfAssertion reports whether a text is an assertion of BrowserID, or a part of one.
func isOfAssertion(kind sniff.Kind) bool {
	switch kind {
	case sniff.Assertion, sniff.Certificate, sniff.IdentityAssertion, sniff.Reversed, sniff.JSONAssertion:
		return true
	}
	return false
}

// okayToken is the result for a token.
type okayToken struct{ *evp.Result }

func (r okayToken) summary() string { return verifier.TokenSummary(r.Result) }

func (r okayToken) rows(t *cli.Table, now time.Time) {
	t.Row("issuer", r.Issuer)
	t.Row("expires", cli.FormatTime(r.Expires, now))
	if r.Private {
		t.Row("private", "yes: the issuer made this address for this site")
	}
}

// verifyToken verifies a token of the Email Verification Protocol. An error that has no answer is
// about the flags.
func (cmd *verifyCmd) verifyToken(ctx context.Context, c *cli.Call, text string, a *adviser) (okay, error) {
	if err := cmd.checkToken(c); err != nil {
		return nil, err
	}
	a.isToken, a.emailDomain = true, emailDomainOf(text)
	bundle, err := cmd.TokenBundle(c, a.emailDomain)
	if err != nil {
		return nil, err
	}
	v, err := cmd.TokenVerifier(c, &cmd.Network, evp.Config{Origins: cmd.audiences, Bundle: bundle, Now: cmd.Now.Clock(c.Now)})
	if err != nil {
		return nil, err
	}
	expected := evp.Expected{Nonce: cmd.nonce, Email: cmd.email}
	if !cmd.explain {
		res, err := v.Verify(ctx, text, expected)
		return okayToken{res}, err
	}
	e := v.Explain(ctx, text, expected)
	if ctx.Err() == nil {
		printExplanation(c, e.Steps, e.Err != nil, summaryOf(okayToken{e.Result}, e.Err), a)
	}
	return okayToken{e.Result}, e.Err
}

// checkToken returns an error if the flags do not fit a token.
func (cmd *verifyCmd) checkToken(c *cli.Call) error {
	if name := cmd.Trust.Given(c); name != "" {
		return c.UsageErrorf("--%s is for assertions of BrowserID, and the input is a token of the Email Verification Protocol", name)
	}
	switch {
	case cmd.nonce == "":
		return c.UsageErrorf("--nonce is missing: the input is a token of the Email Verification Protocol, " +
			"which is verified with the nonce that the page gave to the browser")
	case sniff.HoldsToken(cmd.nonce):
		return c.UsageErrorf("--nonce: a token, not the nonce that the page gave to the browser")
	case cmd.email != "" && !strings.Contains(cmd.email, "@"):
		return c.UsageErrorf("--email %q: not an email address", cli.Shown(cmd.email))
	}
	return verifier.CheckOrigins(c, cmd.audiences)
}

// refuseTokenFlags returns an error if a flag for tokens is given with an assertion.
func (cmd *verifyCmd) refuseTokenFlags(c *cli.Call) error {
	name := cmd.EVP.Given(c)
	switch {
	case c.Given("nonce"):
		name = "nonce"
	case c.Given("email"):
		name = "email"
	}
	if name == "" {
		return nil
	}
	return c.UsageErrorf("--%s is for tokens of the Email Verification Protocol, and the input is not one", name)
}

// emailDomainOf returns the domain of the address in a token, "" if there is none that can be
// looked up.
func emailDomainOf(text string) string {
	t, err := evp.Parse(text)
	if err != nil {
		return ""
	}
	_, name, _ := strings.Cut(t.Email, "@")
	if name, err = parseLookup(name); err != nil {
		return ""
	}
	return name
}
