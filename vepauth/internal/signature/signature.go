// Package signature computes, writes, parses and verifies the signatures of HTTP
// requests. It implements two schemes: [OAuth], which is two-legged OAuth 1.0 (RFC
// 5849), and [MAC], an early draft of HTTP MAC.
//
// The functions are pure. They read no clock, no body and no randomness, and they
// do not use net/http. The caller reads the request into a [Message], and checks
// the timestamp, the nonce and the token of an [Authorization].
//
// The text of every error is fixed: it contains nothing from the request. The
// server sends it to the client as the reason of a 401.
package signature

import "github.com/vepverify/vepverify/internal/strictjson"

// Error is an error of this package. The request that caused it is not authentic, or not
// well-formed.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// Errors of [Parse].
const (
	ErrHeaders     = Error("more than one Authorization header")
	ErrHeader      = Error("malformed Authorization header")
	ErrMethod      = Error("unsupported signature method")
	ErrVersion     = Error("unsupported oauth_version")
	ErrNoToken     = Error("no token in the Authorization header")
	ErrNoTimestamp = Error("no timestamp in the Authorization header")
	ErrNoNonce     = Error("no nonce in the Authorization header")
	ErrNoSignature = Error("no signature in the Authorization header")
)

// Errors of [Scheme.Verify] and [Scheme.Sign]. All but ErrSignature mean that the
// message has no base string.
const (
	ErrSignature = Error("bad signature")
	ErrPercent   = Error("malformed percent-encoding")
	ErrMisplaced = Error("OAuth parameter outside the Authorization header")
	ErrSemicolon = Error("semicolon in the query or form")
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

	// Verify returns an error unless a has the signature of m.
	Verify(a *Authorization, secret string, m Message) error
	// Sign returns an Authorization header with the signature of m.
	Sign(p Params, secret string, m Message) (string, error)

	// Answer returns the JSON members with which a token endpoint sends credentials.
	Answer(id, secret string) map[string]any
	// ParseAnswer returns the credentials in the members of an answer. A credential that
	// is missing is empty.
	ParseAnswer(members strictjson.Object) (id, secret string, err error)

	// parse sets the fields of a from the parameters of its header.
	parse(a *Authorization, header []parameter) error
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
