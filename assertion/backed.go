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
	Certificates certchain.Chain
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
	if !strings.Contains(a, "~") {
		return nil, noCertificates()
	}
	b := new(Backed)
	var err error
	b.Assertion, err = takeApart(a, func(text string) error {
		c, err := certchain.ParseCertificate(text)
		b.Certificates = append(b.Certificates, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// takeApart hands the text of each certificate in a to certificate, which parses
// it, and parses what is behind them.
func takeApart(a string, certificate func(text string) error) (*certchain.Token, error) {
	for i := 1; ; i++ {
		text, rest, found := strings.Cut(a, "~")
		if !found {
			break
		}
		if err := certificate(text); err != nil {
			return nil, malformed(fmt.Sprintf("certificate %d", i), formOfToken, err)
		}
		a = rest
	}
	token, err := certchain.ParseToken(a)
	if err != nil {
		return nil, malformed("the assertion proper", formOfToken, err)
	}
	return token, nil
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

// malformed reports that a part of the assertion is not what it should be.
func malformed(part, expected string, err error) error {
	detail := strings.TrimPrefix(err.Error(), certchain.ErrMalformed.Error()+": ")
	return &Error{
		Kind: ErrMalformed, Reason: "malformed assertion: " + part + ": " + detail, cause: err,
		Found: part + ": " + detail, Expected: expected,
		Advice: "check that the text was copied whole and unchanged, without line breaks; if it was, whoever made it is at fault",
	}
}
