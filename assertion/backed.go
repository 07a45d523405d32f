package assertion

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/sniff"
	"github.com/vepverify/vepverify/keys"
)

// Backed is a parsed backed assertion. None of its signatures is verified, so that
// nothing in it may be trusted.
type Backed struct {
	// Certificates is the chain. The issuer signed the first certificate. The
	// last one certifies the user.
	Certificates certchain.Chain
	// Assertion is the user's own token.
	Assertion *certchain.Token
}

// Parse parses a backed assertion of at most MaxSize bytes: one or more
// certificates and an assertion, separated by '~'. A line break at the end is
// malformed. The error matches ErrMalformed or ErrChain.
func Parse(a string) (*Backed, error) {
	b, err := parseBacked(a)
	if err != nil {
		return nil, recognized(err, a)
	}
	return b, nil
}

func parseBacked(a string) (*Backed, error) {
	if err := checkSize(a); err != nil {
		return nil, err
	}
	if !strings.Contains(a, "~") {
		return nil, noCertificates()
	}
	b := new(Backed)
	var err error
	b.Assertion, err = splitBacked(a, func(text string) error {
		c, err := certchain.ParseCertificate(text)
		b.Certificates = append(b.Certificates, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// splitBacked calls parseCertificate with the text of each certificate in a, and
// parses the assertion that follows them.
func splitBacked(a string, parseCertificate func(text string) error) (*certchain.Token, error) {
	for i := 1; ; i++ {
		text, rest, found := strings.Cut(a, "~")
		if !found {
			break
		}
		if err := parseCertificate(text); err != nil {
			return nil, malformed(fmt.Sprintf("certificate %d", i), tokenForm, err)
		}
		a = rest
	}
	token, err := certchain.ParseToken(a)
	if err != nil {
		return nil, malformed("the assertion proper", tokenForm, err)
	}
	return token, nil
}

// String returns the backed assertion as it was parsed, byte for byte.
func (b *Backed) String() string {
	var s strings.Builder
	for _, c := range b.Certificates {
		s.WriteString(c.String())
		s.WriteByte('~')
	}
	s.WriteString(b.Assertion.String())
	return s.String()
}

func checkSize(a string) error {
	if len(a) <= MaxSize {
		return nil
	}
	return &Error{
		Kind: ErrMalformed, Reason: "malformed assertion: too large",
		Found: fmt.Sprintf("%d bytes", len(a)), Expected: fmt.Sprintf("at most %d bytes", MaxSize),
		Advice: "check the input: usual assertions have 1500 to 2500 bytes",
	}
}

func noCertificates() error {
	return &Error{
		Kind: ErrChain, Reason: "no certificates provided",
		Found: "no '~' in the assertion", Expected: "certificate~assertion",
		Advice: "pass the whole backed assertion as the browser returned it, not only its last part",
	}
}

// tokenForm is what malformed expects of a certificate and of an assertion.
const tokenForm = "base64url(header).base64url(claims).base64url(signature), and nothing around it"

// malformed returns the error for a part of the assertion that is malformed.
func malformed(part, expected string, err error) error {
	detail := strings.TrimPrefix(err.Error(), certchain.ErrMalformed.Error()+": ")
	return &Error{
		Kind: ErrMalformed, Reason: "malformed assertion: " + part + ": " + detail, cause: err,
		Found: part + ": " + detail, Expected: expected,
		Advice: "check that the text was copied whole and unchanged, without line breaks; if it was, the software that made it is at fault",
	}
}

// recognized returns the error for a text without the form of an assertion. If the text is
// recognized as something else, such as a private key, the error tells that and what to do.
// The reasons of PROTOCOL §6 remain.
func recognized(err error, text string) error {
	kind := sniff.Of(text)
	var e *Error
	if !kind.IsOther() || !errors.As(err, &e) {
		return err
	}
	e.Found, e.Advice, e.Setting = "the text is "+kind.String(), kind.Advice(), ""
	if e.Kind == ErrMalformed && e.cause != nil {
		e.Reason = "malformed assertion: " + kind.String()
	} else {
		e.detail = e.Reason + " (" + e.Found + ")"
	}
	return e
}

// Template is the content of an assertion.
type Template struct {
	// Audience is the relying party's origin, such as https://rp.example.
	Audience string
	// IssuedAt is cut off to milliseconds. The zero time means no iat.
	IssuedAt time.Time
	// Expires is needed, and cut off to milliseconds. A few minutes ahead is usual.
	Expires time.Time
	// Extra are further claims, which a verifier reports as userClaims. They must
	// not have names that the protocol uses.
	Extra map[string]any
}

// Sign returns a backed assertion: the chain of certificates and an assertion
// signed with key. The last certificate must certify the public half of key. The
// error matches certchain.ErrTemplate if no verifier would accept the assertion.
func Sign(t Template, key keys.PrivateKey, chain ...string) (string, error) {
	if len(chain) == 0 {
		return "", fmt.Errorf("%w: no certificate", certchain.ErrTemplate)
	}
	if origin.Compare(t.Audience, t.Audience) != 0 {
		return "", fmt.Errorf("%w: audience: not an origin, such as https://rp.example", certchain.ErrTemplate)
	}
	if t.Expires.IsZero() {
		return "", fmt.Errorf("%w: no Expires", certchain.ErrTemplate)
	}
	claims := map[string]any{"aud": t.Audience, "exp": t.Expires.UnixMilli()}
	if !t.IssuedAt.IsZero() {
		claims["iat"] = t.IssuedAt.UnixMilli()
	}
	token, err := certchain.Sign(claims, t.Extra, key)
	if err != nil {
		return "", err
	}
	return Bundle(token, chain...), nil
}

// Bundle returns the backed assertion of a chain of certificates and an assertion
// token.
func Bundle(token string, chain ...string) string {
	return strings.Join(append(chain[:len(chain):len(chain)], token), "~")
}
