package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/sniff"
)

const inspectHelp = `Decodes a backed assertion, or a token of the Email Verification Protocol, and shows the
user, the issuer, the site, the times and the keys that it names. No signature, audience or
issuer is checked: anyone can write such a text. Use verify to check it. Nothing is fetched.`

// inspectManual is the rest of its help and of its man page.
var inspectManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Show an assertion or a token", Lines: "vepverify inspect assertion.txt"},
		{For: "The same for programs, from standard input", Lines: "vepverify inspect --json - < assertion.txt"},
	},
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "it could be decoded"},
		{Status: cli.ExitFailure, Meaning: "it is malformed"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, unreadable file"},
	},
	FlagGroups: []cli.FlagGroup{cli.FormatFlags},
	Flags: map[string]string{"now": `The text says of each time whether it is past. Without this flag it is compared with the
clock.`},
	SeeAlso:   []string{"verify"},
	Documents: []string{"docs/PROTOCOL.md", "docs/EVP.md"},
}

// notVerified is the first and the last line of the output.
const notVerified = "NOT VERIFIED: anyone can write such a text. Use vepverify verify to check it."

// inspectCmd is the command inspect with its flags.
type inspectCmd struct {
	now    cli.Instant
	format cli.Format
}

func inspectCommand() *cli.Command {
	i := &inspectCmd{format: cli.NewFormat(cli.FormatText)}
	return &cli.Command{
		Name: "inspect", Usage: "show what an assertion or a token says, without checking it",
		Arguments: "[FILE|-]", Help: inspectHelp, Manual: inspectManual, Run: i.run,
		Flags: append(i.format.Flags(),
			cli.Value(&i.now, "now", "show what has expired as of `TIME`: 2026-01-31T12:00:00Z or milliseconds since 1970"),
		),
	}
}

func (i *inspectCmd) run(ctx context.Context, c *cli.Call) error {
	text, err := readAssertion(ctx, c)
	if err != nil {
		return err
	}
	if isToken(text, sniff.Of(text)) {
		return i.inspectToken(c, text)
	}
	b, err := assertion.Parse(text)
	if err != nil {
		return i.refuse(c, err, &adviser{input: sniff.Of(text)})
	}
	v := viewOf(b, i.now.Clock(c.Now)().UnixMilli())
	if i.format.JSON() {
		return c.PrintJSON(v)
	}
	i.print(c, v)
	return nil
}

// refuse prints the error of an assertion that cannot be decoded.
func (i *inspectCmd) refuse(c *cli.Call, err error, a *adviser) error {
	d := detailOf(err)
	if d == nil {
		return err
	}
	if i.format.JSON() {
		failed := map[string]any{"verified": false, "error": err.Error(), "found": d.Found, "advice": a.advice(d)}
		if err := c.PrintJSON(failed); err != nil {
			return err
		}
		return cli.ExitFailure
	}
	fmt.Fprintln(c.Out, cli.Printable("cannot be decoded: "+err.Error()))
	t := cli.Table{Indent: "  "}
	a.addDetail(&t, d)
	fmt.Fprint(c.Out, t.String())
	return cli.ExitFailure
}

// print prints the view for people.
func (i *inspectCmd) print(call *cli.Call, v *view) {
	now := i.now.Clock(call.Now)()
	fmt.Fprintln(call.Out, notVerified)
	for n, c := range v.Certificates {
		fmt.Fprintf(call.Out, "\nCertificate %d of %d\n", n+1, len(v.Certificates))
		t := cli.Table{Indent: "  "}
		c.rows(&t)
		c.times.rows(&t, now)
		addClaims(&t, "other claim", c.Claims)
		fmt.Fprint(call.Out, t.String())
	}
	fmt.Fprint(call.Out, "\nAssertion\n")
	t := cli.Table{Indent: "  "}
	t.Row("for site", v.Assertion.Audience)
	t.Row("signature", v.Assertion.Algorithm)
	v.Assertion.times.rows(&t, now)
	addClaims(&t, "other claim", v.Assertion.Claims)
	fmt.Fprintf(call.Out, "%s\n%s\n", t.String(), notVerified)
}

func (c *certificateView) rows(t *cli.Table) {
	t.Row("issued by", c.Issuer)
	switch {
	case c.PrincipalError != "":
		t.Row("certifies", c.PrincipalError)
	case c.Host != "":
		t.Row("certifies host", c.Host)
	case c.Email != "":
		t.Row("certifies email", c.Email)
	default:
		t.Row("certifies", "no email")
	}
	if c.Key != nil {
		t.Row("certified key", c.Key.String())
	} else {
		t.Row("certified key", c.KeyError)
	}
	t.Row("signature", c.Algorithm)
}

func (v times) rows(t *cli.Table, now time.Time) {
	if v.IssuedAt != nil {
		t.Row("issued", cli.FormatTime(time.UnixMilli(*v.IssuedAt), now))
	}
	if v.NotBefore != nil {
		t.Row("not before", cli.FormatTime(time.UnixMilli(*v.NotBefore), now))
	}
	expires := cli.FormatTime(time.UnixMilli(v.Expires), now)
	if v.Expired {
		expires += " EXPIRED"
	}
	t.Row("expires", expires)
}

// view is a backed assertion as inspect shows it. The JSON form is for scripts.
// Times are milliseconds since 1970.
type view struct {
	Verified     bool               `json:"verified"` // always false
	Certificates []*certificateView `json:"certificates"`
	Assertion    assertionView      `json:"assertion"`
}

type certificateView struct {
	Issuer         string   `json:"issuer"`
	Email          string   `json:"email,omitempty"`
	Host           string   `json:"host,omitempty"`
	PrincipalError string   `json:"principalError,omitempty"`
	Key            *keyInfo `json:"publicKey,omitempty"`
	KeyError       string   `json:"publicKeyError,omitempty"`
	Algorithm      string   `json:"algorithm"`
	times
	Claims map[string]json.RawMessage `json:"claims,omitempty"`
}

type assertionView struct {
	Audience  string `json:"audience"`
	Algorithm string `json:"algorithm"`
	times
	Claims map[string]json.RawMessage `json:"claims,omitempty"`
}

type times struct {
	IssuedAt  *int64 `json:"issuedAt,omitempty"`
	NotBefore *int64 `json:"notBefore,omitempty"`
	Expires   int64  `json:"expires"`
	Expired   bool   `json:"expired"`
}

// viewOf returns the view of an assertion. now is in milliseconds since 1970.
func viewOf(b *assertion.Backed, now int64) *view {
	v := &view{Assertion: assertionView{
		Algorithm: b.Assertion.Algorithm,
		times:     timesOf(b.Assertion.Validity, now),
		Claims:    b.Assertion.Claims.Extra(),
	}}
	v.Assertion.Audience, _ = b.Assertion.Claims.Text("aud")
	for _, c := range b.Certificates {
		v.Certificates = append(v.Certificates, viewOfCertificate(c, now))
	}
	return v
}

func viewOfCertificate(c *certchain.Certificate, now int64) *certificateView {
	v := &certificateView{
		Issuer: c.Issuer, Algorithm: c.Algorithm, times: timesOf(c.Validity, now), Claims: c.Extra(),
	}
	// Weak keys are shown too, and marked as weak.
	if key, err := c.PublicKey(true); err != nil {
		v.KeyError = err.Error()
	} else {
		info := describeKey(key)
		v.Key = &info
	}
	var err error
	if v.Email, _, err = c.Email(); err != nil {
		v.PrincipalError = err.Error()
	}
	if host, err := c.Host(); err == nil {
		v.Host = host
	}
	return v
}

func timesOf(v certchain.Validity, now int64) times {
	expires := v.Expires.UnixMilli()
	return times{optionalMillis(v.IssuedAt), optionalMillis(v.NotBefore), expires, now > expires}
}

// optionalMillis returns the milliseconds since 1970, nil for the zero time.
func optionalMillis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
