package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/certchain"
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

// certification is the command certify.
type certification struct {
	*process
	key, issuer, email string
	publicKey          string
	algorithm          string
	out                string
	duration           span
	now                instant
	weakKeys           bool
}

func certifyCommand(p *process) *cli.Command {
	f := &certification{process: p, algorithm: keys.RS256, duration: span(24 * time.Hour)}
	return &cli.Command{
		Name: "certify", Usage: "certify an email address, as an issuer does",
		Description: certifyHelp, Action: f.run,
		Flags: []cli.Flag{
			textFlag(&f.key, "key", "the issuer's private key, a `FILE` of keygen (needed)"),
			textFlag(&f.issuer, "issuer", "the issuer's `DOMAIN` (needed)"),
			textFlag(&f.email, "email", "the `ADDRESS` to certify (needed)"),
			textFlag(&f.out, "out", "new `FILE` for the identity"),
			textFlag(&f.publicKey, "public-key", "certify the public key in `FILE`, and print the certificate"),
			textFlag(&f.algorithm, "algorithm", "kind of the new key, `NAME`: "+strings.Join(keys.Algorithms(), ", ")),
			valueFlag(&f.duration, "duration", "how long the certificate is valid, a `TIME`"),
			valueFlag(&f.now, "now", "issue as of `TIME`: 2026-01-31T12:00:00Z or milliseconds"),
			switchFlag(&f.weakKeys, "insecure-weak-keys", "allow keys that anyone can break (RS64)"),
		},
	}
}

func (f *certification) run(c *cli.Context) error {
	if err := f.check(c); err != nil {
		return err
	}
	issuer, err := f.readKey(c.Context, f.key, f.weakKeys)
	if err != nil {
		return err
	}
	if f.publicKey != "" {
		return f.certifyOther(c, issuer)
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
	id := &identity{Email: email, Certificate: certificate, PrivateKey: key}
	return id.write(f.out)
}

func (f *certification) check(c *cli.Context) error {
	missing := missingFlag(c, "key", "issuer", "email")
	switch {
	case c.NArg() > 0:
		return usageError(c, "certify takes flags only; the issuer's key is named by --key")
	case missing != "":
		return usageError(c, "--%s is missing", missing)
	case f.publicKey == "" && f.out == "":
		return usageError(c, "--out is missing: the new file for the identity, such as --out ada.json")
	case f.publicKey != "" && (f.given(c, "out") || f.given(c, "algorithm")):
		return usageError(c, "--public-key takes a key that exists and prints the certificate, so --out and --algorithm have no place beside it")
	case f.duration == 0:
		return usageError(c, "--duration 0: the certificate would never be valid")
	}
	return nil
}

// certifyOther certifies a key of which only the public half is here.
func (f *certification) certifyOther(c *cli.Context, issuer keys.PrivateKey) error {
	key, err := f.readPublicKey(c.Context, f.publicKey, f.weakKeys)
	if err != nil {
		return err
	}
	certificate, err := f.issue(c, key, issuer)
	if err != nil {
		return err
	}
	fmt.Fprintln(f.process.out, certificate)
	return nil
}

func (f *certification) issue(c *cli.Context, key keys.PublicKey, issuer keys.PrivateKey) (string, error) {
	at := f.now.clock(f.process.now)()
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: f.issuer, Email: f.email, PublicKey: key,
		IssuedAt: at, Expires: at.Add(time.Duration(f.duration)),
	}, issuer)
	if err != nil {
		return "", usageError(c, "%w", err)
	}
	return certificate, nil
}

// missingFlag gives the first of the named flags that is not set, or "".
func missingFlag(c *cli.Context, names ...string) string {
	for _, name := range names {
		if !c.IsSet(name) {
			return name
		}
	}
	return ""
}
