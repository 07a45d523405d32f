package assertion

import (
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/certchain"
)

// Backed is a backed assertion taken apart. Nothing of it is verified: it may
// be looked at, logged about and thrown away, but not believed.
type Backed struct {
	// Certificates is the chain, first the one that the issuer signs, last the
	// one that certifies the user.
	Certificates []*certchain.Certificate
	// Assertion is the user's own token.
	Assertion *certchain.Token
}

// Parse takes a backed assertion of at most MaxSize bytes apart: one or more
// certificates and an assertion with '~' between them. Its errors match
// ErrMalformed or ErrChain. A trailing line break is not cut off: it is
// malformed.
func Parse(a string) (*Backed, error) {
	if err := checkSize(a); err != nil {
		return nil, err
	}
	b := new(Backed)
	for {
		text, rest, found := strings.Cut(a, "~")
		if !found {
			break
		}
		c, err := certchain.ParseCertificate(text)
		if err != nil {
			return nil, malformedCertificate(len(b.Certificates), err)
		}
		b.Certificates, a = append(b.Certificates, c), rest
	}
	if len(b.Certificates) == 0 {
		return nil, noCertificates()
	}
	var err error
	if b.Assertion, err = certchain.ParseToken(a); err != nil {
		return nil, malformedAssertion(err)
	}
	return b, nil
}

// String gives the backed assertion as it was parsed, to the byte.
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
		Advice: "usual ones have 1500 to 2500 bytes: check what was passed",
	}
}

func noCertificates() error {
	return &Error{
		Kind: ErrChain, Reason: "no certificates provided",
		Found: "no '~' in the assertion", Expected: "certificate~assertion",
		Advice: "pass the whole backed assertion, as the browser handed it over, not only its last part",
	}
}

// formOfToken is what a part that cannot be taken apart should have been.
const formOfToken = "base64url(header).base64url(claims).base64url(signature), and nothing around it"

func malformedCertificate(i int, err error) error {
	return malformed(fmt.Sprintf("certificate %d", i+1), formOfToken, err)
}

func malformedAssertion(err error) error {
	return malformed("the assertion proper", formOfToken, err)
}

// malformed reports that a part of the assertion is not what it should be.
func malformed(part, expected string, err error) error {
	detail := strings.TrimPrefix(err.Error(), certchain.ErrMalformed.Error()+": ")
	return &Error{
		Kind: ErrMalformed, Reason: "malformed assertion: " + part + ": " + detail, cause: err,
		Found: part + ": " + detail, Expected: expected,
		Advice: "check that the text was copied whole and unchanged, without line breaks; if it was, whoever made it is at fault",
	}
}
