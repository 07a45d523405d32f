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
	"github.com/vepverify/vepverify/devidp"
)

const help = `Serves an identity provider, a site with a sign-in button and a members' page, and a
resource for programs that sign their requests, on this machine only. Open the site in a
browser; its first page shows what happens. Nothing is fetched from elsewhere or written to
disk. SIGINT (Ctrl-C) or SIGTERM ends it.

Example:
  vepverify demo

It listens on the ports 8400 and 8401, or on others if these are taken.

Exit status:
  0 stopped by a signal   2 usage, cannot listen`

// The ports that are tried first. With the same ports as in the previous run, the
// provider and the site have the same origins, so that bookmarks and open pages work.
const (
	providerPort = 8400
	sitePort     = 8401
)

// Command returns the command demo.
func Command() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "try it all in a browser: provider, site, signed requests",
		Help: help, Run: run,
	}
}

// run serves the provider and the site until ctx ends.
func run(ctx context.Context, c *cli.Call) error {
	if len(c.Args) > 0 {
		return c.UsageErrorf("demo takes no arguments")
	}
	provider, err := devidp.New(devidp.Config{Now: c.Now})
	if err != nil {
		return err
	}
	providerListener, err := listenAnywhere(providerPort)
	if err != nil {
		return err
	}
	defer providerListener.Close()
	siteListener, err := listenAnywhere(sitePort)
	if err != nil {
		return err
	}
	defer siteListener.Close()
	config := Config{
		Provider: provider, ProviderOrigin: servers.LocalOrigin(providerListener), Origin: servers.LocalOrigin(siteListener),
		Command: cli.Invocation(os.Args[0]), Now: c.Now, Logger: slog.New(slog.NewTextHandler(c.Err, nil)),
	}
	site, err := New(config)
	if err != nil {
		return err
	}
	if err := announce(c, config, site); err != nil {
		return err
	}
	return servers.Run(ctx, map[net.Listener]*http.Server{
		providerListener: servers.NewLocal(provider), siteListener: servers.NewLocal(site),
	})
}

// listenAnywhere listens on the port or, if that is taken, on a free one.
func listenAnywhere(port int) (net.Listener, error) {
	l, err := servers.ListenLocal(port)
	if err != nil {
		l, err = servers.ListenLocal(0)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return l, nil
}

// announce prints the warning, the URLs, and the commands for the protected resource.
func announce(c *cli.Call, config Config, site *Site) error {
	fmt.Fprintln(c.Err, "WARNING: "+config.Provider.Warning())
	_, err := fmt.Fprintf(c.Out, `Open this page in a browser: %s/

identity provider:  %s
protected resource: %s

To reach the protected resource, in another terminal:
%s

Ctrl-C ends the demo.
`, config.Origin, config.ProviderOrigin, site.Resource(), "  "+strings.Join(site.Program(), "\n  "))
	return err
}
