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

Examples:
  vepverify demo
  vepverify demo --port 9000

The provider listens on port 8400 and the site on 8401, or on free ports if these are
taken. With --port 9000 they listen on 9000 and 9001, or the demo ends.

If something does not work:
  the browser is on another machine
      Run the ssh line that the demo prints on that machine. The ports must have the
      same numbers there; choose others with --port.
  the demo runs in a container
      It listens on the container's own loopback interface, so published ports do not
      reach it. Share the network of the host: docker run --network host.
  "secure connection failed", "SSL protocol error"
      The addresses begin with http://, not https://. If the browser is in HTTPS-only
      mode, make an exception for localhost.
  "localhost" is not found
      The system's file of hosts needs the line: 127.0.0.1 localhost. The name
      idp.localhost need not resolve: it occurs in email addresses only.
  no window opens
      The browser has blocked it. Allow pop-ups for the site.
  "your browser blocks cookies"
      The site needs a cookie to keep you signed in. Allow cookies for localhost.
  there is no browser
      The lines that the demo prints for a terminal need none.

Exit status:
  0 stopped by a signal   2 usage, cannot listen`

// defaultPort is the provider's port that is tried first. With the same ports as in the
// previous run, the provider and the site have the same origins, so that bookmarks and
// open pages work.
const defaultPort = 8400

// command is the command demo with its flags.
type command struct {
	port cli.Count // of the provider; the site has the next one
}

// Command returns the command demo.
func Command() *cli.Command {
	d := &command{port: cli.Count{N: defaultPort, Low: 0, High: 65534}}
	return &cli.Command{
		Name: "demo", Usage: "try it all in a browser: provider, site, signed requests",
		Help: help, Run: d.run,
		Flags: []cli.Flag{cli.Value(&d.port, "port", "`PORT` of the provider; the site has the next one; 0: free ones")},
	}
}

// run serves the provider and the site until ctx ends.
func (d *command) run(ctx context.Context, c *cli.Call) error {
	if len(c.Args) > 0 {
		return c.UsageErrorf("demo takes no arguments")
	}
	ctx, stop := signals.UntilHangup(ctx, c.Err)
	defer stop()
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
