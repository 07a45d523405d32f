package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/wellknown"
)

const lookupHelp = `Finds the authority for the email addresses of a domain: it fetches
https://DOMAIN/.well-known/browserid and follows delegations, as verify does.`

// lookupManual is the rest of its help and of its man page.
var lookupManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Show the authority for a domain, and its keys", Lines: "vepverify lookup idp.example"},
		{For: "Write the documents of two domains to a file", Lines: "vepverify lookup idp.example other.example --save keys.json"},
		{For: "Ask a fallback about the addresses of another domain", Lines: "vepverify lookup 'fallback.example?domain=other.example'"},
		{For: "Verify without a network, with the file", Lines: "vepverify verify assertion.txt --audience https://rp.example --keys keys.json"},
		{For: "Add the issuer of tokens for a domain to the file", Lines: "vepverify lookup --evp mail.example --save keys.json"},
	},
	Notes: `HOST?domain=DOMAIN asks HOST about the emails of DOMAIN, as verify asks the --fallback.
A domain in Unicode is converted to its ASCII form, xn--….

With --save, the fetched documents, and the domains that do not support BrowserID, are
written to a file for --keys. If the file exists, the other entries in it stay, and what
has changed is printed. The file is written only if no result is unknown.

--evp is for the Email Verification Protocol (experimental). It finds the issuer of the
addresses of a domain: it asks for the TXT record of _email-verification.DOMAIN, and fetches
the issuer's metadata and key set. It says what each profile of verify accepts. With --save, the
record and the two documents are added to the file, which may have entries for both protocols.`,
	ExitNote: "the worst of all domains (3 is worse than 1)",
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "supported"},
		{Status: cli.ExitFailure, Meaning: "not supported, or refused"},
		{Status: cli.ExitUndecided, Meaning: "unknown: try later"},
		{Status: cli.ExitUsage, Meaning: "wrong usage"},
	},
	Flags: map[string]string{
		"save": `The file is replaced by a rename, so that a service which reads it never sees half of it. It
has the form that --keys reads. --keys and --save exclude each other.`,
		"evp": ``,
	},
	FlagGroups: append([]cli.FlagGroup{cli.FormatFlags}, verifier.Groups...),
	SeeAlso:    []string{"verify", "keygen", "serve"},
	Documents:  []string{"docs/PROTOCOL.md", "docs/EVP.md"},
}

// lookupCmd is the command lookup.
type lookupCmd struct {
	verifier.Network
	verifier.EVP
	tokens bool // of --evp
	format cli.Format
	save   string
}

func lookupCommand() *cli.Command {
	l := &lookupCmd{Network: verifier.NewNetwork(), format: cli.NewFormat(cli.FormatText)}
	return &cli.Command{
		Name: "lookup", Usage: "show the authority for a domain, and its keys",
		Arguments: "DOMAIN…", Help: lookupHelp, Manual: lookupManual, Run: l.run,
		Flags: slices.Concat([]cli.Flag{
			cli.Text(&l.save, "save", "add the documents to `FILE`, for --keys"),
			cli.Switch(&l.tokens, "evp", "find issuers of tokens of the Email Verification Protocol"),
			l.DNSFlag(),
		}, l.format.Flags(), l.Network.Flags()),
	}
}

func (l *lookupCmd) run(ctx context.Context, c *cli.Call) error {
	names, err := domains(c)
	if err != nil {
		return err
	}
	find := l.findAuthorities
	if l.tokens {
		find = l.findIssuers
	}
	source, from, err := find(c, names)
	if err != nil {
		return err
	}
	if err := l.checkSave(ctx, c, from != nil); err != nil {
		return err
	}
	results := make([]lookedUp, len(names))
	for n, name := range names {
		results[n] = source(ctx, name)
	}
	if err := cli.Interrupted(ctx); err != nil {
		return err
	}
	worst := worstOf(results)
	var saved *savedBundle
	if l.save != "" {
		if saved, err = l.saveBundle(ctx, c, from, names, worst); err != nil {
			return err
		}
	}
	return l.report(c, results, saved, worst)
}

// checkSave returns an error if --save cannot work.
func (l *lookupCmd) checkSave(ctx context.Context, c *cli.Call, online bool) error {
	switch l.save {
	case "":
		return nil
	case "-":
		return c.UsageErrorf("--save - : name a file, because the results are printed on standard output")
	}
	if !online {
		return c.UsageErrorf("--save and --keys exclude each other: --keys means no network")
	}
	_, err := readBundle(ctx, c, l.save)
	return err
}

// lookedUp is the result for a domain. It marshals to JSON for scripts.
type lookedUp interface {
	print(p *cli.Process)
	status() cli.Status
	// entries returns the names of its entries in a bundle.
	entries() []string
	// setSaved notes what --save did to the entries.
	setSaved(kind string)
}

// saver writes bundles. A *wellknown.Resolver and an *evp.Verifier are savers.
type saver interface {
	Save(ctx context.Context, w io.Writer, names ...string) error
}

// findAuthorities returns the function that looks up the authority of a domain. The saver is nil if
// there is no network.
func (l *lookupCmd) findAuthorities(c *cli.Call, _ []string) (func(context.Context, string) lookedUp, saver, error) {
	if c.Given("dns-server") {
		return nil, nil, c.UsageErrorf("--dns-server is for --evp")
	}
	from, err := l.Source(c)
	if err != nil {
		return nil, nil, err
	}
	source := func(ctx context.Context, name string) lookedUp { return lookUp(ctx, from, name) }
	if resolver, online := from.(*wellknown.Resolver); online {
		return source, resolver, nil
	}
	return source, nil, nil
}

// domains returns the arguments, each once.
func domains(c *cli.Call) (names []string, err error) {
	if len(c.Args) == 0 {
		return nil, c.UsageErrorf("no domain: name one, such as idp.example")
	}
	seen := make(map[string]bool)
	for _, arg := range c.Args {
		name, err := parseLookup(arg)
		if err != nil {
			return nil, c.UsageErrorf("%.100q: %w", arg, err)
		}
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	return names, nil
}

// domainQuery is between the host that is asked and the domain of the emails, as in the name
// of an entry of a bundle.
const domainQuery = "?domain="

// parseLookup parses an argument of lookup: a domain, or HOST?domain=DOMAIN.
func parseLookup(arg string) (name string, err error) {
	host, emailDomain, found := strings.Cut(arg, domainQuery)
	if !found || strings.Contains(host, "://") {
		return origin.WrittenDomain(arg)
	}
	if host, err = origin.WrittenDomain(host); err != nil {
		return "", err
	}
	emailDomain, err = origin.WrittenDomain(emailDomain)
	return host + domainQuery + emailDomain, err
}

// report prints the results and what --save did, and returns the exit status. s is nil
// without --save.
func (l *lookupCmd) report(c *cli.Call, results []lookedUp, s *savedBundle, worst cli.Status) error {
	for n, r := range results {
		if l.format.JSON() {
			r.setSaved(s.kindOf(r.entries()))
			if err := c.PrintJSON(r); err != nil {
				return err
			}
			continue
		}
		if n > 0 {
			fmt.Fprintln(c.Out)
		}
		r.print(c.Process)
	}
	switch {
	case s == nil:
	case l.format.JSON() && s.note != "":
		fmt.Fprintf(c.Err, "%s: %s\n", cli.Program, cli.Printable(s.note))
	case l.format.JSON():
	case s.note != "":
		fmt.Fprintf(c.Out, "\n%s\n", cli.Printable(s.note))
	default:
		printChanges(c, l.save, s.changes, s.entries)
	}
	return worst.Err()
}

// worstOf returns the worst exit status of the results.
func worstOf(results []lookedUp) cli.Status {
	worst := cli.ExitOkay
	for _, r := range results {
		worst = max(worst, r.status())
	}
	return worst
}

// print prints the result for people.
func (r *lookupResult) print(p *cli.Process) {
	now := p.Now()
	t := cli.Table{Indent: "  "}
	switch r.Status {
	case supported:
		fmt.Fprintln(p.Out, cli.Printable(r.Domain+" supports BrowserID"))
	default:
		fmt.Fprintln(p.Out, cli.Printable(r.Domain+": "+r.Status+": "+r.Reason))
	}
	if r.Authority == "" {
		if r.advice != "" {
			t.Row("what to do", r.advice)
		}
		fmt.Fprint(p.Out, t.String())
		return
	}
	t.Row("authority", r.Authority)
	if len(r.Delegations) > 0 {
		t.Row("delegated by", strings.Join(r.Delegations, ", "))
	}
	for _, k := range r.Keys {
		t.Row("key", k.String())
	}
	for _, skipped := range r.SkippedKeys {
		t.Row("key skipped", skipped)
	}
	if !slices.ContainsFunc(r.Keys, func(k keyInfo) bool { return !k.Weak }) {
		t.Row("keys", "none that is usable")
	}
	t.Row("authentication", r.Authentication)
	t.Row("provisioning", r.Provisioning)
	t.Row("fetched", whenOr(r.Fetched, now, "not: from --keys"))
	t.Row("cached until", whenOr(r.Expires, now, "always: from --keys"))
	fmt.Fprint(p.Out, t.String())
}

// whenOr returns a time for people, or another text for the time 0. ms is in milliseconds
// since 1970.
func whenOr(ms int64, now time.Time, otherwise string) string {
	if ms == 0 {
		return otherwise
	}
	return cli.FormatTime(time.UnixMilli(ms), now)
}

// lookupResult is the result for a domain. The JSON form is for scripts. Times are
// milliseconds since 1970, and absent with --keys.
type lookupResult struct {
	Domain         string    `json:"domain"`
	Status         string    `json:"status"`
	Reason         string    `json:"reason,omitempty"`
	Authority      string    `json:"authority,omitempty"`
	Delegations    []string  `json:"delegations,omitempty"`
	Keys           []keyInfo `json:"keys,omitempty"`
	SkippedKeys    []string  `json:"skippedKeys,omitempty"` // which, and why
	Authentication string    `json:"authentication,omitempty"`
	Provisioning   string    `json:"provisioning,omitempty"`
	Fetched        int64     `json:"fetched,omitempty"`
	Expires        int64     `json:"expires,omitempty"`
	Saved          string    `json:"saved,omitempty"` // by --save: added, changed or unchanged

	advice string // what to do about Reason
}

// The values of lookupResult.Status.
const (
	supported   = "supported"
	unsupported = "unsupported" // a fallback may be the authority
	refused     = "refused"     // no domain may
	unknown     = "unknown"     // the domain cannot be reached now
)

func (r *lookupResult) status() cli.Status { return statusOf(r.Status) }

// statusOf returns the exit status for a value of lookupResult.Status.
func statusOf(result string) cli.Status {
	switch result {
	case supported:
		return cli.ExitOkay
	case unknown:
		return cli.ExitUndecided
	}
	return cli.ExitFailure
}

func (r *lookupResult) entries() []string { return []string{r.Domain} }

func (r *lookupResult) setSaved(kind string) { r.Saved = kind }

// lookUp looks up a domain, or a host for the emails of another domain.
func lookUp(ctx context.Context, from assertion.KeySource, name string) *lookupResult {
	host, emailDomain, found := strings.Cut(name, domainQuery)
	if !found {
		emailDomain = host
	}
	a, err := from.Authority(ctx, host, emailDomain)
	r := &lookupResult{Domain: name, Status: supported}
	if err != nil {
		r.fail(err)
		return r
	}
	r.fill(a)
	return r
}

// fail sets the status and the reason of a lookup that failed.
func (r *lookupResult) fail(err error) {
	r.Reason = err.Error()
	var lookup *wellknown.LookupError
	if errors.As(err, &lookup) {
		r.Reason, r.advice = lookup.Reason, lookup.Advice
		if flag := settingFlags[lookup.Setting]; flag != "" {
			r.advice += " (" + flag + ")"
		}
		if lookup.At != lookup.Host {
			r.Reason = "by way of " + lookup.At + ": " + r.Reason
		}
	}
	var incomplete *wellknown.IncompleteError
	if errors.As(err, &incomplete) {
		r.Reason += " (which only a --fallback may lack)"
	}
	switch {
	case errors.Is(err, wellknown.ErrUnsupported):
		r.Status = unsupported
	case errors.Is(err, wellknown.ErrUnavailable):
		r.Status = unknown
	default:
		r.Status = refused
	}
}

// fill sets the members that describe the authority.
func (r *lookupResult) fill(a *wellknown.Authority) {
	r.Authority, r.Delegations = a.Domain, a.Delegations
	for _, k := range a.Keys {
		r.Keys = append(r.Keys, describeKey(k))
	}
	for _, k := range a.WeakKeys {
		r.Keys = append(r.Keys, describeKey(k))
	}
	for _, k := range a.SkippedKeys {
		r.SkippedKeys = append(r.SkippedKeys, k.String())
	}
	r.Authentication = "https://" + a.Domain + a.Authentication
	r.Provisioning = "https://" + a.Domain + a.Provisioning
	r.Fetched, r.Expires = millis(a.Fetched), millis(a.Expires)
}

// millis returns the milliseconds since 1970, 0 for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
