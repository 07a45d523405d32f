// Package idp is the command idp.
package idp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/signals"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/wellknown"
)

const help = `Serves an identity provider for development, on this machine only. It is for trying a
relying party, in any language, in a real browser. It certifies every address at its domain
and asks for no password. Its key is new each time. Only verifiers that are given its keys
trust it; it prints the commands for that.

A page loads http://localhost:8400/include.js, which defines navigator.id. The first page of
the provider explains more. SIGINT (Ctrl-C), SIGTERM or SIGHUP ends it.`

// manual is the rest of its help and of its man page.
var manual = cli.Manual{
	Examples: []cli.Example{
		{For: "Serve a provider", Lines: "vepverify idp"},
		{For: "The same, and write its keys for verifiers", Lines: "vepverify idp --keys-out keys.json"},
		{For: "Certify the addresses of another domain, at another port", Lines: "vepverify idp --domain example.com --port 8500"},
	},
	Trouble: []cli.Entry{
		{Name: "a verifier refuses its certificates", Text: "It needs the keys of this run, by --keys; with those of an earlier run, signatures are invalid. It cannot fetch them: verifiers fetch over https and from public addresses only. The document that they would fetch is at http://localhost:8400/.well-known/browserid."},
		{Name: "the browser is on another machine", Text: "Run the ssh line that it prints on that machine. The port must have the same number there; choose another with --port."},
		{Name: "it runs in a container", Text: "It listens on the container's own loopback interface, so published ports do not reach it. Share the network of the host: docker run --network host."},
		{Name: `"secure connection failed", "SSL protocol error"`, Text: "The address begins with http://, not https://. If the browser is in HTTPS-only mode, make an exception for localhost."},
		{Name: "no window opens", Text: "The browser has blocked it. Allow pop-ups for the relying party. Call navigator.id.request in the handler of a click."},
	},
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "stopped by a signal"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, cannot listen, a file that cannot be written"},
	},
	Flags: map[string]string{
		"port": `A provider at another port is another origin, so open pages must be loaded again.`,
		"keys-out": `A file that has the keys of one domain is replaced. Any other file is not changed. The flag
--keys of verify and serve reads it.`,
	},
	SeeAlso:   []string{"demo", "serve", "verify"},
	Documents: []string{"docs/DEMO.md", "docs/LOGIN.md"},
}

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
		Help: help, Manual: manual, Run: i.run,
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
	name, err := domainWithoutPort(i.domain)
	if err != nil {
		return c.UsageErrorf("--domain %.100q: %w", i.domain, err)
	}
	ctx, stop := signals.UntilHangup(ctx, c.Err)
	defer stop()
	provider, err := devidp.New(devidp.Config{Domain: name, Now: c.Now})
	if err != nil {
		return err
	}
	l, err := servers.ListenLocal(i.port.N)
	if err != nil {
		return fmt.Errorf("%w (see --port; 0 means a free one)", err)
	}
	defer l.Close()
	if err := i.writeKeys(provider); err != nil {
		return err
	}
	if err := i.announce(c, provider, l); err != nil {
		return err
	}
	return servers.Run(ctx, map[net.Listener]*http.Server{servers.NoteTLS(l, c.Err): servers.NewLocal(provider)}, nil)
}

// writeKeys writes the file of --keys-out. It replaces the keys of an earlier run, but no other
// file, such as a private key or a bundle with more issuers.
func (i *command) writeKeys(provider *devidp.Provider) error {
	if i.keysOut == "" {
		return nil
	}
	if info, err := os.Stat(i.keysOut); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		if earlier, err := wellknown.LoadStatic(i.keysOut); err != nil || earlier.Len() != 1 {
			return fmt.Errorf("--keys-out: %s exists, does not have the keys of one domain, and is not changed; name another file, or remove it", i.keysOut)
		}
	}
	return cli.ReplaceFile(i.keysOut, provider.KeysBundle())
}

// domainWithoutPort returns the domain that a person has written.
func domainWithoutPort(text string) (string, error) {
	name, err := origin.WrittenDomain(text)
	var bad *origin.NotDomainError
	if errors.As(err, &bad) {
		bad.Perhaps, _, _ = strings.Cut(bad.Perhaps, ":")
	}
	if host, _, found := strings.Cut(name, ":"); found {
		return "", &origin.NotDomainError{Want: "a domain", Is: "a domain and a port", Perhaps: host}
	}
	return name, err
}

// warnings returns the warnings for the user.
func warnings(provider *devidp.Provider) []string {
	list := []string{provider.Warning()}
	if name := provider.Domain(); !origin.IsLocal(name) {
		list = append(list, "Verifiers that have its keys trust it in place of the real identity provider of "+name+", if there is one.")
	}
	return list
}

// announce prints the URLs and how to use them. Scripts may read the first line.
func (i *command) announce(c *cli.Call, provider *devidp.Provider, l net.Listener) error {
	for _, text := range warnings(provider) {
		fmt.Fprintln(c.Err, "WARNING: "+text)
	}
	own := servers.LocalOrigin(l)
	fetch, keys := "", "keys.json"
	if i.keysOut != "" {
		keys = cli.ShellWord(i.keysOut)
	} else {
		fetch = "\n  curl -fsSo keys.json " + own + "/keys.json"
	}
	_, err := fmt.Fprintf(c.Out, `identity provider: %[1]s
for addresses at:  %[2]s
its document:      %[1]s/.well-known/browserid
its keys:          %[1]s/keys.json

In the pages of a relying party, such as http://localhost:8080:
  <script src="%[1]s/include.js"></script>

To verify what the page's onlogin receives, saved as assertion.txt:%[3]s
  %[5]s assertion.txt --audience http://localhost:8080 --keys %[4]s
  %[5]s serve --keys %[4]s

If the browser is on another machine, run this there first; HOST is this machine:
  ssh -N %[6]s HOST

Ctrl-C ends it. The next one has other keys. If something does not work: %[5]s help idp
`, own, provider.Domain(), fetch, keys, cli.Invocation(os.Args[0]), servers.SSHForward(l))
	return err
}
