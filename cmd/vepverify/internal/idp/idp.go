// Package idp is the command idp.
package idp

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/internal/domain"
)

const help = `Serves an identity provider for development, on this machine only. It is for trying a
relying party, in any language, in a real browser. It certifies every address at its domain
and asks for no password. Its key is new each time. Only verifiers that are given its keys
trust it; it prints the commands for that.

A page loads http://localhost:8400/include.js, which defines navigator.id. The first page of
the provider explains more. SIGINT (Ctrl-C) or SIGTERM ends it.

Examples:
  vepverify idp
  vepverify idp --keys-out keys.json
  vepverify idp --domain example.com --port 8500

Exit status:
  0 stopped by a signal   2 usage, cannot listen, a file that cannot be written`

// command is the command idp with its flags.
type command struct {
	domain, keysOut string
	port            cli.Count
}

// Command returns the command idp.
func Command() *cli.Command {
	i := &command{domain: devidp.DefaultDomain, port: cli.Count{N: 8400, Low: 0, High: 65535}}
	return &cli.Command{
		Name: "idp", Usage: "serve an identity provider for development",
		Help: help, Run: i.run,
		Flags: []cli.Flag{
			cli.Value(&i.port, "port", "`PORT` to listen on; 0: a free one"),
			cli.Text(&i.domain, "domain", "`DOMAIN` whose addresses it certifies"),
			cli.Text(&i.keysOut, "keys-out", "write its keys to `FILE`, for --keys"),
		},
	}
}

func (i *command) run(ctx context.Context, c *cli.Call) error {
	if len(c.Args) > 0 {
		return c.UsageErrorf("idp takes no arguments, only flags")
	}
	if name, ok := domain.Parse(i.domain); !ok || strings.Contains(name, ":") {
		return c.UsageErrorf("--domain %.100q: not a domain name", i.domain)
	}
	provider, err := devidp.New(devidp.Config{Domain: i.domain, Now: c.Now})
	if err != nil {
		return err
	}
	l, err := servers.ListenLocal(i.port.N)
	if err != nil {
		return fmt.Errorf("cannot listen: %w (see --port)", err)
	}
	defer l.Close()
	if i.keysOut != "" {
		if err := cli.ReplaceFile(i.keysOut, provider.KeysBundle()); err != nil {
			return err
		}
	}
	if err := i.announce(c, provider, servers.LocalOrigin(l)); err != nil {
		return err
	}
	return servers.Run(ctx, map[net.Listener]*http.Server{l: servers.NewLocal(provider)})
}

// announce prints the URLs and how to use them. Scripts may read the first line.
func (i *command) announce(c *cli.Call, provider *devidp.Provider, origin string) error {
	fmt.Fprintln(c.Err, "WARNING: "+provider.Warning())
	fetch, keys := "", "keys.json"
	if i.keysOut != "" {
		keys = cli.ShellWord(i.keysOut)
	} else {
		fetch = "\n  curl -so keys.json " + origin + "/keys.json"
	}
	_, err := fmt.Fprintf(c.Out, `identity provider: %[1]s
for addresses at:  %[2]s
its keys:          %[1]s/keys.json

In the pages of a relying party, such as http://localhost:8080:
  <script src="%[1]s/include.js"></script>

Verifiers that trust it:%[3]s
  %[5]s assertion.txt --audience http://localhost:8080 --keys %[4]s
  %[5]s serve --keys %[4]s

Ctrl-C ends it. The next one has other keys.
`, origin, provider.Domain(), fetch, keys, cli.Invocation(os.Args[0]))
	return err
}
