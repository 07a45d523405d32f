package forge_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

const (
	audience = "https://rp.example"
	email    = "alice@idp.example"
)

// now is the time at which every assertion of these tests is verified.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// tokens returns a valid certificate and a valid assertion.
func tokens(issuer, user string) (certificate, assertion forge.Token) {
	idp := idptest.New("idp.example", idptest.Key(issuer)).At(now)
	key := idptest.Key(user)
	return forge.Token{Token: idp.Certificate(email, key.Public())}, forge.Token{Token: idp.Assertion(audience, key)}
}

// check verifies a backed assertion. want is the class of the error; nil means
// that the assertion is valid.
func check(t *testing.T, what string, want error, certificate, statement forge.Token) {
	t.Helper()
	idp := idptest.New("idp.example", idptest.Key("RS256"), idptest.Key("RS128"), idptest.Key("DS128"))
	documents, err := wellknown.ParseStatic(idptest.Object{idp.Domain: idp.Document()}.JSON())
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: documents, Now: func() time.Time { return now }, Leeway: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = v.Verify(context.Background(), forge.Backed(certificate, statement), audience); !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func altered(a forge.Alteration) func(forge.Token) forge.Token {
	return func(t forge.Token) forge.Token {
		t.Alter = a
		return t
	}
}

func encoded(header, claims, signature forge.Encoding) func(forge.Token) forge.Token {
	return func(t forge.Token) forge.Token {
		t.HeaderEncoding, t.ClaimsEncoding, t.SignatureEncoding = header, claims, signature
		return t
	}
}

// TestWrongTokens makes each change in the certificate and in the assertion.
func TestWrongTokens(t *testing.T) {
	for name, c := range map[string]struct {
		change func(forge.Token) forge.Token
		want   error
	}{
		"nothing": {func(t forge.Token) forge.Token { return t }, nil},
		"other text signed": {func(t forge.Token) forge.Token {
			t.Message = t.With("exp", 0).Sent()
			return t
		}, assertion.ErrSignature},
		"claim changed after signing": {func(t forge.Token) forge.Token {
			t.Message = t.Without("exp").Sent()
			return t
		}, assertion.ErrSignature},
		"header with kid":        {func(t forge.Token) forge.Token { return t.WithHeader("kid", "1") }, nil},
		"lowest bit flipped":     {altered(forge.FlipBit(0)), assertion.ErrSignature},
		"high bit flipped":       {altered(forge.FlipBit(300)), assertion.ErrSignature},
		"zero byte appended":     {altered(forge.AppendZeros(1)), assertion.ErrSignature},
		"zero byte prepended":    {altered(forge.PrependZeros(1)), assertion.ErrSignature},
		"last byte missing":      {altered(forge.Truncate(1)), assertion.ErrSignature},
		"other signature":        {altered(forge.Replace([]byte{1, 2, 3})), assertion.ErrSignature},
		"several changes":        {altered(forge.Then(forge.Truncate(1), forge.AppendZeros(1), forge.FlipBit(1))), assertion.ErrSignature},
		"newline in header":      {encoded(forge.Insert(4, "\n"), nil, nil), assertion.ErrMalformed},
		"newline at end":         {encoded(nil, nil, forge.Insert(-1, "\n")), assertion.ErrMalformed},
		"header not encoded":     {encoded(forge.Verbatim, nil, nil), assertion.ErrMalformed},
		"padding":                {encoded(forge.Insert(-1, "="), nil, nil), assertion.ErrMalformed},
		"newline in claims":      {encoded(nil, forge.Insert(4, "\n"), nil), assertion.ErrMalformed},
		"claims without padding": {encoded(nil, nil, nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, user := range []string{"RS256", "DS128"} {
				certificate, statement := tokens("RS128", user)
				check(t, "certificate", c.want, c.change(certificate), statement)
				certificate, statement = tokens("DS128", user)
				check(t, "certificate signed with DSA", c.want, c.change(certificate), statement)
				check(t, "assertion", c.want, certificate, c.change(statement))
			}
		})
	}
}

// TestSameText compares the text of an unchanged token with that of package
// idptest.
func TestSameText(t *testing.T) {
	certificate, statement := tokens("RS256", "DS128")
	if got, want := certificate.String(), certificate.Token.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := forge.Backed(certificate, statement), idptest.Backed(certificate.Token, statement.Token); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestChangesCopy checks that methods that change a token do not modify the original.
func TestChangesCopy(t *testing.T) {
	token, _ := tokens("DS128", "DS128")
	before := token.String()
	token.With("a", 1).Without("exp").WithHeader("kid", "1")
	if token.String() != before {
		t.Error("the original changed")
	}
}

func TestEncodeErrors(t *testing.T) {
	good, _ := tokens("RS256", "RS256")
	unmarshalable := good.With("a", func() {})
	if text, err := unmarshalable.Encode(); err == nil {
		t.Errorf("a function as claim: %q", text)
	}
	unchanged := good
	unchanged.Alter = forge.PrependZeros(0)
	if _, err := unchanged.Encode(); !errors.Is(err, forge.ErrNoEffect) {
		t.Errorf("an alteration without effect: %v", err)
	}
	if _, err := good.Until(func([]byte) bool { return true }); err != nil {
		t.Error(err)
	}
	if _, err := unmarshalable.Until(func([]byte) bool { return true }); err == nil {
		t.Error("Until made a token of a function")
	}
}

func TestAddModulusPanicsForDSA(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for the modulus of a DSA key")
		}
	}()
	forge.AddModulus(idptest.Key("DS128").Public())
}
