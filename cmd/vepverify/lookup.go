package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/wellknown"
)

const lookupHelp = `Asks who speaks for the email addresses of a domain: it fetches
https://DOMAIN/.well-known/browserid and follows delegations, as verify does.

Examples:
  vepverify lookup idp.example
  vepverify lookup idp.example other.example --save keys.json
  vepverify verify assertion.txt --audience https://rp.example --keys keys.json

With --save, the documents fetched and the domains found not to support BrowserID go into
a file for --keys. It is written only when everything is known.

Exit status, the worst of all domains (3 before 1 before 0):
  0 supported   1 not supported, or refused   3 unknown: try later   2 usage`

// inquiry is the command lookup.
type inquiry struct {
	*process
	network
	json bool
	save string
}

func lookupCommand(p *process) *cli.Command {
	i := &inquiry{process: p, network: newNetwork()}
	return &cli.Command{
		Name: "lookup", Usage: "show who speaks for a domain, and with which keys",
		ArgsUsage: "DOMAIN…", Description: lookupHelp, Action: i.run,
		Flags: append([]cli.Flag{
			switchFlag(&i.json, "json", "one line of JSON for each domain"),
			textFlag(&i.save, "save", "write the documents to `FILE`, for --keys"),
		}, i.network.flags()...),
	}
}

func (i *inquiry) run(c *cli.Context) error {
	names, err := domains(c)
	if err != nil {
		return err
	}
	from, err := i.source(c, i.process)
	if err != nil {
		return err
	}
	resolver, online := from.(*wellknown.Resolver)
	if i.save != "" && !online {
		return usageError(c, "--save and --keys exclude each other: there is nothing to fetch")
	}
	findings := make([]*finding, len(names))
	for n, name := range names {
		findings[n] = find(c, from, name)
	}
	worst := worstOf(findings)
	note := ""
	if i.save != "" {
		if note, err = i.saveBundle(c, resolver, names, worst); err != nil {
			return err
		}
	}
	return i.report(findings, note, worst)
}

// domains gives the arguments, each once.
func domains(c *cli.Context) (names []string, err error) {
	if c.NArg() == 0 {
		return nil, usageError(c, "no domain: name one, such as idp.example")
	}
	seen := make(map[string]bool)
	for _, arg := range c.Args().Slice() {
		name, ok := domain.Parse(arg)
		if !ok {
			return nil, usageError(c, "%.100q is no domain; what is wanted looks like idp.example", arg)
		}
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	return names, nil
}

// saveBundle writes the file for --save. What a look-up could not find out is
// said beside the answers, as a note; every other failure is an error.
func (i *inquiry) saveBundle(c *cli.Context, r *wellknown.Resolver, names []string, worst status) (note string, err error) {
	var b strings.Builder
	err = r.Save(c.Context, &b, names...)
	var unknown *wellknown.LookupError
	if errors.As(err, &unknown) && worst != exitOkay {
		return i.save + " not written: " + unknown.Error(), nil
	}
	if err != nil {
		return "", fmt.Errorf("%s not written: %w", i.save, unprefixed{err})
	}
	return "", replaceFile(i.save, []byte(b.String()))
}

func (i *inquiry) report(findings []*finding, note string, worst status) error {
	for n, f := range findings {
		if i.json {
			if err := i.printJSON(f); err != nil {
				return err
			}
			continue
		}
		if n > 0 {
			fmt.Fprintln(i.out)
		}
		f.print(i.process)
	}
	if note != "" && !i.json {
		fmt.Fprintf(i.out, "\n%s\n", printable(note))
	}
	return worst.result()
}

func worstOf(findings []*finding) status {
	worst := exitOkay
	for _, f := range findings {
		worst = max(worst, f.status())
	}
	return worst
}

// print tells a person.
func (f *finding) print(p *process) {
	now := p.now()
	t := table{indent: "  "}
	switch f.Status {
	case supported:
		fmt.Fprintln(p.out, printable(f.Domain+" supports BrowserID"))
	default:
		fmt.Fprintln(p.out, printable(f.Domain+": "+f.Status+": "+f.Reason))
	}
	if f.Authority == "" {
		return
	}
	t.row("authority", f.Authority)
	if len(f.Delegations) > 0 {
		t.row("delegated by", strings.Join(f.Delegations, ", "))
	}
	for _, k := range f.Keys {
		t.row("key", k.String())
	}
	if len(f.Keys) == 0 {
		t.row("keys", "none that is usable: it certifies nobody")
	}
	t.row("authentication", f.Authentication)
	t.row("provisioning", f.Provisioning)
	t.row("fetched", whenOr(f.Fetched, now, "not: from --keys"))
	t.row("cached until", whenOr(f.Expires, now, "always: from --keys"))
	fmt.Fprint(p.out, t.String())
}

func whenOr(ms int64, now time.Time, otherwise string) string {
	if ms == 0 {
		return otherwise
	}
	return sinceOrUntil(time.UnixMilli(ms), now)
}
