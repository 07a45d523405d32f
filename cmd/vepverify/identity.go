package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// identity is the file with which somebody can sign in: who they are, the
// issuer's word for it, and the key that the word is about.
type identity struct {
	Email       string          `json:"email"`
	Certificate string          `json:"certificate"`
	PrivateKey  keys.PrivateKey `json:"privateKey"`
}

// write makes the file, which must not exist.
func (id *identity) write(name string) error {
	text, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	return createSecret(name, append(text, '\n'))
}

// readIdentity reads what write has written.
func (p *process) readIdentity(ctx context.Context, name string, weakToo bool) (*identity, error) {
	data, err := p.readFile(ctx, name)
	if err != nil {
		return nil, err
	}
	id, err := parseIdentity(data, weakToo)
	if err != nil {
		return nil, fmt.Errorf("%s is no identity, as vepverify certify writes it: %w", nameOf(name), err)
	}
	return id, nil
}

func parseIdentity(data []byte, weakToo bool) (*identity, error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	id := new(identity)
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
	id.PrivateKey, err = parsePrivate(raw, weakToo)
	return id, err
}

// readKey reads a file with a private key.
func (p *process) readKey(ctx context.Context, name string, weakToo bool) (keys.PrivateKey, error) {
	data, err := p.readFile(ctx, name)
	if err != nil {
		return nil, err
	}
	key, err := parsePrivate(data, weakToo)
	if err != nil {
		return nil, fmt.Errorf("%s is no private key, as vepverify keygen writes it: %w", nameOf(name), err)
	}
	return key, nil
}

func parsePrivate(data []byte, weakToo bool) (keys.PrivateKey, error) {
	if weakToo {
		return keys.InsecureParsePrivateKey(data)
	}
	key, err := keys.ParsePrivateKey(data)
	return key, allowWeak(err)
}

// readPublicKey reads a file with a public key.
func (p *process) readPublicKey(ctx context.Context, name string, weakToo bool) (keys.PublicKey, error) {
	data, err := p.readFile(ctx, name)
	if err != nil {
		return nil, err
	}
	parse := keys.ParsePublicKey
	if weakToo {
		parse = keys.InsecureParsePublicKey
	}
	key, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s is no public key, as vepverify keygen prints it: %w", nameOf(name), allowWeak(err))
	}
	return key, nil
}

// allowWeak adds what to do about a weak key.
func allowWeak(err error) error {
	if errors.Is(err, keys.ErrWeak) {
		return fmt.Errorf("%w (for tests, add --insecure-weak-keys)", err)
	}
	return err
}
