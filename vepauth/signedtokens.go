package vepauth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	defaultLife = 5 * time.Minute
	maxLife     = 24 * time.Hour
	minSecret   = 16 // bytes
	saltSize    = 16 // bytes
)

// The labels that keep the two uses of a master secret apart (RFC 5869).
const (
	macLabel    = "vepauth signed token v1: authentication"
	secretLabel = "vepauth signed token v1: client secret: "
)

// SignedTokensConfig says how tokens are signed.
type SignedTokensConfig struct {
	// Secrets are the master secrets, each of 16 bytes at least; 32 random ones
	// are good. The first makes tokens, all of them are accepted: to change the
	// secret, put the new one in front and drop the old one after Life. Servers
	// that share them accept each other's tokens, and need a shared
	// Config.Nonces. None: a random one that ends with the process.
	Secrets [][]byte
	// Life is how long a token is good. 0: 5 minutes; at most 24 hours.
	Life time.Duration
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Rand is where salts and the random master secret come from. Nil:
	// crypto/rand.
	Rand io.Reader
}

// SignedTokens is the TokenManager that keeps nothing: a token is a JSON object
// with a MAC, from which its secret can be derived again. It can be read by
// whoever has it, its email address too, and cannot be revoked before it expires.
type SignedTokens struct {
	masters []*master
	life    time.Duration
	now     func() time.Time
	rand    io.Reader
}

// master is a master secret, and HMACs with the key derived from it: used ones are
// used again, which saves preparing the key.
type master struct {
	secret []byte
	macs   sync.Pool // of hash.Hash
}

// NewSignedTokens makes a TokenManager. It errs when a secret is too short or
// Life out of bounds.
func NewSignedTokens(c SignedTokensConfig) (*SignedTokens, error) {
	t := &SignedTokens{life: c.Life, now: c.Now, rand: c.Rand}
	if t.life == 0 {
		t.life = defaultLife
	}
	if t.life < 0 || t.life > maxLife {
		return nil, fmt.Errorf("vepauth: a Life of %v, not 0 to %v", t.life, maxLife)
	}
	if t.now == nil {
		t.now = time.Now
	}
	if t.rand == nil {
		t.rand = rand.Reader
	}
	secrets := c.Secrets
	if len(secrets) == 0 {
		random, err := t.random(sha256.Size)
		if err != nil {
			return nil, err
		}
		secrets = [][]byte{random}
	}
	if err := t.derive(secrets); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *SignedTokens) derive(secrets [][]byte) error {
	for i, secret := range secrets {
		if len(secret) < minSecret {
			return fmt.Errorf("vepauth: the master secret %d has %d bytes, fewer than %d", i+1, len(secret), minSecret)
		}
		key, err := hkdf.Key(sha256.New, secret, nil, macLabel, sha256.Size)
		if err != nil {
			return fmt.Errorf("vepauth: %w", err)
		}
		m := &master{secret: slices.Clone(secret)}
		m.macs.New = func() any { return hmac.New(sha256.New, key) }
		t.masters = append(t.masters, m)
	}
	return nil
}

func (t *SignedTokens) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(t.rand, b); err != nil {
		return nil, fmt.Errorf("vepauth: no randomness: %w", err)
	}
	return b, nil
}

// MakeToken implements TokenManager. It refuses an identity without an email
// address, as a trusted issuer can certify one.
func (t *SignedTokens) MakeToken(_ *http.Request, g Grant) (Token, error) {
	if g.Result == nil || g.Result.Email == "" {
		return Token{}, fmt.Errorf("%w: no email address", ErrRefused)
	}
	salt, err := t.random(saltSize)
	if err != nil {
		return Token{}, err
	}
	p := payload{
		Email: g.Result.Email, Issuer: g.Result.Issuer, Origin: g.Scope.Origin,
		Application: g.Scope.Application, Version: g.Scope.Version,
		Expires: t.now().Add(t.life).UnixMilli(), Salt: []byte(base64.RawURLEncoding.EncodeToString(salt)),
	}
	m := t.masters[0]
	data := p.encode()
	id := base64.RawURLEncoding.EncodeToString(m.appendMAC(data, data))
	secret, err := m.clientSecret(id, p.Salt)
	return Token{ID: id, Secret: secret}, err
}

// ParseToken implements TokenManager.
func (t *SignedTokens) ParseToken(_ *http.Request, token string) (Identity, string, error) {
	signed, err := decodeToken(token)
	if err != nil {
		return Identity{}, "", err
	}
	m, ok := t.signerOf(signed)
	if !ok {
		return Identity{}, "", fmt.Errorf("%w: not signed here", ErrRefused)
	}
	p, err := decodePayload(signed[:len(signed)-sha256.Size])
	if err != nil {
		return Identity{}, "", err
	}
	expires := time.UnixMilli(p.Expires)
	if t.now().After(expires) {
		return Identity{}, "", fmt.Errorf("%w: expired", ErrRefused)
	}
	secret, err := m.clientSecret(token, p.Salt)
	return Identity{
		Email: p.Email, Issuer: p.Issuer, Expires: expires, Scope: Scope{p.Origin, p.Application, p.Version},
	}, secret, err
}

var strictBase64URL = base64.RawURLEncoding.Strict()

// decodeToken gives the bytes of a token, with room for one more MAC behind. They
// have one text only, else a request could be replayed with another text for
// the same token.
func decodeToken(token string) ([]byte, error) {
	room := make([]byte, 0, base64.RawURLEncoding.DecodedLen(len(token))+sha256.Size)
	signed, err := strictBase64URL.AppendDecode(room, []byte(token))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: no base64url", ErrRefused)
	case len(signed) <= sha256.Size || base64.RawURLEncoding.EncodedLen(len(signed)) != len(token): // line breaks
		return nil, fmt.Errorf("%w: no token", ErrRefused)
	}
	return signed, nil
}

// signerOf finds the master secret that the token was signed with.
func (t *SignedTokens) signerOf(signed []byte) (*master, bool) {
	data, mac := signed[:len(signed)-sha256.Size], signed[len(signed)-sha256.Size:]
	for _, m := range t.masters {
		if hmac.Equal(mac, m.appendMAC(signed, data)[len(signed):]) {
			return m, true
		}
	}
	return nil, false
}

// appendMAC appends the MAC of data to to, which may be the same.
func (m *master) appendMAC(to, data []byte) []byte {
	h := m.macs.Get().(hash.Hash)
	defer m.macs.Put(h)
	h.Reset()
	h.Write(data)
	return h.Sum(to)
}

// clientSecret derives the secret that goes with a token, and with no other.
func (m *master) clientSecret(token string, salt []byte) (string, error) {
	key, err := hkdf.Key(sha256.New, m.secret, salt, secretLabel+token, sha256.Size)
	return base64URL(key), err
}
