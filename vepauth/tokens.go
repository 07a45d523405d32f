package vepauth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/redact"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// ErrRefused is the error of a TokenManager for which the client is responsible: an identity
// that gets no token, or a token that is malformed, unknown or expired. A TokenManager may
// wrap it. The answer is 401 with a challenge.
var ErrRefused = errors.New("refused")

// errForeignToken is the error of SignedTokens for a token that it did not issue.
var errForeignToken = fmt.Errorf("%w: not signed with a secret of this server", ErrRefused)

// TokenManager issues and parses the tokens with which requests are signed.
// SignedTokens is the default.
//
// An error that matches ErrRefused is answered with 401. Every other error, such as that of
// a database that is down, is logged and answered with 503. The methods must be safe for
// concurrent use.
type TokenManager interface {
	// MakeToken issues a token for a verified identity, or returns an error.
	MakeToken(r *http.Request, g Grant) (Token, error)

	// ParseToken returns what MakeToken was given for the token: the identity, with
	// Grant.Scope as its Scope, and the secret. ParseToken must check whether the token
	// has expired; the caller checks whether the Scope is that of the request. It
	// must accept only one text for each token, because nonces are stored by text.
	ParseToken(r *http.Request, token string) (id Identity, secret string, err error)
}

// Grant is what MakeToken issues a token for.
type Grant struct {
	// Result is the verified identity.
	Result *assertion.Result
	// Scope is where the token is to be valid.
	Scope Scope
	// Values are the decoded values of the placeholders of Config.TokenURL by name,
	// application and version among them. It is nil without placeholders.
	Values map[string]string
}

// Token is the answer to a Grant. Formatting and logging it shows neither the ID nor
// the Secret.
type Token struct {
	// ID is public: each request contains it.
	ID string
	// Secret signs requests. It is sent once, in the answer.
	Secret string
	// Extra are more members of the JSON object that is the answer. A member with the
	// name of a credential is dropped.
	Extra map[string]any
}

// Format implements [fmt.Formatter] for every verb.
func (t Token) Format(f fmt.State, verb rune) { redact.Text("token").Format(f, verb) }

// LogValue implements [slog.LogValuer].
func (t Token) LogValue() slog.Value { return redact.Text("token").LogValue() }

const (
	defaultLife = 5 * time.Minute
	maxLife     = 24 * time.Hour
	minSecret   = 16 // bytes
	saltSize    = 16 // bytes
)

// The labels that separate the two uses of a master secret (RFC 5869).
const (
	macLabel    = "vepauth signed token v1: authentication"
	secretLabel = "vepauth signed token v1: client secret: "
)

// SignedTokensConfig configures SignedTokens.
type SignedTokensConfig struct {
	// Secrets are the master secrets, each of at least 16 bytes; 32 random bytes are
	// recommended. The first signs tokens, and all are accepted: to rotate the secret,
	// insert the new one at the front and remove the old one after Life. Servers that
	// share secrets accept each other's tokens, and must share Config.Nonces. Empty
	// means one random secret that is lost when the process ends.
	Secrets [][]byte
	// Life is how long a token is valid. 0 means 5 minutes; at most 24 hours.
	Life time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Rand is the source of salts and of the random master secret. Nil means
	// crypto/rand.
	Rand io.Reader
}

// validate checks the fields that have limits.
func (c SignedTokensConfig) validate() error {
	if c.Life < 0 || c.Life > maxLife {
		return fmt.Errorf("vepauth: Life: %v: not between 0 and %v", c.Life, maxLife)
	}
	for i, secret := range c.Secrets {
		if len(secret) < minSecret {
			return fmt.Errorf("vepauth: Secrets: number %d: shorter than %d bytes", i+1, minSecret)
		}
	}
	return nil
}

// withDefaults returns a copy with the defaults in place of zero values, except for Secrets.
func (c SignedTokensConfig) withDefaults() SignedTokensConfig {
	if c.Life == 0 {
		c.Life = defaultLife
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c
}

// SignedTokens is a TokenManager that stores nothing: a token is a JSON object with a
// MAC, and its secret is derived from it. A token is not encrypted: it shows the email
// address. A token cannot be revoked before it expires. Use NewSignedTokens to create one: the
// methods of a nil or zero one return an error.
type SignedTokens struct {
	config  SignedTokensConfig // with all defaults
	masters []*master
}

// master is a master secret, with a pool of HMACs of the key that is derived from it. An
// HMAC from the pool does not have to process the key again (BenchmarkSigned).
type master struct {
	secret []byte
	macs   sync.Pool // of hash.Hash
}

// NewSignedTokens returns a TokenManager. It returns an error if a secret is too short
// or Life is out of range.
func NewSignedTokens(c SignedTokensConfig) (*SignedTokens, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	t := &SignedTokens{config: c.withDefaults()}
	secrets := c.Secrets
	if len(secrets) == 0 {
		secret, err := t.random(sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("vepauth: Rand: %w", err)
		}
		secrets = [][]byte{secret}
	}
	for i, secret := range secrets {
		m, err := newMaster(secret)
		if err != nil {
			return nil, fmt.Errorf("vepauth: Secrets: number %d: %w", i+1, err)
		}
		t.masters = append(t.masters, m)
	}
	return t, nil
}

// newMaster derives the key of the MACs from a master secret.
func newMaster(secret []byte) (*master, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, macLabel, sha256.Size)
	if err != nil {
		return nil, err
	}
	m := &master{secret: slices.Clone(secret)}
	m.macs.New = func() any { return hmac.New(sha256.New, key) }
	return m, nil
}

// random returns n random bytes.
func (t *SignedTokens) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(t.config.Rand, b); err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	return b, nil
}

// checkMade returns an error if NewSignedTokens has not made t.
func (t *SignedTokens) checkMade() error {
	if t == nil || len(t.masters) == 0 {
		return errors.New("SignedTokens not made by NewSignedTokens")
	}
	return nil
}

// MakeToken implements TokenManager. It refuses an identity without an email address,
// which a trusted issuer can certify.
func (t *SignedTokens) MakeToken(_ *http.Request, g Grant) (Token, error) {
	if err := t.checkMade(); err != nil {
		return Token{}, err
	}
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
		Expires: t.config.Now().Add(t.config.Life).UnixMilli(), Salt: []byte(base64.RawURLEncoding.EncodeToString(salt)),
	}
	m := t.masters[0]
	data := p.encode()
	id := base64.RawURLEncoding.EncodeToString(m.appendMAC(data, data))
	secret, err := m.clientSecret(id, p.Salt)
	return Token{ID: id, Secret: secret}, err
}

// ParseToken implements TokenManager.
func (t *SignedTokens) ParseToken(_ *http.Request, token string) (id Identity, secret string, err error) {
	if err := t.checkMade(); err != nil {
		return id, "", err
	}
	signed, err := decodeToken(token)
	if err != nil {
		return id, "", err
	}
	m, ok := t.signerOf(signed)
	if !ok {
		return id, "", errForeignToken
	}
	p, err := decodePayload(signed[:len(signed)-sha256.Size])
	if err != nil {
		return id, "", err
	}
	expires := time.UnixMilli(p.Expires)
	if t.config.Now().After(expires) {
		return id, "", fmt.Errorf("%w: expired", ErrRefused)
	}
	secret, err = m.clientSecret(token, p.Salt)
	return Identity{
		Email: p.Email, Issuer: p.Issuer, Expires: expires, Scope: Scope{p.Origin, p.Application, p.Version},
	}, secret, err
}

var strictBase64URL = base64.RawURLEncoding.Strict()

// decodeToken returns the bytes of a token, with capacity for one more MAC. Each token
// has only one text: otherwise a request could be replayed with another text of the
// same token.
func decodeToken(token string) ([]byte, error) {
	buf := make([]byte, 0, base64.RawURLEncoding.DecodedLen(len(token))+sha256.Size)
	signed, err := strictBase64URL.AppendDecode(buf, []byte(token))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: not base64url", ErrRefused)
	case len(signed) <= sha256.Size || base64.RawURLEncoding.EncodedLen(len(signed)) != len(token): // line breaks
		return nil, fmt.Errorf("%w: not a token", ErrRefused)
	}
	return signed, nil
}

// signerOf returns the master secret with which a token was signed.
func (t *SignedTokens) signerOf(signed []byte) (*master, bool) {
	data, mac := signed[:len(signed)-sha256.Size], signed[len(signed)-sha256.Size:]
	for _, m := range t.masters {
		if hmac.Equal(mac, m.appendMAC(signed, data)[len(signed):]) {
			return m, true
		}
	}
	return nil, false
}

// appendMAC appends the MAC of data to to, which may be the same slice.
func (m *master) appendMAC(to, data []byte) []byte {
	h := m.macs.Get().(hash.Hash)
	defer m.macs.Put(h)
	h.Reset()
	h.Write(data)
	return h.Sum(to)
}

// clientSecret derives the secret of a token.
func (m *master) clientSecret(token string, salt []byte) (string, error) {
	key, err := hkdf.Key(sha256.New, m.secret, salt, secretLabel+token, sha256.Size)
	return base64URL(key), err
}

// payload is the content of a signed token. The names of the members are short because
// each request contains them.
type payload struct {
	Email       string
	Issuer      string
	Origin      string
	Application string
	Version     string
	Expires     int64  // milliseconds since 1970
	Salt        []byte // ASCII
}

// encode returns the payload as a JSON object. Marshaling strings and numbers never fails.
func (p *payload) encode() []byte {
	data, _ := json.Marshal(struct {
		Email       string `json:"email"`
		Issuer      string `json:"iss"`
		Origin      string `json:"aud"`
		Application string `json:"app,omitempty"`
		Version     string `json:"ver,omitempty"`
		Expires     int64  `json:"exp"`
		Salt        string `json:"n"`
	}{p.Email, p.Issuer, p.Origin, p.Application, p.Version, p.Expires, string(p.Salt)})
	return data
}

// decodePayload decodes what encode returned. The data is authentic, so an error means
// that the key is also used for something else.
func decodePayload(data []byte) (p payload, err error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	for _, m := range object {
		ok := true
		switch m.Name {
		case "email":
			p.Email, ok = strictjson.String(m.Value)
		case "iss":
			p.Issuer, ok = strictjson.String(m.Value)
		case "aud":
			p.Origin, ok = strictjson.String(m.Value)
		case "app":
			p.Application, ok = strictjson.String(m.Value)
		case "ver":
			p.Version, ok = strictjson.String(m.Value)
		case "exp":
			p.Expires, err = strconv.ParseInt(string(m.Value), 10, 64)
			ok = err == nil
		case "n":
			p.Salt, ok = strictjson.Text(m.Value)
		}
		if !ok {
			return p, fmt.Errorf("%w: member of the wrong type", ErrRefused)
		}
	}
	return p, nil
}
