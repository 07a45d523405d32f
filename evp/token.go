package evp

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// MaxSize is the size of the largest token, in bytes (rule 1.size).
const MaxSize = 16 << 10

// The values of the header member typ.
const (
	typEVT = "evt+jwt"
	typKB  = "kb+jwt"
)

// The names of the two halves in errors.
const (
	nameEVT = "the issuer's half"
	nameKB  = "the browser's half"
)

// Token is the unverified content of a token: anyone can make one with any content.
type Token struct {
	// EVT is the issuer's half, and KB the browser's half.
	EVT, KB Half
	// Email is the address, Issuer the claim iss, and Private the claim
	// is_private_email of the issuer's half. They are zero if the claim is absent or of
	// another type.
	Email, Issuer string
	Private       bool
	// Audience and Nonce are the claims aud and nonce of the browser's half. They are
	// empty if the claim is absent or of another type.
	Audience, Nonce string
}

// Half is one of the two signed texts of a [Token].
type Half struct {
	// Header and Claims are the two JSON objects, as they are signed.
	Header, Claims json.RawMessage
	// Algorithm, Type and KeyID are the members alg, typ and kid of the header. They
	// are empty if the member is absent or of another type.
	Algorithm, Type, KeyID string
	// IssuedAt is the claim iat. It is zero if the claim is absent or not valid.
	IssuedAt time.Time
}

// Parse parses a token without verifying it, by rule 1 and the rule 2.kid of docs/EVP.md.
// The error is an [*Error] that matches assertion.ErrMalformed or [ErrHeader].
func Parse(token string) (*Token, error) {
	var evt, kb jose.Token
	if err := parseHalves(token, &evt, &kb); err != nil {
		return nil, err
	}
	t := &Token{EVT: newHalf(&evt), KB: newHalf(&kb)}
	t.Email, _ = text(evt.Claims, "email")
	t.Issuer, _ = text(evt.Claims, "iss")
	private, _ := evt.Claims.Get("is_private_email")
	t.Private = string(private) == "true"
	t.Audience, _ = text(kb.Claims, "aud")
	t.Nonce, _ = text(kb.Claims, "nonce")
	return t, nil
}

func newHalf(t *jose.Token) Half {
	header, claims, _ := strings.Cut(t.SigningInput, ".")
	h := Half{Algorithm: t.Alg, Type: t.Typ, KeyID: t.Kid}
	h.Header, _ = jose.DecodeBase64(header) // decoded before
	h.Claims, _ = jose.DecodeBase64(claims)
	if iat, found, ok := integer(t.Claims, "iat"); found && ok {
		h.IssuedAt = time.Unix(iat, 0).UTC()
	}
	return h
}

// IsToken reports whether a text has the form of a token of this protocol, which may be
// malformed otherwise: it has a "~", and the typ of its first header is evt+jwt. The
// assertions of BrowserID have a "~" too.
func IsToken(text string) bool {
	first, _, found := strings.Cut(text, "~")
	header, _, dot := strings.Cut(first, ".")
	if !found || !dot || len(header) > MaxSize {
		return false
	}
	data, ok := jose.DecodeBase64(header)
	if !ok {
		return false
	}
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return false
	}
	typ, _ := object.Get("typ")
	s, _ := strictjson.Text(typ)
	return string(s) == typEVT
}

// parseHalves parses the two halves of a token (rules 1 and 2.kid).
func parseHalves(token string, evt, kb *jose.Token) error {
	if len(token) > MaxSize {
		return &Error{
			Kind: assertion.ErrMalformed, Rule: "1.size", Reason: "malformed token: too large",
			Found: fmt.Sprintf("%d bytes", len(token)), Expected: fmt.Sprintf("at most %d bytes", MaxSize),
			Advice: "check the input: usual tokens have 700 to 2000 bytes",
		}
	}
	first, second, ok := strings.Cut(token, "~")
	if !ok || first == "" || second == "" || strings.Contains(second, "~") {
		return badForm(token)
	}
	if err := evt.Parse(first); err != nil {
		return malformed(nameEVT, err)
	}
	if err := kb.Parse(second); err != nil {
		return malformed(nameKB, err)
	}
	return nil
}

// badForm returns the error for a text that is not two parts around one "~".
func badForm(token string) error {
	e := &Error{
		Kind: assertion.ErrMalformed, Rule: "1.form", Reason: "malformed token: not two parts joined by one \"~\"",
		Found: fmt.Sprintf("%d bytes, %d times \"~\"", len(token), strings.Count(token, "~")), Expected: "issuer's half ~ browser's half",
		Advice: "pass the value of the hidden field as the browser set it, whole and unchanged",
	}
	switch {
	case token == "":
		e.Reason = "malformed token: empty"
		e.Advice = "the browser set no token: verify the address in another way, by a code in a mail"
	case strings.HasSuffix(token, "~") && strings.Count(token, "~") == 1:
		e.Reason = "malformed token: the browser's half is absent"
		e.Advice = "this is what the issuer sent to the browser: pass the value of the hidden field"
	}
	return e
}

// malformed returns the error for an error of jose.Parse.
func malformed(half string, err error) error {
	if errors.Is(err, jose.ErrKid) {
		return &Error{
			Kind: ErrHeader, Rule: "2.kid", Reason: "header refused: kid is not a string", cause: err,
			Found: half + ": kid is not a string", Expected: "a string, or no kid",
			Advice: "the issuer must write the kid as a string, or leave it out",
		}
	}
	rule := "1.form"
	switch {
	case errors.Is(err, jose.ErrBase64):
		rule = "1.base64"
	case errors.Is(err, jose.ErrJSON):
		rule = "1.json"
	}
	return &Error{
		Kind: assertion.ErrMalformed, Rule: rule, Reason: "malformed token: " + half + ": " + err.Error(), cause: err,
		Found: half + ": " + err.Error(), Expected: "base64url(header).base64url(claims).base64url(signature), and nothing around it",
		Advice: "check that the text was copied whole and unchanged, without line breaks; if it was, the software that made it is at fault",
	}
}

// text returns a member that is a string.
func text(o strictjson.Object, name string) (s string, ok bool) {
	raw, _ := o.Get(name)
	return strictjson.String(raw)
}

// textOf is like text but returns bytes, which are a part of the token if there are no
// escapes.
func textOf(o strictjson.Object, name string) (s []byte, ok bool) {
	raw, _ := o.Get(name)
	return strictjson.Text(raw)
}

// maxInteger is the largest integer that every JSON parser keeps exactly.
const maxInteger = 1 << 53

// integer returns a member that is an integer, without a fraction or an exponent, from
// -2^53 to 2^53. found reports whether there is such a member, ok whether it is such an
// integer.
func integer(o strictjson.Object, name string) (n int64, found, ok bool) {
	raw, found := o.Get(name)
	digits := raw
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 16 { // 2^53 has 16 digits
		return 0, found, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, found, false
		}
		n = 10*n + int64(c-'0')
	}
	if len(digits) < len(raw) {
		n = -n
	}
	return n, found, -maxInteger <= n && n <= maxInteger
}
