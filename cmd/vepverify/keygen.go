package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

const keygenHelp = `Makes a key. The private key goes into a new file that only you can read, never onto a
terminal; the public key is printed.

Examples:
  vepverify keygen --out issuer.key
  vepverify keygen --out issuer.key --bundle idp.example > keys.json
  vepverify keygen --from issuer.key --document > browserid

--document prints a support document, which a domain serves as
https://DOMAIN/.well-known/browserid (type application/json) to have its own users'
certificates believed; put your own paths into it. --bundle prints the same as a file for
--keys of verify. With --from they are made of a key that exists.

Exit status:
  0 done   2 usage, a file that exists or cannot be written`

// Where a support document sends people, until its owner says otherwise.
const (
	defaultAuthentication = "/browserid/sign_in.html"
	defaultProvisioning   = "/browserid/provision.html"
)

// keyMaking is the command keygen.
type keyMaking struct {
	*process
	algorithm string
	out       string
	from      string
	bundle    string
	document  bool
	weakKeys  bool
}

func keygenCommand(p *process) *cli.Command {
	k := &keyMaking{process: p, algorithm: keys.RS256}
	return &cli.Command{
		Name: "keygen", Usage: "make a key, or an issuer's support document",
		Description: keygenHelp, Action: k.run,
		Flags: []cli.Flag{
			textFlag(&k.out, "out", "new `FILE` for the private key"),
			textFlag(&k.algorithm, "algorithm", "`NAME`: "+strings.Join(keys.Algorithms(), ", ")),
			textFlag(&k.from, "from", "use the private key in `FILE`, make none"),
			switchFlag(&k.document, "document", "print a support document with the public key"),
			textFlag(&k.bundle, "bundle", "print a file for --keys in which the key is `DOMAIN`'s"),
			switchFlag(&k.weakKeys, "insecure-weak-keys", "allow keys that anyone can break (RS64)"),
		},
	}
}

func (k *keyMaking) run(c *cli.Context) error {
	if err := k.check(c); err != nil {
		return err
	}
	key, err := k.key(c)
	if err != nil {
		return err
	}
	text, err := k.describe(key.Public())
	if err != nil {
		return err
	}
	fmt.Fprintf(k.process.out, "%s\n", text)
	return nil
}

func (k *keyMaking) check(c *cli.Context) error {
	_, bundleOK := domain.Parse(k.bundle)
	switch {
	case c.NArg() > 0:
		return usageError(c, "keygen takes flags only; the file for the key is named by --out")
	case k.out == "" && k.from == "":
		return usageError(c, "--out is missing: the new file for the private key, such as --out issuer.key")
	case k.from != "" && (k.given(c, "out") || k.given(c, "algorithm")):
		return usageError(c, "--from takes a key that exists, so --out and --algorithm have no place beside it")
	case k.document && k.bundle != "":
		return usageError(c, "--document and --bundle exclude each other")
	case k.bundle != "" && !bundleOK:
		return usageError(c, "--bundle: %.100q is no domain", k.bundle)
	}
	return nil
}

// key makes a key and writes it down, or reads one.
func (k *keyMaking) key(c *cli.Context) (keys.PrivateKey, error) {
	if k.from != "" {
		return k.readKey(c.Context, k.from, k.weakKeys)
	}
	key, err := newKey(c, k.algorithm, k.weakKeys)
	if err != nil {
		return nil, err
	}
	text, err := key.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return key, createSecret(k.out, append(text, '\n'))
}

// describe gives what is printed of the key.
func (k *keyMaking) describe(key keys.PublicKey) ([]byte, error) {
	document := &wellknown.Document{
		PublicKey: key, Authentication: defaultAuthentication, Provisioning: defaultProvisioning,
	}
	switch {
	case k.document:
		return json.MarshalIndent(document, "", "  ")
	case k.bundle != "":
		name, _ := domain.Parse(k.bundle)
		return json.MarshalIndent(map[string]any{name: document}, "", "  ")
	}
	return key.MarshalJSON()
}

// newKey makes a key of the named algorithm.
func newKey(c *cli.Context, algorithm string, weakToo bool) (keys.PrivateKey, error) {
	generate := keys.Generate
	if weakToo {
		generate = keys.InsecureGenerate
	}
	key, err := generate(algorithm)
	switch {
	case errors.Is(err, keys.ErrUnknownType):
		return nil, usageError(c, "--algorithm: no %.40q; there are %s", algorithm, strings.Join(keys.Algorithms(), ", "))
	case errors.Is(err, keys.ErrWeak):
		return nil, usageError(c, "%s keys can be broken by anyone; for tests, add --insecure-weak-keys", algorithm)
	}
	return key, err
}
