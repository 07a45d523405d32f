package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/signals"
	"github.com/vepverify/vepverify/devidp"
)

const help = `Serves an identity provider, a site with a sign-in button and a members' page, and a
resource for programs that sign their requests, on this machine only. Open the site in a
browser; its first page shows what happens. Nothing is fetched from elsewhere or written to
disk. SIGINT (Ctrl-C), SIGTERM or SIGHUP ends it.

With --evp, the demo is of the Email Verification Protocol, which is experimental: a site, a
mail provider that issues tokens, and DNS answers. It prints the command line with which
Chromium finds them, or starts Chromium itself (--open). The folder of the browser's profile
is removed at the end.`

// manual is the rest of its help and of its man page.
var manual = cli.Manual{
	Examples: []cli.Example{
		{For: "Show sign-in with BrowserID", Lines: "vepverify demo"},
		{For: "The same at other ports", Lines: "vepverify demo --port 9000"},
		{For: "Show the Email Verification Protocol in Chromium", Lines: "vepverify demo --evp --open"},
	},
	Notes: `The provider listens on port 8400 and the site on 8401, or on free ports if these are
taken. With --port 9000 they listen on 9000 and 9001, or the demo ends. With --evp, everything
is on the first of these ports.`,
	Trouble: []cli.Entry{
		{Name: "the browser is on another machine", Text: "Run the ssh line that the demo prints on that machine. The ports must have the same numbers there; choose others with --port."},
		{Name: "the demo runs in a container", Text: "It listens on the container's own loopback interface, so published ports do not reach it. Share the network of the host: docker run --network host."},
		{Name: `"secure connection failed", "SSL protocol error"`, Text: "The addresses begin with http://, not https://. If the browser is in HTTPS-only mode, make an exception for localhost."},
		{Name: `"localhost" is not found`, Text: "The system's file of hosts needs the line: 127.0.0.1 localhost. The name idp.localhost need not resolve: it occurs in email addresses only."},
		{Name: "no window opens", Text: "The browser has blocked it. Allow pop-ups for the site."},
		{Name: `"your browser blocks cookies"`, Text: "The site needs a cookie to keep you signed in. Allow cookies for localhost."},
		{Name: "there is no browser", Text: "The lines that the demo prints for a terminal need none."},
		{Name: "Chromium sends no token (--evp)", Text: `The page that asks for a code shows what Chromium has asked. Chromium must be of version 153 or later, started with exactly the line that the demo prints, and not be running with that profile already. "Unsupported command-line flag" is expected.`},
	},
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "stopped by a signal, or the browser of --open was closed"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, cannot listen, or the browser cannot be started"},
	},
	Flags: map[string]string{
		"open": `Chromium or Chrome must be installed, in version 153 or later. The profile is new, and is
removed at the end.`,
	},
	SeeAlso:   []string{"idp", "request", "verify"},
	Documents: []string{"docs/DEMO.md", "docs/LOGIN.md", "docs/VEPAUTH.md", "docs/EVP.md"},
}

// defaultPort is the provider's port that is tried first. With the same ports as in the
// previous run, the provider and the site have the same origins, so that bookmarks and
// open pages work.
const defaultPort = 8400

// command is the command demo with its flags.
type command struct {
	port cli.Count // of the provider; the site has the next one
	evp  bool
	open bool
}

// Command returns the command demo.
func Command() *cli.Command {
	d := &command{port: cli.Count{N: defaultPort, Low: 0, High: 65534}}
	return &cli.Command{
		Name: "demo", Usage: "try it all in a browser: provider, site, signed requests",
		Help: help, Manual: manual, Run: d.run,
		Flags: []cli.Flag{
			cli.Value(&d.port, "port", "`PORT` of the provider; the site has the next one; 0: free ones"),
			cli.Switch(&d.evp, "evp", "try the Email Verification Protocol (experimental)"),
			cli.Switch(&d.open, "open", "with --evp: start Chromium with a new profile"),
		},
	}
}

// run serves one of the demos until ctx ends.
func (d *command) run(ctx context.Context, c *cli.Call) error {
	if len(c.Args) > 0 {
		return c.UsageErrorf("demo takes no arguments")
	}
	if d.open && !d.evp {
		return c.UsageErrorf("--open needs --evp")
	}
	ctx, stop := signals.UntilHangup(ctx, c.Err)
	defer stop()
	if d.evp {
		return d.runEVP(ctx, c)
	}
	return d.runBrowserID(ctx, c)
}

// runBrowserID serves the identity provider and the site until ctx ends.
func (d *command) runBrowserID(ctx context.Context, c *cli.Call) error {
	provider, err := devidp.New(devidp.Config{Now: c.Now})
	if err != nil {
		return err
	}
	providerListener, err := d.listen(c, "identity provider", 0)
	if err != nil {
		return err
	}
	defer providerListener.Close()
	siteListener, err := d.listen(c, "site", 1)
	if err != nil {
		return err
	}
	defer siteListener.Close()
	site, err := New(Config{
		Provider: provider, ProviderOrigin: servers.LocalOrigin(providerListener), Origin: servers.LocalOrigin(siteListener),
		Command: cli.Invocation(os.Args[0]), Now: c.Now, Logger: slog.New(slog.NewTextHandler(c.Err, nil)),
	})
	if err != nil {
		return err
	}
	if err := announce(c, site, providerListener, siteListener); err != nil {
		return err
	}
	return servers.Run(ctx, map[net.Listener]*http.Server{
		servers.NoteTLS(providerListener, c.Err): servers.NewLocal(provider),
		servers.NoteTLS(siteListener, c.Err):     servers.NewLocal(site),
	}, nil)
}

// listen listens on the port of a server, which is the first port plus offset. If that
// fails and --port is not given, listen prints a note and listens on a free one.
func (d *command) listen(c *cli.Call, server string, offset int) (net.Listener, error) {
	if d.port.N == 0 {
		return servers.ListenLocal(0)
	}
	l, err := servers.ListenLocal(d.port.N + offset)
	switch {
	case err == nil:
		return l, nil
	case c.Given("port"):
		return nil, fmt.Errorf("%w (see --port; without it, free ones are used)", err)
	}
	free, freeErr := servers.ListenLocal(0)
	if freeErr != nil {
		return nil, freeErr
	}
	fmt.Fprintf(c.Err, "NOTE: %v. The %s of this demo is at %s\n", err, server, servers.LocalOrigin(free))
	return free, nil
}

// announce prints the warning, the URLs, and the commands for the protected resource and
// for a browser on another machine. The listeners are those of the provider and the site.
func announce(c *cli.Call, site *Site, provider, own net.Listener) error {
	fmt.Fprintln(c.Err, "WARNING: "+site.config.Provider.Warning())
	_, err := fmt.Fprintf(c.Out, `Open this page in a browser: %s/

identity provider:  %s
protected resource: %s

To reach the protected resource, in another terminal:
  %s

If the browser is on another machine, run this there first; HOST is this machine:
  ssh -N %s %s HOST

Ctrl-C ends the demo. If something does not work: %s help demo
`, site.config.Origin, site.config.ProviderOrigin, site.Resource(), strings.Join(site.Program(), "\n  "),
		servers.SSHForward(provider), servers.SSHForward(own), site.config.Command)
	return err
}
