package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/internal/sniff"
)

const verifyHelp = `Verifies one backed assertion, certificate~assertion, or one token of the Email
Verification Protocol (EVP, experimental), as a browser sends it. It is read from FILE, or from
standard input if FILE is "-" or absent. verify is the default command; write ./verify for a
file that is named like a command.`

// verifyManual is the rest of its help and of its man page.
var verifyManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Verify an assertion in a file", Lines: "vepverify assertion.txt --audience https://rp.example"},
		{For: "Verify an assertion in the clipboard (macOS), and show each check", Lines: "pbpaste | vepverify --audience https://rp.example --explain"},
		{For: "Verify an old assertion as of a day when it was valid, with keys from a file", Lines: "vepverify old.txt --audience https://rp.example --keys keys.json --now 2013-01-01T00:00:00Z"},
		{For: "Verify a token that a form has submitted", Lines: `vepverify token.txt --audience https://rp.example --nonce="$NONCE" --email ada@mail.example`},
	},
	Notes: `A token needs --nonce: the nonce that the page gave to the browser. --email is the address
that the user submitted, if it is known. --audience must be the exact origin. Flags that are for
one of the two protocols only are refused for the other.

Answer, one line on standard output:
  {"status":"okay","email":…,"audience":…,"expires":…,"issuer":…}
  {"status":"failure","reason":…}
  {"status":"failure","reason":…,"undecided":true}    an issuer cannot be reached: try later

If the input is something else, such as a file in UTF-16 or a private key, one line on
standard error says so.`,
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "okay: the assertion or the token proves the address"},
		{Status: cli.ExitFailure, Meaning: "failure: it is refused"},
		{Status: cli.ExitUndecided, Meaning: "undecided: an issuer could not be reached; try again later"},
		{Status: cli.ExitUsage, Meaning: "wrong usage or empty input, with nothing on standard output"},
	},
	Detail: `# What is verified

An assertion is accepted if it is well formed and within its times, if its audience is one of
--audience, if its signatures are valid, and if its issuer is the authority for the domain of
the address. The authority is the domain itself, or the host to which the domain delegates.
The issuer's keys are fetched over HTTPS from its support document, and kept in no file.

The answer says which address was proved, to which audience, by which issuer, and until when
(expires, in milliseconds since 1970). A failure has a reason. It is undecided if trying again
later can help, because an issuer could not be reached.

The command does not remember assertions: the same one is accepted again until it expires.
vepverify-serve(1) has --replay.`,
	Flags: map[string]string{
		"audience": `An assertion that was made for another site is a failure. Give the flag several times if the
site has several origins.`,
		"nonce": `Text that the site has made for this visitor and put into the form. A token with another nonce
is a failure. It may begin with "-": write --nonce=VALUE.`,
		"email": `A token for another address is a failure. Without this flag, the answer says which address the
token proves, and your program must compare.`,
		"explain": `For each check, it prints what was compared and how long it took. For a failure, it prints the
likely cause and what to do. The answer on standard output stays the same.`,
	},
	FlagGroups:  append([]cli.FlagGroup{cli.FormatFlags}, verifier.Groups...),
	Environment: terminalVariables,
	SeeAlso:     []string{"inspect", "lookup", "batch", "serve"},
	Documents:   []string{"docs/PROTOCOL.md", "docs/EVP.md"},
}

// verifyCmd is the command verify with its flags.
type verifyCmd struct {
	verifier.Flags
	verifier.EVP
	audiences    cli.List
	nonce, email string
	explain      bool
	format       cli.Format
}

func verifyCommand() *cli.Command {
	cmd := &verifyCmd{Flags: verifier.New(), format: cli.NewFormat(cli.FormatJSON)}
	return &cli.Command{
		Name: "verify", Usage: "verify an assertion or a token (the default command)",
		Arguments: "[FILE|-]", Help: verifyHelp, Manual: verifyManual, Flags: cmd.flags(), Run: cmd.run,
	}
}

func (cmd *verifyCmd) flags() []cli.Flag {
	own := []cli.Flag{
		cli.Value(&cmd.audiences, "audience", "your site's `ORIGIN`, such as https://rp.example (needed, repeatable)"),
		cli.Secret(cli.Text(&cmd.nonce, "nonce", "`NONCE` that the page gave to the browser (needed for a token)")),
		cli.Text(&cmd.email, "email", "`ADDRESS` that the user submitted, which a token must prove"),
		cli.Switch(&cmd.explain, "explain", "explain each check on standard error"),
	}
	return slices.Concat(own, cmd.format.Flags(), cmd.Flags.Flags(), cmd.EVP.Flags())
}

func (cmd *verifyCmd) run(ctx context.Context, c *cli.Call) error {
	if len(c.Args) == 1 {
		if err := cli.CheckFileName(c.Args[0]); err != nil {
			return err
		}
	}
	if len(cmd.audiences) == 0 {
		return c.UsageErrorf("--audience is missing: your site's origin, such as --audience https://rp.example")
	}
	if err := verifier.CheckAudiences(c, cmd.audiences); err != nil {
		return err
	}
	text, err := readAssertion(ctx, c)
	if err != nil {
		return err
	}
	a := &adviser{keys: cmd.Keys, input: sniff.Of(text), now: c.Now()}
	verify := cmd.verifyAssertion
	if isToken(text, a.input) || c.Given("nonce") && !isOfAssertion(a.input) {
		verify = cmd.verifyToken
	}
	res, err := verify(ctx, c, text, a)
	if err := cli.Interrupted(ctx); err != nil {
		return err
	}
	return cmd.answer(c, res, err, a)
}

// okay is the result of a verification, which marshals to the answer.
type okay interface {
	// summary returns the result in one line.
	summary() string
	// rows adds what else there is to tell to a table.
	rows(t *cli.Table, now time.Time)
}

// okayAssertion is the result for an assertion.
type okayAssertion struct{ *assertion.Result }

func (r okayAssertion) summary() string { return verifier.Summary(r.Result, nil) }

func (r okayAssertion) rows(t *cli.Table, now time.Time) {
	t.Row("issuer", r.Issuer)
	t.Row("expires", cli.FormatTime(r.Expires, now))
	addClaims(t, "issuer's claim", r.IDPClaims)
	addClaims(t, "user's claim", r.UserClaims)
}

// verifyAssertion verifies an assertion of BrowserID. An error that has no answer is about the
// flags.
func (cmd *verifyCmd) verifyAssertion(ctx context.Context, c *cli.Call, text string, a *adviser) (okay, error) {
	if err := cmd.refuseTokenFlags(c); err != nil {
		return nil, err
	}
	v, err := cmd.Verifier(c)
	if err != nil {
		return nil, err
	}
	if !cmd.explain {
		res, err := v.Verify(ctx, text, cmd.audiences...)
		return okayAssertion{res}, err
	}
	e := v.Explain(ctx, text, cmd.audiences...)
	if ctx.Err() == nil {
		printExplanation(c, e.Steps, e.Err != nil, summaryOf(okayAssertion{e.Result}, e.Err), a)
	}
	return okayAssertion{e.Result}, e.Err
}

// summaryOf returns the answer in one line, or "" for an error that has no answer.
func summaryOf(res okay, err error) string {
	failure := assertion.Failure(err)
	switch {
	case err == nil:
		return res.summary()
	case failure == nil: // misuse: the command ends with this error
		return ""
	}
	return verifier.Summary(nil, failure)
}

// readAssertion reads the assertion from the file that the argument names, or from
// standard input for "-" and for no argument. It removes one line break at the end, which
// editors and shells write. If the file is too large, it returns only the beginning, which
// package assertion refuses as too large.
func readAssertion(ctx context.Context, c *cli.Call) (string, error) {
	if len(c.Args) > 1 {
		return "", c.UsageErrorf("one file at a time, not %d", len(c.Args))
	}
	name := "-"
	if len(c.Args) == 1 {
		name = c.Args[0]
	} else if cli.IsTerminal(c.In) {
		return "", c.UsageErrorf("no assertion: name the file that holds it, or \"-\" to type it")
	}
	data, err := c.ReadUpTo(ctx, name, assertion.MaxSize+int64(len("\r\n"))+1)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w (nor is it a command: vepverify help lists them)", err)
		}
		return "", err
	}
	text, cut := strings.CutSuffix(string(data), "\n")
	if cut {
		text = strings.TrimSuffix(text, "\r")
	}
	if strings.TrimSpace(text) == "" {
		return "", fmt.Errorf("%s is empty: %s", cli.FileName(name), sniff.Empty.Advice())
	}
	return text, nil
}

// answer prints the result of a verification and returns its exit status.
func (cmd *verifyCmd) answer(c *cli.Call, res okay, err error, a *adviser) error {
	if err == nil {
		if cmd.format.JSON() {
			return c.PrintJSON(res)
		}
		cmd.printResult(c, res)
		return nil
	}
	failure := assertion.Failure(err)
	if failure == nil {
		return err
	}
	if !cmd.format.JSON() {
		printFailure(c, failure, err, a)
	} else if err := c.PrintJSON(failure); err != nil {
		return err
	}
	if cmd.format.JSON() && !cmd.explain {
		a.printNote(c)
	}
	if failure.Undecided {
		return cli.ExitUndecided
	}
	return cli.ExitFailure
}

// printResult prints a valid assertion or token in words.
func (cmd *verifyCmd) printResult(c *cli.Call, res okay) {
	fmt.Fprintln(c.Out, res.summary())
	t := cli.Table{Indent: "  "}
	res.rows(&t, cmd.Now.Clock(c.Now)())
	fmt.Fprint(c.Out, t.String())
}

// printFailure prints a failure in words.
func printFailure(c *cli.Call, failure *assertion.FailureAnswer, err error, a *adviser) {
	fmt.Fprintln(c.Out, verifier.Summary(nil, failure))
	if d := detailOf(err); d != nil {
		t := cli.Table{Indent: "  "}
		a.addDetail(&t, d)
		fmt.Fprint(c.Out, t.String())
	}
}

// addClaims adds a row for each claim, in the order of their names.
func addClaims(t *cli.Table, label string, claims map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		t.Row(label, cli.Shorten(name, 80)+" = "+cli.Shorten(string(claims[name]), 300))
	}
}
