package main

import (
	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
)

const verifyHelp = `Verifies one backed assertion, certificate~assertion, as a browser hands it over.
It is read from FILE, or from standard input when FILE is "-" or absent. verify is
the command when none is named; write ./verify for a file of a command's name.

Examples:
  vepverify assertion.txt --audience https://rp.example
  pbpaste | vepverify --audience https://rp.example --explain
  vepverify old.txt --audience https://rp.example --keys keys.json --now 2013-01-01T00:00:00Z

Answer, one line on standard output:
  {"status":"okay","email":…,"audience":…,"expires":…,"issuer":…}
  {"status":"failure","reason":…}
  {"status":"failure","reason":…,"undecided":true}    an issuer cannot be reached: try later

Exit status:
  0 okay   1 failure   3 undecided   2 usage: nothing on standard output then`

// verification is the command verify: its flags, and what they come to.
type verification struct {
	*process
	checks
	audiences     list
	explain, text bool
}

func verifyCommand(p *process) *cli.Command {
	v := &verification{process: p, checks: newChecks()}
	return &cli.Command{
		Name: "verify", Usage: "say whether an assertion holds (the default command)",
		ArgsUsage: "[FILE|-]", Description: verifyHelp, Flags: v.flags(), Action: v.run,
	}
}

func (v *verification) flags() []cli.Flag {
	own := []cli.Flag{
		valueFlag(&v.audiences, "audience", "your site's `ORIGIN`, such as https://rp.example (needed, repeatable)"),
		switchFlag(&v.explain, "explain", "tell on standard error what each check found"),
		switchFlag(&v.text, "text", "answer in words, not in JSON"),
	}
	return append(own, v.checks.flags()...)
}

func (v *verification) run(c *cli.Context) error {
	verifier, err := v.verifier(c, v.process)
	if err != nil {
		return err
	}
	if len(v.audiences) == 0 {
		return usageError(c, "--audience is missing: your site's origin, such as --audience https://rp.example")
	}
	text, err := v.readAssertion(c)
	if err != nil {
		return err
	}
	res, err := v.verify(c, verifier, text)
	return v.answer(res, err)
}

func (v *verification) verify(c *cli.Context, verifier *assertion.Verifier, text string) (*assertion.Result, error) {
	if !v.explain {
		return verifier.Verify(c.Context, text, v.audiences...)
	}
	e := verifier.Explain(c.Context, text, v.audiences...)
	v.printExplanation(e)
	return e.Result, e.Err
}
