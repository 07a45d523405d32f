package signature

import (
	"crypto/hmac"
	"crypto/sha1"
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// ErrAlgorithm is the error of [MAC.ParseAnswer] for any algorithm other than hmac-sha-1.
const ErrAlgorithm = Error("an algorithm other than hmac-sha-1")

const macAlgorithm = "hmac-sha-1"

// MAC is HTTP MAC with HMAC-SHA1, as in draft-hammer-oauth-v2-mac-token-02. It does not
// cover form bodies.
type MAC struct{}

// Challenge implements [Scheme].
func (MAC) Challenge() string { return "MAC+BrowserID" }

// AuthScheme implements [Scheme].
func (MAC) AuthScheme() string { return "MAC" }

// CoversForm reports whether the signature covers a form body: never.
func (MAC) CoversForm() bool { return false }

// HasMethod reports whether method is empty, since HMAC-SHA1 is the only one.
func (MAC) HasMethod(method string) bool { return method == "" }

// parse implements [Scheme]. Unknown parameters are ignored.
func (MAC) parse(a *Authorization, header []parameter) error {
	for _, p := range header {
		switch strings.ToLower(p.name) {
		case "id":
			a.Token = p.value
		case "ts":
			a.Timestamp = p.value
		case "nonce":
			a.Nonce = p.value
		case "ext":
			a.ext = p.value
		case "mac":
			a.signature = p.value
		}
	}
	return nil
}

// Verify implements [Scheme].
func (MAC) Verify(a *Authorization, secret string, m Message) error {
	if !a.matches(hmacSHA1(secret, a.normalizedRequest(m))) {
		return ErrSignature
	}
	return nil
}

// Sign implements [Scheme]. It has no errors.
func (MAC) Sign(p Params, secret string, m Message) (string, error) {
	a := &Authorization{Token: p.Token, Timestamp: p.Timestamp, Nonce: p.Nonce}
	mac := strictBase64.EncodeToString(hmacSHA1(secret, a.normalizedRequest(m)))
	return "MAC id=" + Quote(p.Token) + ", ts=" + Quote(p.Timestamp) + ", nonce=" + Quote(p.Nonce) + ", mac=" + Quote(mac), nil
}

// normalizedRequest returns the text that is signed: one line for each part. No
// part contains a line break, because no header and no URL does.
func (a *Authorization) normalizedRequest(m Message) string {
	return strings.Join([]string{
		a.Timestamp, a.Nonce, strings.ToUpper(m.Method), m.Target, m.Host, m.Port, a.ext, "",
	}, "\n")
}

// hmacSHA1 returns the HMAC-SHA1 of a text.
func hmacSHA1(secret, text string) []byte {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Answer implements [Scheme].
func (MAC) Answer(id, secret string) map[string]any {
	return map[string]any{"id": id, "key": secret, "algorithm": macAlgorithm}
}

// ParseAnswer implements [Scheme].
func (MAC) ParseAnswer(members strictjson.Object) (id, secret string, err error) {
	if stringMember(members, "algorithm") != macAlgorithm {
		return "", "", ErrAlgorithm
	}
	return stringMember(members, "id"), stringMember(members, "key"), nil
}
