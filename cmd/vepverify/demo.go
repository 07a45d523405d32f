package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo"
	"github.com/vepverify/vepverify/devidp"
)

const demoHelp = `Serves everything that signing in takes, on this machine only: an identity provider, a site
with a sign-in button and a members' page, and a resource for programs that sign their
requests. Open the site in a browser; its first page tells what happens. Nothing is fetched
from elsewhere or written to disk. SIGINT (Ctrl-C) or SIGTERM ends it.

Example:
  vepverify demo

It listens on the ports 8400 and 8401, or on others if these are taken.

Exit status:
  0 told to stop   2 usage, cannot listen`

// The ports of the demo, which are tried first so that browsers, who know sites
// by their ports, find those of the last time again.
const (
	demoProviderPort = 8400
	demoSitePort     = 8401
)

func demoCommand(p *process) *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "try it all in a browser: provider, site, signed requests",
		Description: demoHelp,
		Action:      func(c *cli.Context) error { return p.runDemo(c) },
	}
}

func (p *process) runDemo(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError(c, "demo takes no arguments")
	}
	provider, err := devidp.New(devidp.Config{Now: p.now})
	if err != nil {
		return err
	}
	forProvider, err := listenAnywhere(demoProviderPort)
	if err != nil {
		return err
	}
	defer forProvider.Close()
	forSite, err := listenAnywhere(demoSitePort)
	if err != nil {
		return err
	}
	defer forSite.Close()
	config := demo.Config{
		Provider: provider, ProviderOrigin: localOrigin(forProvider), Origin: localOrigin(forSite),
		Command: invocation(os.Args[0]), Now: p.now, Logger: slog.New(slog.NewTextHandler(p.err, nil)),
	}
	site, err := demo.New(config)
	if err != nil {
		return err
	}
	if err := p.announceDemo(config, site); err != nil {
		return err
	}
	return serveUntil(c.Context, servers{forProvider: localServer(provider), forSite: localServer(site)})
}

// listenAnywhere listens on the port or, when that is taken, on a free one.
func listenAnywhere(port int) (net.Listener, error) {
	l, err := listenLocally(port)
	if err != nil {
		l, err = listenLocally(0)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return l, nil
}

func (p *process) announceDemo(d demo.Config, site *demo.Site) error {
	fmt.Fprintln(p.err, "WARNING: "+d.Provider.Warning())
	_, err := fmt.Fprintf(p.out, `Open this page in a browser: %s/

identity provider:  %s
protected resource: %s

To reach the protected resource, in another terminal:
%s

Ctrl-C ends the demo.
`, d.Origin, d.ProviderOrigin, site.Resource(), "  "+strings.Join(site.Program(), "\n  "))
	return err
}
