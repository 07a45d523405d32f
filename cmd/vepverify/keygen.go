package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
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

// keygenCmd is the command keygen.
type keygenCmd struct {
	algorithm string
	out       string
	from      string
	bundle    string
	document  bool
	weakKeys  bool
}

func keygenCommand() *cli.Command {
	k := &keygenCmd{algorithm: keys.RS256}
	return &cli.Command{
		Name: "keygen", Usage: "make a key, or an issuer's support document",
		Help: keygenHelp, Run: k.run,
		Flags: []cli.Flag{
			cli.Text(&k.out, "out", "new `FILE` for the private key"),
			cli.Text(&k.algorithm, "algorithm", "`NAME`: "+strings.Join(keys.Algorithms(), ", ")),
			cli.Text(&k.from, "from", "use the private key in `FILE`, make none"),
			cli.Switch(&k.document, "document", "print a support document with the public key"),
			cli.Text(&k.bundle, "bundle", "print a file for --keys in which the key is `DOMAIN`'s"),
			cli.Switch(&k.weakKeys, "insecure-weak-keys", "allow keys that anyone can break (RS64)"),
		},
	}
}

func (k *keygenCmd) run(ctx context.Context, c *cli.Call) error {
	if err := k.check(c); err != nil {
		return err
	}
	key, err := k.key(ctx, c)
	if err != nil {
		return err
	}
	text, err := k.describe(key.Public())
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s\n", text)
	return nil
}

func (k *keygenCmd) check(c *cli.Call) error {
	_, bundleOK := domain.Parse(k.bundle)
	switch {
	case len(c.Args) > 0:
		return c.UsageErrorf("keygen takes flags only; the file for the key is named by --out")
	case k.out == "" && k.from == "":
		return c.UsageErrorf("--out is missing: the new file for the private key, such as --out issuer.key")
	case k.from != "" && (c.Given("out") || c.Given("algorithm")):
		return c.UsageErrorf("--from takes a key that exists, so --out and --algorithm have no place beside it")
	case k.document && k.bundle != "":
		return c.UsageErrorf("--document and --bundle exclude each other")
	case k.bundle != "" && !bundleOK:
		return c.UsageErrorf("--bundle: %.100q is no domain", k.bundle)
	}
	return nil
}

// key makes a key and writes it down, or reads one.
func (k *keygenCmd) key(ctx context.Context, c *cli.Call) (keys.PrivateKey, error) {
	if k.from != "" {
		return identity.ReadPrivateKey(ctx, c.Process, k.from, k.weakKeys)
	}
	key, err := newKey(c, k.algorithm, k.weakKeys)
	if err != nil {
		return nil, err
	}
	text, err := key.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return key, cli.CreateSecret(k.out, append(text, '\n'))
}

// describe gives what is printed of the key.
func (k *keygenCmd) describe(key keys.PublicKey) ([]byte, error) {
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
func newKey(c *cli.Call, algorithm string, allowWeak bool) (keys.PrivateKey, error) {
	generate := keys.Generate
	if allowWeak {
		generate = keys.InsecureGenerate
	}
	key, err := generate(algorithm)
	switch {
	case errors.Is(err, keys.ErrUnknownType):
		return nil, c.UsageErrorf("--algorithm: no %.40q; there are %s", algorithm, strings.Join(keys.Algorithms(), ", "))
	case errors.Is(err, keys.ErrWeak):
		return nil, c.UsageErrorf("%s keys can be broken by anyone; for tests, add --insecure-weak-keys", algorithm)
	}
	return key, err
}

// keyInfo is what people and scripts are told of a public key.
type keyInfo struct {
	Algorithm   string `json:"algorithm"`
	Bits        int    `json:"bits"`
	Fingerprint string `json:"sha256"` // of the canonical form, in hexadecimal
	Weak        bool   `json:"weak,omitempty"`
}

func describeKey(k keys.PublicKey) keyInfo {
	return keyInfo{
		Algorithm: k.Algorithm(), Bits: bits(k), Weak: k.Weak(),
		Fingerprint: fmt.Sprintf("%x", sha256.Sum256(k.Canonical())),
	}
}

// bits is the size of the key's modulus, as its JWK has it; 0 for a kind of
// key that has none.
func bits(k keys.PublicKey) int {
	text, err := k.MarshalJWK()
	if err != nil {
		return 0
	}
	var jwk struct{ N, P string }
	if json.Unmarshal(text, &jwk) != nil {
		return 0
	}
	number, err := base64.RawURLEncoding.DecodeString(jwk.N + jwk.P) // one of them is empty
	if err != nil {
		return 0
	}
	return new(big.Int).SetBytes(number).BitLen()
}

// String gives the key on one line.
func (k keyInfo) String() string {
	s := fmt.Sprintf("%s, %d bits, sha256:%s", k.Algorithm, k.Bits, k.Fingerprint)
	if k.Weak {
		s += " (WEAK)"
	}
	return s
}
