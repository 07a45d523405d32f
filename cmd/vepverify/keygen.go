package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/sniff"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

const keygenHelp = `Generates a key. The private key is written to a new file that only you can read, and
never to a terminal. The public key is printed.`

// keygenManual is the rest of its help and of its man page.
var keygenManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Generate the key of an issuer, and print the public key", Lines: "vepverify keygen --out issuer.key"},
		{For: "The same, with a file for verifiers that do not fetch", Lines: "vepverify keygen --out issuer.key --bundle idp.example > keys.json"},
		{For: "Print the support document of an issuer that has a key", Lines: "vepverify keygen --from issuer.key --document > browserid"},
		{For: "Generate the key of an issuer of tokens, and its key set", Lines: "vepverify keygen --algorithm Ed25519 --out issuer.jwk --jwks > jwks.json"},
	},
	Notes: `--document prints a support document. A domain that serves it as
https://DOMAIN/.well-known/browserid (type application/json) is the authority for its own
users; put your own paths into it. --bundle prints the same as a file for --keys of verify.
Its DOMAIN may be in Unicode; the file has the ASCII form, xn--….
With --from, the public key is that of an existing private key.

Issuers of the Email Verification Protocol (experimental) have keys for Ed25519, ES256 or
RS256, as JWK. The key ID is the key's thumbprint (RFC 7638). --jwks prints the set of public
keys that an issuer serves at its jwks_uri. BrowserID has neither Ed25519 nor ES256, and RS256
keys are JWK with --jwk or --jwks only.`,
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "done"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, a file that exists or cannot be written"},
	},
	Flags: map[string]string{
		"out": `The file must not exist. Its mode is 0600. A private key for BrowserID is a JSON object; with
--jwk or --jwks it is a JWK.`,
		"algorithm": `RS256 is RSA with 2048 bits, and RS128 with 1024. DS128 and DS256 are DSA, which old clients
generate. Ed25519 and ES256 are for issuers of tokens. RS64 needs --insecure-weak-keys.`,
		"from":               `The file is one that this command has written. --out and --algorithm are not needed then.`,
		"insecure-weak-keys": `RS64 is RSA with 512 bits. It is for test vectors.`,
	},
	SeeAlso:   []string{"certify", "lookup", "verify"},
	Documents: []string{"docs/PROTOCOL.md", "docs/EVP.md"},
}

// The paths in a support document, which its owner may change.
const (
	defaultAuthentication = "/browserid/sign_in.html"
	defaultProvisioning   = "/browserid/provision.html"
)

// keygenCmd is the command keygen with its flags.
type keygenCmd struct {
	algorithm cli.Choice
	out       string
	from      string
	bundle    string
	document  bool
	weakKeys  bool
	jwk, jwks bool
}

func keygenCommand() *cli.Command {
	k := &keygenCmd{algorithm: cli.NewChoice(keys.RS256, keygenAlgorithms()...)}
	return &cli.Command{
		Name: "keygen", Usage: "generate a key, or an issuer's support document",
		Help: keygenHelp, Manual: keygenManual, Run: k.run,
		Flags: []cli.Flag{
			cli.Text(&k.out, "out", "new `FILE` for the private key"),
			cli.Value(&k.algorithm, "algorithm", "algorithm of the key, `NAME`: "+strings.Join(keygenAlgorithms(), ", ")),
			cli.Text(&k.from, "from", "use the private key in `FILE` instead of a new one"),
			cli.Switch(&k.document, "document", "print a support document with the public key"),
			cli.Text(&k.bundle, "bundle", "print a file for --keys with the key for `DOMAIN`"),
			cli.Switch(&k.jwk, "jwk", "write the private key and print the public key as JWK, for the Email Verification Protocol"),
			cli.Switch(&k.jwks, "jwks", "the same, and print a set of public keys (JWKS) with the key"),
			identity.WeakKeysFlag(&k.weakKeys),
		},
	}
}

func (k *keygenCmd) run(ctx context.Context, c *cli.Call) error {
	if err := k.check(c); err != nil {
		return err
	}
	var existing []byte // of --from
	if k.from != "" {
		var err error
		if existing, err = c.ReadFile(ctx, k.from); err != nil {
			return err
		}
	}
	describe := k.browserID
	if k.isJWK(existing) {
		describe = k.webKey
	}
	text, err := describe(c, existing)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s\n", text)
	return nil
}

// isJWK reports whether the key is one as JWK, for the Email Verification Protocol.
func (k *keygenCmd) isJWK(existing []byte) bool {
	switch {
	case k.jwk || k.jwks:
		return true
	case k.from != "":
		return sniff.OfFile(existing) == sniff.PrivateCurveKey
	}
	return !slices.Contains(keys.Algorithms(), k.algorithm.Word)
}

// browserID returns what is printed of a key for BrowserID.
func (k *keygenCmd) browserID(c *cli.Call, existing []byte) ([]byte, error) {
	key, err := k.key(c, existing)
	if err != nil {
		return nil, err
	}
	return k.describe(key.Public())
}

// webKey returns what is printed of a key as JWK.
func (k *keygenCmd) webKey(c *cli.Call, existing []byte) ([]byte, error) {
	if k.document || k.bundle != "" {
		return nil, c.UsageErrorf("--document and --bundle are for keys of BrowserID, not for a JWK: --jwks prints a set of public keys")
	}
	key, err := k.jwkKey(existing)
	if err != nil {
		return nil, err
	}
	public := key.Public()
	if k.jwks {
		return json.MarshalIndent(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}, "", "  ")
	}
	return public.MarshalJSON()
}

// jwkKey generates a key as JWK and writes it to a file, or parses an existing one.
func (k *keygenCmd) jwkKey(existing []byte) (*jose.JSONWebKey, error) {
	if k.from != "" {
		return parseJWK(k.from, existing)
	}
	key, err := newJWK(k.algorithm.Word)
	if err != nil {
		return nil, err
	}
	text, err := key.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return key, cli.CreateSecret(k.out, append(text, '\n'))
}

// check returns an error if a flag is missing or flags contradict each other.
func (k *keygenCmd) check(c *cli.Call) error {
	switch {
	case len(c.Args) > 0:
		return c.UsageErrorf("keygen takes flags only; --out names the file for the key")
	case k.out == "" && k.from == "":
		return c.UsageErrorf("--out is missing: the new file for the private key, such as --out issuer.key")
	case k.from != "" && (c.Given("out") || c.Given("algorithm")):
		return c.UsageErrorf("--from uses an existing key and excludes --out and --algorithm")
	case k.document && k.bundle != "":
		return c.UsageErrorf("--document and --bundle exclude each other")
	case (k.jwk || k.jwks) && k.from == "" && !hasJWK(k.algorithm.Word):
		return c.UsageErrorf("--algorithm %s: a JWK is for Ed25519, ES256 or RS256", k.algorithm.Word)
	case k.bundle == "":
		return nil
	}
	name, err := origin.WrittenDomain(k.bundle)
	if err != nil {
		return c.UsageErrorf("--bundle %.100q: %w", k.bundle, err)
	}
	k.bundle = name
	return nil
}

// key generates a key and writes it to a file, or parses an existing one.
func (k *keygenCmd) key(c *cli.Call, existing []byte) (keys.PrivateKey, error) {
	if k.from != "" {
		return identity.ParsePrivateKey(k.from, existing, k.weakKeys)
	}
	key, err := newKey(c, k.algorithm.Word, k.weakKeys)
	if err != nil {
		return nil, err
	}
	text, err := key.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return key, cli.CreateSecret(k.out, append(text, '\n'))
}

// describe returns what is printed of the key.
func (k *keygenCmd) describe(key keys.PublicKey) ([]byte, error) {
	document := &wellknown.Document{
		PublicKey: key, Authentication: defaultAuthentication, Provisioning: defaultProvisioning,
	}
	switch {
	case k.document:
		return json.MarshalIndent(document, "", "  ")
	case k.bundle != "":
		return json.MarshalIndent(map[string]any{k.bundle: document}, "", "  ")
	}
	return key.MarshalJSON()
}

// keygenAlgorithms returns the algorithms of keygen: those of BrowserID, and those of the Email
// Verification Protocol.
func keygenAlgorithms() []string { return append(keys.Algorithms(), algEd25519, algES256) }

// newAlgorithm returns the value of --algorithm of a command for BrowserID.
func newAlgorithm() cli.Choice { return cli.NewChoice(keys.RS256, keys.Algorithms()...) }

// newKey generates a key of the named algorithm.
func newKey(c *cli.Call, algorithm string, allowWeak bool) (keys.PrivateKey, error) {
	generate := keys.Generate
	if allowWeak {
		generate = keys.InsecureGenerate
	}
	key, err := generate(algorithm)
	if errors.Is(err, keys.ErrWeak) {
		return nil, c.UsageErrorf("--algorithm: anyone can break %s keys; for tests, add --insecure-weak-keys", algorithm)
	}
	return key, err
}
