// Package signature computes, writes, parses and verifies the signatures of HTTP
// requests. It knows two schemes: [OAuth], which is two-legged OAuth 1.0 (RFC
// 5849), and [MAC], an early draft of HTTP MAC.
//
// The functions are pure. They read no clock, no body and no randomness, and they
// do not use net/http. The caller reads the request into a [Message], and checks
// the timestamp, the nonce and the token of an [Authorization].
//
// The text of every error is fixed: it contains nothing from the request. The
// server sends it to the client as the reason of a 401.
package signature

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// Errors of [Scheme.Parse].
var (
	ErrHeader      = errors.New("malformed Authorization header")
	ErrMethod      = errors.New("unsupported signature method")
	ErrVersion     = errors.New("unsupported oauth_version")
	ErrNoToken     = errors.New("no token in the Authorization header")
	ErrNoTimestamp = errors.New("no timestamp in the Authorization header")
	ErrNoNonce     = errors.New("no nonce in the Authorization header")
	ErrNoSignature = errors.New("no signature in the Authorization header")
)

// Errors of [Scheme.Verify] and [Scheme.Sign]. All but ErrSignature mean that the
// message has no base string.
var (
	ErrSignature = errors.New("bad signature")
	ErrPercent   = errors.New("malformed percent-encoding")
	ErrMisplaced = errors.New("OAuth parameter outside the Authorization header")
	ErrSemicolon = errors.New("semicolon in the query or form")
)

// Scheme is a way to sign requests. [OAuth] and [MAC] implement it.
type Scheme interface {
	// Challenge returns the name of the scheme in WWW-Authenticate.
	Challenge() string
	// AuthScheme returns the name of the scheme in Authorization.
	AuthScheme() string
	// CoversForm reports whether the signature covers a form body.
	CoversForm() bool
	// HasMethod reports whether a client may sign with a signature method.
	// The empty method is the default of the scheme.
	HasMethod(method string) bool

	// Parse parses the parameters that follow AuthScheme in Authorization.
	Parse(params string) (*Authorization, error)
	// Verify reports a signature that is not that of m with an error.
	Verify(a *Authorization, secret string, m Message) error
	// Sign returns the value of Authorization for m.
	Sign(p Params, secret string, m Message) (string, error)

	// Answer returns the members with which a token endpoint sends credentials.
	Answer(id, secret string) map[string]any
	// ParseAnswer is the inverse of Answer. A missing credential is empty.
	ParseAnswer(members strictjson.Object) (id, secret string, err error)
}

// Params are the parameters that a client chooses for one request.
type Params struct {
	Token, Timestamp, Nonce string
	Method                  string // for OAuth; empty means HMACSHA1
}

// Message is the part of a request that is signed, besides the Authorization
// header.
type Message struct {
	Method string
	Origin string // scheme://host, and :port unless it is the scheme's default
	Host   string // lower case
	Port   string // never empty
	Target string // path and query, as on the wire; the path is never empty
	Form   string // the form body, if there is one and the scheme covers it
}

// Authorization is a parsed Authorization header of a signed request.
type Authorization struct {
	Token, Timestamp, Nonce string

	signature string // base64
	ext       string // MAC

	method  string      // OAuth: the signature method
	signed  []parameter // OAuth: the parameters of the header that are signed
	foreign bool        // OAuth: one of them is not a protocol parameter

	// Backing arrays for the parameters of the header and for signed: one
	// allocation for everything (BenchmarkSigned).
	header, room [8]parameter
}

// checkComplete returns an error if a parameter is missing that both schemes need.
func (a *Authorization) checkComplete() error {
	switch {
	case a.Token == "":
		return ErrNoToken
	case a.Timestamp == "":
		return ErrNoTimestamp
	case a.Nonce == "":
		return ErrNoNonce
	case a.signature == "":
		return ErrNoSignature
	}
	return nil
}

var strictBase64 = base64.StdEncoding.Strict()

// matches reports whether the signature of the header is mac, in constant time.
func (a *Authorization) matches(mac []byte) bool {
	var room [64]byte // more than any MAC has
	got, err := strictBase64.AppendDecode(room[:0], []byte(a.signature))
	return err == nil && hmac.Equal(got, mac)
}

// CutScheme returns what follows an authentication scheme in an Authorization
// header, and reports whether the header has that scheme. Case does not matter.
func CutScheme(header, scheme string) (rest string, found bool) {
	header = strings.TrimLeft(header, " \t")
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	rest = header[len(scheme):]
	return rest, rest == "" || rest[0] == ' ' || rest[0] == '\t'
}
