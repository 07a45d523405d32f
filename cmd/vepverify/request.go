package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/urfave/cli/v2"
)

const requestHelp = `Sends one request to a server that signs in programs, as docs/VEPAUTH.md explains: asked
for credentials, it makes an assertion for the site from an identity file, exchanges it at
the site's token endpoint, and sends the request again, signed. OAuth+VEP and MAC+BrowserID.
The URL is https, or http at localhost, 127.0.0.1 or ::1. Redirects are not followed.

Examples:
  vepverify request https://rp.example/data --identity ada.json
  vepverify request https://rp.example/data --identity ada.json --explain
  vepverify request https://rp.example/notes --identity ada.json -d title=Hello -d tag=new
  vepverify request https://rp.example/notes/1 --identity ada.json -X DELETE -i

The body of the answer is written as it comes. When there is no answer to the signed
request, standard output has one line instead:
  {"status":"failure","reason":…}
  {"status":"failure","reason":…,"undecided":true}    try later

Exit status, by the answer:
  0 status 1xx to 3xx   1 status 4xx, or no credentials were to be had
  3 status 429 or 5xx, or no answer, or one that was cut off (said on standard error)
  2 usage, an identity that cannot be read or has expired`

// exchange is the command request.
type exchange struct {
	*process
	identity       string
	method, output string
	data, headers  list
	include        bool
	explain        bool
	timeout        span
	caFile, proxy  string
	weakKeys       bool

	asked  bool   // the server has asked for credentials
	reason string // what its token endpoint gives for refusing
}

func requestCommand(p *process) *cli.Command {
	x := &exchange{process: p, timeout: span(30 * time.Second)}
	return &cli.Command{
		Name: "request", Usage: "send a request that signs in by itself",
		ArgsUsage: "URL", Description: requestHelp, Action: x.run,
		Flags: []cli.Flag{
			textFlag(&x.identity, "identity", "the identity, a `FILE` of certify (needed)"),
			short("X", textFlag(&x.method, "method", "the request's `METHOD`; GET, or POST with --data")),
			short("d", valueFlag(&x.data, "data", "the body, a form: `TEXT`, @FILE without its line breaks, or @- (repeatable: joined by &)")),
			short("H", valueFlag(&x.headers, "header", "a `HEADER` such as 'Accept: text/html' (repeatable)")),
			short("o", textFlag(&x.output, "output", "write the answer to `FILE`")),
			short("i", switchFlag(&x.include, "include", "write the answer's status and headers, too")),
			switchFlag(&x.explain, "explain", "tell on standard error what is sent and answered, without secrets"),
			valueFlag(&x.timeout, "timeout", "`TIME` until the answer begins"),
			textFlag(&x.caFile, "ca-file", "trust the certificate authorities in `FILE` (PEM), not the system's"),
			textFlag(&x.proxy, "proxy", "go through the proxy at `URL` (http, https, socks5), but not to this machine"),
			switchFlag(&x.weakKeys, "insecure-weak-keys", "allow keys that anyone can break (RS64)"),
		},
	}
}

func (x *exchange) run(c *cli.Context) error {
	switch {
	case c.NArg() != 1:
		return usageError(c, "one URL, such as https://rp.example/data, not %d", c.NArg())
	case x.identity == "":
		return usageError(c, "--identity is missing")
	case x.timeout == 0:
		return usageError(c, "--timeout 0 leaves no time for an answer")
	}
	r, err := x.request(c)
	if err != nil {
		return err
	}
	id, err := x.readIdentity(c.Context, x.identity, x.weakKeys)
	if err != nil {
		return err
	}
	if err := id.usable(x.now()); err != nil {
		return fmt.Errorf("%s: %w", nameOf(x.identity), err)
	}
	transport, err := x.transport(c, id)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	return x.do(c, r, transport)
}

// errPatience ends a request that is not answered in time.
var errPatience = errors.New("no answer in time")

// do sends the request, and writes the answer, which may take as long as it likes
// once it has begun.
func (x *exchange) do(c *cli.Context, r *http.Request, transport http.RoundTripper) error {
	ctx, cancel := context.WithCancelCause(c.Context)
	defer cancel(nil)
	patience := time.AfterFunc(time.Duration(x.timeout), func() { cancel(errPatience) })
	res, err := transport.RoundTrip(r.WithContext(ctx))
	patience.Stop()
	if err != nil {
		return x.unanswered(ctx, err)
	}
	defer res.Body.Close()
	x.tellEnd(res)
	if err := x.write(ctx, res); err != nil {
		return err
	}
	return answerStatus(res.StatusCode).result()
}

// answerStatus gives the exit status for an answer's.
func answerStatus(code int) status {
	switch {
	case code < 400:
		return exitOkay
	case code == http.StatusTooManyRequests || code >= 500:
		return exitUndecided
	}
	return exitFailure
}
