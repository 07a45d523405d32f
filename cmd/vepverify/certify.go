package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/keys"
)

const certifyHelp = `Certifies with an issuer's key that an email address belongs to a key. It makes that key,
and writes it with the certificate into an identity file that only you can read; assert
takes it from there. With --public-key the key is somebody else's, and the certificate is printed.

Examples:
  vepverify certify --key issuer.key --issuer idp.example --email ada@idp.example --out ada.json
  vepverify certify --key issuer.key --issuer idp.example --email ada@idp.example \
    --public-key ada.pub > certificate.txt

Identity file: {"email":…,"certificate":…,"privateKey":…}

Exit status:
  0 done   2 usage, a key that cannot be read, a file that exists`

// certifyCmd is the command certify.
type certifyCmd struct {
	key, issuer, email string
	publicKey          string
	algorithm          string
	out                string
	duration           cli.Span
	now                cli.Instant
	weakKeys           bool
}

func certifyCommand() *cli.Command {
	f := &certifyCmd{algorithm: keys.RS256, duration: cli.Span(24 * time.Hour)}
	return &cli.Command{
		Name: "certify", Usage: "certify an email address, as an issuer does",
		Help: certifyHelp, Run: f.run,
		Flags: []cli.Flag{
			cli.Text(&f.key, "key", "the issuer's private key, a `FILE` of keygen (needed)"),
			cli.Text(&f.issuer, "issuer", "the issuer's `DOMAIN` (needed)"),
			cli.Text(&f.email, "email", "the `ADDRESS` to certify (needed)"),
			cli.Text(&f.out, "out", "new `FILE` for the identity"),
			cli.Text(&f.publicKey, "public-key", "certify the public key in `FILE`, and print the certificate"),
			cli.Text(&f.algorithm, "algorithm", "kind of the new key, `NAME`: "+strings.Join(keys.Algorithms(), ", ")),
			cli.Value(&f.duration, "duration", "how long the certificate is valid, a `TIME`"),
			cli.Value(&f.now, "now", "issue as of `TIME`: 2026-01-31T12:00:00Z or milliseconds"),
			cli.Switch(&f.weakKeys, "insecure-weak-keys", "allow keys that anyone can break (RS64)"),
		},
	}
}

func (f *certifyCmd) run(ctx context.Context, c *cli.Call) error {
	if err := f.check(c); err != nil {
		return err
	}
	issuer, err := identity.ReadPrivateKey(ctx, c.Process, f.key, f.weakKeys)
	if err != nil {
		return err
	}
	if f.publicKey != "" {
		return f.certifyOther(ctx, c, issuer)
	}
	key, err := newKey(c, f.algorithm, f.weakKeys)
	if err != nil {
		return err
	}
	certificate, err := f.issue(c, key.Public(), issuer)
	if err != nil {
		return err
	}
	email, _, _ := domain.Email(f.email) // the form that the certificate has
	id := &identity.Identity{Email: email, Certificate: certificate, PrivateKey: key}
	return id.Write(f.out)
}

func (f *certifyCmd) check(c *cli.Call) error {
	missing := c.Missing("key", "issuer", "email")
	switch {
	case len(c.Args) > 0:
		return c.UsageErrorf("certify takes flags only; the issuer's key is named by --key")
	case missing != "":
		return c.UsageErrorf("--%s is missing", missing)
	case f.publicKey == "" && f.out == "":
		return c.UsageErrorf("--out is missing: the new file for the identity, such as --out ada.json")
	case f.publicKey != "" && (c.Given("out") || c.Given("algorithm")):
		return c.UsageErrorf("--public-key takes a key that exists and prints the certificate, so --out and --algorithm have no place beside it")
	case f.duration == 0:
		return c.UsageErrorf("--duration 0: the certificate would never be valid")
	}
	return nil
}

// certifyOther certifies a key of which only the public half is here.
func (f *certifyCmd) certifyOther(ctx context.Context, c *cli.Call, issuer keys.PrivateKey) error {
	key, err := identity.ReadPublicKey(ctx, c.Process, f.publicKey, f.weakKeys)
	if err != nil {
		return err
	}
	certificate, err := f.issue(c, key, issuer)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.Out, certificate)
	return nil
}

func (f *certifyCmd) issue(c *cli.Call, key keys.PublicKey, issuer keys.PrivateKey) (string, error) {
	at := f.now.Clock(c.Now)()
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: f.issuer, Email: f.email, PublicKey: key,
		IssuedAt: at, Expires: at.Add(time.Duration(f.duration)),
	}, issuer)
	if err != nil {
		return "", c.UsageErrorf("%w", err)
	}
	return certificate, nil
}
