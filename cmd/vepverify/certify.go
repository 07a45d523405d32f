package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/keys"
)

const certifyHelp = `Issues a certificate, which says that the owner of an email address has a key. The command
signs it with the issuer's key. It generates the user's key, and writes that key and the
certificate to an identity file, which only you can read and which the command assert uses.
With --public-key, it certifies an existing key and prints the certificate.`

// certifyManual is the rest of its help and of its man page.
var certifyManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Make an identity, for the commands assert and request", Lines: "vepverify certify --key issuer.key --issuer idp.example --email ada@idp.example --out ada.json"},
		{For: "Certify a key that exists", Lines: `vepverify certify --key issuer.key --issuer idp.example --email ada@idp.example \
  --public-key ada.pub > certificate.txt`},
	},
	Notes: `If the address is not of the issuer's domain, a note on standard error says which verifiers
accept the certificate.

Domains may be in Unicode; the certificate has their ASCII form, xn--….

Identity file: {"email":…,"certificate":…,"privateKey":…}`,
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "done"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, a key that cannot be read, a file that exists"},
	},
	Flags: map[string]string{
		"issuer":     `The domain whose support document has the public key of --key.`,
		"out":        `The file must not exist. Its mode is 0600, because it holds the private key of the user.`,
		"public-key": `The file has a public key as keygen prints it. --out is not needed then.`,
		"duration": `Persona's issuers certified for a day. Nobody can revoke a certificate, so a short time is
better.`,
		"now":                `The certificate is valid from this time on, in place of the current one.`,
		"insecure-weak-keys": `It is for test vectors.`,
	},
	SeeAlso:   []string{"keygen", "assert", "request"},
	Documents: []string{"docs/PROTOCOL.md"},
}

// certifyCmd is the command certify with its flags.
type certifyCmd struct {
	key, issuer, email string
	publicKey          string
	algorithm          cli.Choice
	out                string
	duration           cli.Span
	now                cli.Instant
	weakKeys           bool
}

func certifyCommand() *cli.Command {
	cmd := &certifyCmd{algorithm: newAlgorithm(), duration: cli.Span(24 * time.Hour)}
	return &cli.Command{
		Name: "certify", Usage: "certify an email address, as an issuer does",
		Help: certifyHelp, Manual: certifyManual, Run: cmd.run,
		Flags: []cli.Flag{
			cli.Text(&cmd.key, "key", "the issuer's private key, a `FILE` of keygen (needed)"),
			cli.Text(&cmd.issuer, "issuer", "the issuer's `DOMAIN` (needed)"),
			cli.Text(&cmd.email, "email", "the `ADDRESS` to certify (needed)"),
			cli.Text(&cmd.out, "out", "new `FILE` for the identity"),
			cli.Text(&cmd.publicKey, "public-key", "certify the public key in `FILE`, and print the certificate"),
			cli.Value(&cmd.algorithm, "algorithm", "algorithm of the new key, `NAME`: "+strings.Join(keys.Algorithms(), ", ")),
			cli.Value(&cmd.duration, "duration", "how long the certificate is valid, a `TIME`"),
			cli.Value(&cmd.now, "now", "issue as of `TIME`: 2026-01-31T12:00:00Z or milliseconds since 1970"),
			identity.WeakKeysFlag(&cmd.weakKeys),
		},
	}
}

func (cmd *certifyCmd) run(ctx context.Context, c *cli.Call) error {
	if err := cmd.check(c); err != nil {
		return err
	}
	issuer, err := identity.ReadPrivateKey(ctx, c.Process, cmd.key, cmd.weakKeys)
	if err != nil {
		return err
	}
	if cmd.publicKey != "" {
		return cmd.certifyPublicKey(ctx, c, issuer)
	}
	key, err := newKey(c, cmd.algorithm.Word, cmd.weakKeys)
	if err != nil {
		return err
	}
	certificate, err := cmd.issue(c, key.Public(), issuer)
	if err != nil {
		return err
	}
	id := &identity.Identity{Email: cmd.email, Certificate: certificate, PrivateKey: key}
	return id.Write(cmd.out)
}

// check returns an error if a flag is missing or flags contradict each other.
func (cmd *certifyCmd) check(c *cli.Call) error {
	missing := c.Missing("key", "issuer", "email")
	switch {
	case len(c.Args) > 0:
		return c.UsageErrorf("certify takes flags only; --key names the issuer's key")
	case missing != "":
		return c.UsageErrorf("--%s is missing", missing)
	case cmd.publicKey == "" && cmd.out == "":
		return c.UsageErrorf("--out is missing: the new file for the identity, such as --out ada.json")
	case cmd.publicKey != "" && (c.Given("out") || c.Given("algorithm")):
		return c.UsageErrorf("--public-key uses an existing key, prints the certificate, and excludes --out and --algorithm")
	case cmd.duration == 0:
		return c.UsageErrorf("--duration 0: the certificate would never be valid")
	}
	return cmd.parseNames(c)
}

// parseNames replaces the issuer and the email address by the forms that the certificate
// has.
func (cmd *certifyCmd) parseNames(c *cli.Call) error {
	issuer, err := origin.WrittenDomain(cmd.issuer)
	if err != nil {
		return c.UsageErrorf("--issuer %.100q: %w", cmd.issuer, err)
	}
	email, host, err := origin.WrittenEmail(cmd.email)
	if err != nil {
		return c.UsageErrorf("--email %.100q: %w", cmd.email, err)
	}
	cmd.issuer, cmd.email = issuer, email
	if host != issuer {
		fmt.Fprintf(c.Err, "%s: note: verifiers accept this certificate only if %s delegates to %s, or if %[3]s is their fallback or a trusted issuer\n", cli.Program, host, issuer)
	}
	return nil
}

// certifyPublicKey certifies the key of --public-key and prints the certificate.
func (cmd *certifyCmd) certifyPublicKey(ctx context.Context, c *cli.Call, issuer keys.PrivateKey) error {
	key, err := identity.ReadPublicKey(ctx, c.Process, cmd.publicKey, cmd.weakKeys)
	if err != nil {
		return err
	}
	certificate, err := cmd.issue(c, key, issuer)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.Out, certificate)
	return nil
}

func (cmd *certifyCmd) issue(c *cli.Call, key keys.PublicKey, issuer keys.PrivateKey) (string, error) {
	at := cmd.now.Clock(c.Now)()
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: cmd.issuer, Email: cmd.email, PublicKey: key,
		IssuedAt: at, Expires: at.Add(time.Duration(cmd.duration)),
	}, issuer)
	if err != nil {
		return "", c.UsageErrorf("%w", err)
	}
	return certificate, nil
}
