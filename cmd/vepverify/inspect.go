package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
)

const inspectHelp = `Decodes a backed assertion without checking any signature, audience or issuer: who
it claims to be, by whom, for which site, until when, with which keys. Anybody can
write such a text; use verify to find out whether it holds. Nothing is fetched.

Examples:
  vepverify inspect assertion.txt
  vepverify inspect --json - < assertion.txt

Exit status:
  0 it could be decoded   1 it is malformed   2 usage, unreadable file`

// notVerified stands at both ends of what inspect says.
const notVerified = "NOT VERIFIED: anybody can write such a text. Whether it holds, vepverify verify finds out."

// inspection is the command inspect.
type inspection struct {
	*process
	now  instant
	json bool
}

func inspectCommand(p *process) *cli.Command {
	i := &inspection{process: p}
	return &cli.Command{
		Name: "inspect", Usage: "show what an assertion says, without believing it",
		ArgsUsage: "[FILE|-]", Description: inspectHelp, Action: i.run,
		Flags: []cli.Flag{
			switchFlag(&i.json, "json", "one line of JSON"),
			valueFlag(&i.now, "now", "say what is expired as of `TIME`: 2026-01-31T12:00:00Z or milliseconds"),
		},
	}
}

func (i *inspection) run(c *cli.Context) error {
	text, err := i.readAssertion(c)
	if err != nil {
		return err
	}
	b, err := assertion.Parse(text)
	if err != nil {
		return i.refuse(err)
	}
	v := viewOf(b, i.now.clock(i.process.now)().UnixMilli())
	if i.json {
		return i.printJSON(v)
	}
	i.print(v)
	return nil
}

func (i *inspection) refuse(err error) error {
	if i.json {
		if err := i.printJSON(map[string]any{"verified": false, "error": err.Error()}); err != nil {
			return err
		}
		return exitFailure
	}
	fmt.Fprintln(i.out, printable("cannot be decoded: "+err.Error()))
	return exitFailure
}

func (i *inspection) print(v *view) {
	now := i.now.clock(i.process.now)()
	fmt.Fprintln(i.out, notVerified)
	for n, c := range v.Certificates {
		fmt.Fprintf(i.out, "\nCertificate %d of %d\n", n+1, len(v.Certificates))
		t := table{indent: "  "}
		c.rows(&t)
		c.times.rows(&t, now)
		t.claims("other claim", c.Claims)
		fmt.Fprint(i.out, t.String())
	}
	fmt.Fprint(i.out, "\nAssertion\n")
	t := table{indent: "  "}
	t.row("for site", v.Assertion.Audience)
	t.row("signature", v.Assertion.Algorithm)
	v.Assertion.times.rows(&t, now)
	t.claims("other claim", v.Assertion.Claims)
	fmt.Fprintf(i.out, "%s\n%s\n", t.String(), notVerified)
}

func (c *certificateView) rows(t *table) {
	t.row("issued by", c.Issuer)
	switch {
	case c.PrincipalFault != "":
		t.row("certifies", c.PrincipalFault)
	case c.Host != "":
		t.row("certifies host", c.Host)
	case c.Email != "":
		t.row("certifies email", c.Email)
	default:
		t.row("certifies", "no email")
	}
	if c.Key != nil {
		t.row("certified key", c.Key.String())
	} else {
		t.row("certified key", c.KeyFault)
	}
	t.row("signature", c.Algorithm)
}

func (v times) rows(t *table, now time.Time) {
	if v.IssuedAt != nil {
		t.row("issued", sinceOrUntil(time.UnixMilli(*v.IssuedAt), now))
	}
	if v.NotBefore != nil {
		t.row("not before", sinceOrUntil(time.UnixMilli(*v.NotBefore), now))
	}
	expires := sinceOrUntil(time.UnixMilli(v.Expires), now)
	if v.Expired {
		expires += " EXPIRED"
	}
	t.row("expires", expires)
}
