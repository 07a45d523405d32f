// Package identity reads and writes identity files and keys of the commands.
//
// An identity file has an email address, a certificate for it, and the private
// key that the certificate is about:
//
//	{"email":…,"certificate":…,"privateKey":…}
package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/sniff"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// Identity is the content of an identity file, with which its owner can sign in.
type Identity struct {
	Email       string          `json:"email"`
	Certificate string          `json:"certificate"`
	PrivateKey  keys.PrivateKey `json:"privateKey"`
}

// WeakKeysFlag returns the flag with which the commands accept weak keys.
func WeakKeysFlag(variable *bool) cli.Flag {
	return cli.Switch(variable, "insecure-weak-keys", "allow keys that anyone can break (RS64)")
}

// Write writes a new file.
func (id *Identity) Write(name string) error {
	text, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	return cli.CreateSecret(name, append(text, '\n'))
}

// Expires returns the time until which the certificate is valid.
func (id *Identity) Expires() (time.Time, error) {
	certificate, err := certchain.ParseCertificate(id.Certificate)
	if err != nil {
		return time.Time{}, err
	}
	return certificate.Validity.Expires, nil
}

// Check returns an error if no assertion made with the identity can be valid at
// that time.
func (id *Identity) Check(at time.Time) error {
	certificate, err := certchain.ParseCertificate(id.Certificate)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	key, err := certificate.PublicKey(true) // Read has refused weak private keys
	if err != nil {
		return err
	}
	if !key.Equal(id.PrivateKey.Public()) {
		return errors.New("its certificate is about another key than the one in it")
	}
	times := certificate.Validity
	switch err := times.Check(at, 0); {
	case errors.Is(err, certchain.ErrExpired):
		return fmt.Errorf("its certificate is not valid now: it expired %s; make a new one with vepverify certify", cli.FormatTime(times.Expires, at))
	case err != nil:
		return fmt.Errorf("its certificate is not valid now (%w); compare the clocks, or make a new one with vepverify certify", err)
	}
	return nil
}

// Read reads an identity file.
func Read(ctx context.Context, p *cli.Process, name string, allowWeak bool) (*Identity, error) {
	data, err := p.ReadFile(ctx, name)
	if err != nil {
		return nil, err
	}
	id, err := parse(data, allowWeak)
	if err != nil {
		return nil, wrongFile(name, "an identity file of vepverify certify", data, sniff.Identity, err)
	}
	return id, nil
}

// wrongFile returns the error for a file with another content than wanted: what it is, if
// that is recognized, else the problem.
func wrongFile(name, wanted string, data []byte, kind sniff.Kind, err error) error {
	found := sniff.OfFile(data)
	if found == sniff.PrivateCurveKey || found == sniff.PublicCurveKey {
		wanted = strings.Replace(wanted, "of vepverify keygen", "for BrowserID", 1)
	}
	if found == sniff.Unknown || found == sniff.JSON || found == kind {
		return fmt.Errorf("%s is not %s: %w", cli.FileName(name), wanted, err)
	}
	return fmt.Errorf("%s is not %s, but %s%s", cli.FileName(name), wanted, found, howToSave(found))
}

// howToSave returns what to do about the encoding of a file.
func howToSave(kind sniff.Kind) string {
	switch kind {
	case sniff.UTF8BOM, sniff.UTF16, sniff.Compressed:
		return ": " + kind.Advice()
	}
	return ""
}

// parse parses the content of an identity file.
func parse(data []byte, allowWeak bool) (*Identity, error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	id := new(Identity)
	raw, _ := object.Get("email")
	email, ok := strictjson.String(raw)
	if !ok {
		return nil, errors.New("no email in it")
	}
	id.Email = email
	raw, _ = object.Get("certificate")
	if id.Certificate, ok = strictjson.String(raw); !ok {
		return nil, errors.New("no certificate in it")
	}
	raw, ok = object.Get("privateKey")
	if !ok {
		return nil, errors.New("no privateKey in it")
	}
	id.PrivateKey, err = parsePrivateKey(raw, allowWeak)
	return id, err
}

// ReadPrivateKey reads a private key of vepverify keygen.
func ReadPrivateKey(ctx context.Context, p *cli.Process, name string, allowWeak bool) (keys.PrivateKey, error) {
	data, err := p.ReadFile(ctx, name)
	if err != nil {
		return nil, err
	}
	return ParsePrivateKey(name, data, allowWeak)
}

// ParsePrivateKey parses a private key of vepverify keygen. The name is that of its file.
func ParsePrivateKey(name string, data []byte, allowWeak bool) (keys.PrivateKey, error) {
	key, err := parsePrivateKey(data, allowWeak)
	if err != nil {
		return nil, wrongFile(name, "a private key of vepverify keygen", data, sniff.PrivateKey, err)
	}
	return key, nil
}

func parsePrivateKey(data []byte, allowWeak bool) (keys.PrivateKey, error) {
	if allowWeak {
		return keys.InsecureParsePrivateKey(data)
	}
	key, err := keys.ParsePrivateKey(data)
	return key, withWeakKeyHint(err)
}

// ReadPublicKey reads a public key that vepverify keygen has printed.
func ReadPublicKey(ctx context.Context, p *cli.Process, name string, allowWeak bool) (keys.PublicKey, error) {
	data, err := p.ReadFile(ctx, name)
	if err != nil {
		return nil, err
	}
	if sniff.OfFile(data) == sniff.PrivateKey { // it has the members of a public key, too
		return nil, fmt.Errorf("%s is not a public key, but a private key: print its public key with vepverify keygen --from %[1]s", cli.FileName(name))
	}
	parse := keys.ParsePublicKey
	if allowWeak {
		parse = keys.InsecureParsePublicKey
	}
	key, err := parse(data)
	if err != nil {
		return nil, wrongFile(name, "a public key of vepverify keygen", data, sniff.PublicKey, withWeakKeyHint(err))
	}
	return key, nil
}

// withWeakKeyHint adds the flag that accepts a weak key.
func withWeakKeyHint(err error) error {
	if errors.Is(err, keys.ErrWeak) {
		return fmt.Errorf("%w (for tests, add --insecure-weak-keys)", err)
	}
	return err
}
