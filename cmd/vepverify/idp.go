package main

import (
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/devidp"
)

const idpHelp = `Serves an identity provider for development, on this machine only, so that a relying
party in any language can be tried in a real browser. It vouches for every address at its
domain and asks for no password. Its key is new each time, and nobody believes it who was not
given its keys; it prints the commands that are.

A page loads http://localhost:8400/include.js, which defines navigator.id; the provider's first
page tells more. SIGINT (Ctrl-C) or SIGTERM ends it.

Examples:
  vepverify idp
  vepverify idp --keys-out keys.json
  vepverify idp --domain example.com --port 8500

Exit status:
  0 told to stop   2 usage, cannot listen, a file that cannot be written`

// provision is the command idp.
type provision struct {
	*process
	domain, keysOut string
	port            count
}

func idpCommand(p *process) *cli.Command {
	i := &provision{process: p, domain: devidp.DefaultDomain, port: count{8400, 0, 65535}}
	return &cli.Command{
		Name: "idp", Usage: "serve an identity provider for development",
		Description: idpHelp, Action: i.run,
		Flags: []cli.Flag{
			valueFlag(&i.port, "port", "`PORT` to listen on; 0: a free one"),
			textFlag(&i.domain, "domain", "`DOMAIN` whose addresses it vouches for"),
			textFlag(&i.keysOut, "keys-out", "write its keys to `FILE`, for --keys"),
		},
	}
}

func (i *provision) run(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError(c, "idp takes no arguments, only flags")
	}
	provider, err := devidp.New(devidp.Config{Domain: i.domain, Now: i.now})
	if err != nil {
		return usageError(c, "--domain: %w", err)
	}
	l, err := listenLocally(i.port.value)
	if err != nil {
		return fmt.Errorf("cannot listen: %w (see --port)", err)
	}
	defer l.Close()
	if i.keysOut != "" {
		if err := replaceFile(i.keysOut, provider.KeysBundle()); err != nil {
			return err
		}
	}
	if err := i.announce(provider, localOrigin(l)); err != nil {
		return err
	}
	return serveUntil(c.Context, servers{l: localServer(provider)})
}

// announce says what is there and how to use it. The first line is for scripts,
// too.
func (i *provision) announce(provider *devidp.Provider, origin string) error {
	fmt.Fprintln(i.err, "WARNING: "+provider.Warning())
	fetch, keys := "", "keys.json"
	if i.keysOut != "" {
		keys = shellWord(i.keysOut)
	} else {
		fetch = "\n  curl -so keys.json " + origin + "/keys.json"
	}
	_, err := fmt.Fprintf(i.out, `identity provider: %[1]s
for addresses at:  %[2]s
its keys:          %[1]s/keys.json

In the pages of a relying party, such as http://localhost:8080:
  <script src="%[1]s/include.js"></script>

Verifiers that are to believe it:%[3]s
  %[5]s assertion.txt --audience http://localhost:8080 --keys %[4]s
  %[5]s serve --keys %[4]s

Ctrl-C ends it; the next one has other keys.
`, origin, provider.Domain(), fetch, keys, invocation(os.Args[0]))
	return err
}

// listenLocally listens on the loopback interface.
func listenLocally(port int) (net.Listener, error) {
	return devidp.Listen(net.JoinHostPort("localhost", strconv.Itoa(port)))
}

// localOrigin is the origin at which browsers find what listens there.
func localOrigin(l net.Listener) string {
	return "http://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
