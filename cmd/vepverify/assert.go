package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/internal/origin"
)

const assertHelp = `Makes a backed assertion, certificate~assertion, with which the owner of an identity file
signs in at one site. Keep it secret: anyone who has it can use it there until it expires.`

// assertManual is the rest of its help and of its man page.
var assertManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Sign in at a site, with the identity that certify has made", Lines: "vepverify assert --identity ada.json --audience https://rp.example > assertion.txt"},
	},
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "done"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, an identity that cannot be read or has expired"},
	},
	Flags: map[string]string{
		"audience": `A verifier that expects another origin refuses the assertion.`,
		"duration": `Browsers sign for two to five minutes. Verifiers that accept each assertion once refuse times
of more than ten minutes.`,
		"now":                `The assertion is valid from this time on, in place of the current one.`,
		"insecure-weak-keys": `It is for test vectors.`,
	},
	SeeAlso:   []string{"certify", "verify", "request"},
	Documents: []string{"docs/PROTOCOL.md"},
}

// assertCmd is the command assert with its flags.
type assertCmd struct {
	identity string
	audience string
	duration cli.Span
	now      cli.Instant
	weakKeys bool
}

func assertCommand() *cli.Command {
	a := &assertCmd{duration: cli.Span(2 * time.Minute)}
	return &cli.Command{
		Name: "assert", Usage: "make an assertion, as a browser does",
		Help: assertHelp, Manual: assertManual, Run: a.run,
		Flags: []cli.Flag{
			cli.Text(&a.identity, "identity", "the identity, a `FILE` of certify (needed)"),
			cli.Text(&a.audience, "audience", "the site's `ORIGIN`, such as https://rp.example (needed)"),
			cli.Value(&a.duration, "duration", "how long the assertion is valid, a `TIME`"),
			cli.Value(&a.now, "now", "sign as of `TIME`: 2026-01-31T12:00:00Z or milliseconds since 1970"),
			identity.WeakKeysFlag(&a.weakKeys),
		},
	}
}

func (a *assertCmd) run(ctx context.Context, c *cli.Call) error {
	a.audience = inASCII(a.audience)
	missing := c.Missing("identity", "audience")
	switch {
	case len(c.Args) > 0:
		return c.UsageErrorf("assert takes flags only; --identity names the identity file")
	case missing != "":
		return c.UsageErrorf("--%s is missing", missing)
	case a.duration == 0:
		return c.UsageErrorf("--duration 0: the assertion would never be valid")
	}
	if err := verifier.CheckAudience(c, a.audience); err != nil {
		return err
	}
	id, err := identity.Read(ctx, c.Process, a.identity, a.weakKeys)
	if err != nil {
		return err
	}
	at := a.now.Clock(c.Now)()
	if err := id.Check(at); err != nil {
		return fmt.Errorf("%s: %w", cli.FileName(a.identity), err)
	}
	if end, err := id.Expires(); err == nil && at.Add(time.Duration(a.duration)).After(end) {
		fmt.Fprintf(c.Err, "%s: note: the certificate in %s expires before the assertion: %s\n", cli.Program, cli.FileName(a.identity), cli.FormatTime(end, at))
	}
	text, err := assertion.Sign(assertion.Template{
		Audience: a.audience, Expires: at.Add(time.Duration(a.duration)),
	}, id.PrivateKey, id.Certificate)
	if err != nil {
		return c.UsageErrorf("%w", err)
	}
	fmt.Fprintln(c.Out, text)
	return nil
}

// inASCII returns an origin in Unicode as browsers sign it, and any other text as it is.
func inASCII(audience string) string {
	o, err := origin.Parse(audience)
	if err != nil || strings.IndexFunc(audience, func(r rune) bool { return r > '~' }) < 0 {
		return audience
	}
	return o.String()
}
