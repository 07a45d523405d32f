// Package request is the command request: one HTTP request, signed by an
// identity with package vepauth.
package request

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/vepauth"
)

const help = `Sends one HTTP request. If the server asks for credentials of the schemes OAuth+VEP or
MAC+BrowserID, the command makes an assertion for the site from an identity file, exchanges
it for credentials at the site's token endpoint, signs the request with them, and sends it
again (docs/VEPAUTH.md). The URL must be https, or http for localhost, 127.0.0.1 or ::1.
Nothing in its path and query is encoded: write %20 for a space. Redirects are not followed.`

// manual is the rest of its help and of its man page.
var manual = cli.Manual{
	Examples: []cli.Example{
		{For: "Request a resource", Lines: "vepverify request https://rp.example/data --identity ada.json"},
		{For: "The same, with an explanation of each step", Lines: "vepverify request https://rp.example/data --identity ada.json --explain"},
		{For: "Send a form", Lines: "vepverify request https://rp.example/notes --identity ada.json -d title=Hello -d tag=new"},
		{For: "Delete a resource, and show the status and headers of the answer", Lines: "vepverify request https://rp.example/notes/1 --identity ada.json -X DELETE -i"},
	},
	Notes: `The body of the answer is written as it is received. If the signed request gets no
answer, standard output has one of these lines instead:
  {"status":"failure","reason":…}
  {"status":"failure","reason":…,"undecided":true}    try later`,
	ExitNote: "by the HTTP status of the answer",
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "status 1xx to 3xx"},
		{Status: cli.ExitFailure, Meaning: "status 4xx, or the server issued no credentials"},
		{Status: cli.ExitUndecided, Meaning: "status 429 or 5xx, or no answer, or an answer that was cut off (see standard error)"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, an identity that cannot be read or has expired"},
	},
	Flags: map[string]string{
		"method": `Methods are in capital letters. The request is sent a second time if the server asks for
credentials.`,
		"data": `As curl does, several values are joined by &, and the header Content-Type says that the body
is a form unless --header sets it. Nothing in the values is encoded.`,
		"header": `Authorization, Host, and headers that describe the connection cannot be set.`,
		"output": `The file is replaced if it exists.`,
		"explain": `It prints each request and response, with its headers about credentials, and what the command
does in between.`,
		"timeout": `An answer that has begun may take longer.`,
		"ca-file": `The file holds certificates in PEM. It replaces the authorities of the system.`,
		"proxy": `A user and a password may stand in the URL, and are never shown. The variables HTTPS_PROXY and
NO_PROXY are not used.`,
		"insecure-weak-keys": `It is for test vectors.`,
	},
	SeeAlso:   []string{"certify", "assert", "curl(1)"},
	Documents: []string{"docs/VEPAUTH.md"},
}

// command is the command request with its flags.
type command struct {
	identity       string
	method, output string
	data, headers  cli.List
	include        bool
	explain        bool
	timeout        cli.Span
	caFile, proxy  string
	weakKeys       bool
}

// Command returns the command request.
func Command() *cli.Command {
	r := &command{timeout: cli.Span(30 * time.Second)}
	return &cli.Command{
		Name: "request", Usage: "send a request, signed with an identity",
		Arguments: "URL", Help: help, Manual: manual, Run: r.run,
		Flags: []cli.Flag{
			cli.Text(&r.identity, "identity", "the identity, a `FILE` of certify (needed)"),
			cli.Short("X", cli.Text(&r.method, "method", "the request's `METHOD`; GET, or POST with --data")),
			cli.Short("d", cli.Secret(cli.Value(&r.data, "data", "the body, a form: `TEXT`, @FILE without its line breaks, or @- (repeatable: joined by &)"))),
			cli.Short("H", cli.Secret(cli.Value(&r.headers, "header", "a `HEADER` such as 'Accept: text/html' (repeatable)"))),
			cli.Short("o", cli.Text(&r.output, "output", "write the answer to `FILE`")),
			cli.Short("i", cli.Switch(&r.include, "include", "write the answer's status and headers, too")),
			cli.Switch(&r.explain, "explain", "explain on standard error what is sent and received, without secrets"),
			cli.Value(&r.timeout, "timeout", "`TIME` until the answer begins"),
			cli.Text(&r.caFile, "ca-file", "trust the certificate authorities in `FILE` (PEM), not the system's"),
			cli.Secret(cli.Text(&r.proxy, "proxy", "send requests through the proxy at `URL` (http, https, socks5, socks5h), except to this machine")),
			identity.WeakKeysFlag(&r.weakKeys),
		},
	}
}

func (r *command) run(ctx context.Context, c *cli.Call) error {
	switch {
	case len(c.Args) != 1:
		return c.UsageErrorf("one URL, such as https://rp.example/data, not %d", len(c.Args))
	case r.identity == "":
		return c.UsageErrorf("--identity is missing")
	case r.timeout == 0:
		return c.UsageErrorf("--timeout 0 leaves no time for an answer")
	}
	if err := r.checkOutput(c); err != nil {
		return err
	}
	req, err := r.build(ctx, c)
	if err != nil {
		return err
	}
	id, err := identity.Read(ctx, c.Process, r.identity, r.weakKeys)
	if err != nil {
		return err
	}
	if err := id.Check(c.Now()); err != nil {
		return fmt.Errorf("%s: %w", cli.FileName(r.identity), err)
	}
	base, err := r.transport(c)
	if err != nil {
		return err
	}
	defer base.CloseIdleConnections()
	x := &exchange{command: r, Process: c.Process, id: id, base: base}
	return x.do(ctx, req, &vepauth.Transport{Assertion: x.assertion, Base: x, Now: c.Now})
}

// checkOutput refuses --output json and --output text, which other commands have. It
// ignores such a value of VEPVERIFY_OUTPUT, which is for them.
func (r *command) checkOutput(c *cli.Call) error {
	if r.output != cli.FormatJSON && r.output != cli.FormatText {
		return nil
	}
	if c.Given("output") {
		return c.UsageErrorf("--output %s: here, --output names a file, and the answer is written as the server sent it; write ./%[1]s for a file of that name", r.output)
	}
	r.output = ""
	return nil
}

// errTimeout is the cause with which a request is canceled after --timeout.
var errTimeout = errors.New("no answer in time")

// do sends the request and writes the response. The timeout applies until the
// response begins.
func (x *exchange) do(ctx context.Context, req *http.Request, transport http.RoundTripper) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(time.Duration(x.timeout), func() { cancel(errTimeout) })
	res, err := transport.RoundTrip(req.WithContext(ctx))
	timer.Stop()
	if err != nil {
		return x.fail(ctx, err)
	}
	defer res.Body.Close()
	x.explainEnd(res)
	if err := x.write(ctx, res); err != nil {
		return err
	}
	x.note(res)
	return exitStatus(res.StatusCode).Err()
}

// exitStatus returns the exit status for the HTTP status of a response.
func exitStatus(code int) cli.Status {
	switch {
	case code < 400:
		return cli.ExitOkay
	case code == http.StatusTooManyRequests || code >= 500:
		return cli.ExitUndecided
	}
	return cli.ExitFailure
}

// note writes a line on standard error about a response whose body perhaps does not tell
// what to do.
func (x *exchange) note(res *http.Response) {
	text := ""
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized && !x.asked:
		text = "status 401: the server asked for no credentials of OAuth+VEP or MAC+BrowserID, so the request was not signed"
	case code == http.StatusUnauthorized:
		text = "status 401: the server refused the signed request; docs/VEPAUTH.md lists the causes (When a signature is refused)"
	case code >= 301 && code <= 308 && res.Header.Get("Location") != "":
		text = fmt.Sprintf("status %d: redirects are not followed; -i shows the header Location", code)
	default:
		return
	}
	fmt.Fprintf(x.Err, "%s: %s\n", cli.Program, text)
}

// write writes the response while it is received. The result of a response that is
// cut off is undecided.
func (x *exchange) write(ctx context.Context, res *http.Response) error {
	to := x.Out
	var file *os.File
	if x.output != "" && x.output != "-" {
		var err error
		if file, err = os.Create(x.output); err != nil {
			return cli.WriteError(x.output, err)
		}
		to = file
	}
	body := &bodyReader{Reader: res.Body}
	err := x.copyResponse(to, res, body)
	if file != nil {
		err = errors.Join(err, file.Close())
	}
	if stopped := x.interrupted(ctx); stopped != nil {
		return stopped
	}
	switch {
	case body.err != nil:
		fmt.Fprintf(x.Err, "%s: the answer was cut off: %s\n", cli.Program, x.reasonOf(ctx, body.err))
		return cli.ExitUndecided
	case err != nil:
		return cli.WriteError(x.output, err)
	}
	return nil
}

// copyResponse writes the body, and with --include the status and the headers
// before it.
func (x *exchange) copyResponse(to io.Writer, res *http.Response, body io.Reader) error {
	if x.include {
		head := bufio.NewWriter(to)
		fmt.Fprintf(head, "%s %s\r\n", res.Proto, res.Status)
		res.Header.Write(head)
		head.WriteString("\r\n")
		if err := head.Flush(); err != nil {
			return err
		}
	}
	_, err := io.Copy(to, body)
	return err
}

// bodyReader keeps the error of reading a body apart from errors of writing it.
type bodyReader struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (r *bodyReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// interrupted returns the status with which the command ends if a signal, and not the
// timeout, has ended ctx.
func (x *exchange) interrupted(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errTimeout) {
		return nil
	}
	return cli.Interrupted(ctx)
}

// fail prints a failure in place of the response. It returns the error if the
// request could not be sent at all.
func (x *exchange) fail(ctx context.Context, err error) error {
	var network *networkError
	var refused *vepauth.TokenError
	failure := new(assertion.FailureAnswer)
	if stopped := x.interrupted(ctx); stopped != nil {
		return stopped
	}
	switch {
	case ctx.Err() != nil || errors.As(err, &network):
		failure.Reason, failure.Undecided = x.reasonOf(ctx, err), true
	case errors.As(err, &refused):
		failure.Reason = err.Error()
		if x.refusal != "" {
			failure.Reason += ": " + x.refusal
		}
		failure.Undecided = refused.Status == 0 || exitStatus(refused.Status) == cli.ExitUndecided
	case errors.Is(err, vepauth.ErrChallenge):
		failure.Reason = err.Error()
	default:
		return fmt.Errorf("the request cannot be signed: %w", err)
	}
	failure.Reason = cli.Shorten(failure.Reason, 1000)
	if err := x.PrintJSON(failure); err != nil {
		return err
	}
	if failure.Undecided {
		return cli.ExitUndecided
	}
	return cli.ExitFailure
}

// reasonOf returns the reason why the response is missing or incomplete. It has no
// text of the server.
func (x *exchange) reasonOf(ctx context.Context, err error) string {
	if errors.Is(context.Cause(ctx), errTimeout) {
		return "no answer within " + x.timeout.String()
	}
	var network *networkError
	if errors.As(err, &network) {
		return network.Error()
	}
	return networkReason(err)
}
