package jose_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	jwx "github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/evp/internal/jose"
)

// b64 encodes without padding.
func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestParse(t *testing.T) {
	text := b64(`{"alg":"ES256","typ":"kb+jwt","kid":"k\u00e9"}`) + "." + b64(`{"iat":1}`) + "." + b64("sig")
	token, err := jose.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if token.Alg != "ES256" || token.Typ != "kb+jwt" || token.Kid != "ké" || !token.HasKid {
		t.Errorf("header: %+v", token)
	}
	if iat, _ := token.Claims.Get("iat"); string(iat) != "1" || len(token.Claims) != 1 {
		t.Errorf("claims: %s", token.Claims)
	}
	if token.SigningInput+"."+b64("sig") != text || string(token.Signature) != "sig" {
		t.Errorf("signing input %q, signature %q", token.SigningInput, token.Signature)
	}
}

func TestParseRefused(t *testing.T) {
	header, claims, sig := b64(`{"alg":"ES256"}`), b64(`{}`), b64("signature")
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"empty":                  {"", jose.ErrForm},
		"one part":               {header, jose.ErrForm},
		"two parts":              {join(header, claims), jose.ErrForm},
		"four parts":             {join(header, claims, sig, sig), jose.ErrForm},
		"empty fourth part":      {join(header, claims, sig, ""), jose.ErrForm},
		"empty header":           {join("", claims, sig), jose.ErrForm},
		"empty claims":           {join(header, "", sig), jose.ErrForm},
		"empty signature":        {join(header, claims, ""), jose.ErrForm},
		"padding":                {join(header, b64(`{} `)+"=", sig), jose.ErrBase64},
		"newline":                {join(header, claims, sig[:4]+"\n"+sig[4:]), jose.ErrBase64},
		"carriage return at end": {join(header, claims, sig) + "\r", jose.ErrBase64},
		"space":                  {" " + join(header, claims, sig), jose.ErrBase64},
		"unused bits":            {join(header, claims, "AB"), jose.ErrBase64},
		"one character":          {join(header, claims, sig+"A"), jose.ErrBase64},
		"alphabet of base64":     {join(header, claims, "ab+/"), jose.ErrBase64},
		"not ASCII":              {join(header, claims, "abcé"), jose.ErrBase64},
		"header is an array":     {join(b64(`[]`), claims, sig), jose.ErrJSON},
		"claims are null":        {join(header, b64(`null`), sig), jose.ErrJSON},
		"duplicate claim":        {join(header, b64(`{"a":1,"\u0061":1}`), sig), jose.ErrJSON},
		"duplicate below":        {join(header, b64(`{"a":[{"b":1,"b":2}]}`), sig), jose.ErrJSON},
		"text after the claims":  {join(header, b64(`{}{}`), sig), jose.ErrJSON},
		"invalid UTF-8":          {join(header, b64("{\"a\":\"\xff\"}"), sig), jose.ErrJSON},
		"kid is a number":        {join(b64(`{"kid":1}`), claims, sig), jose.ErrKid},
		"kid is null":            {join(b64(`{"kid":null}`), claims, sig), jose.ErrKid},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := jose.Parse(test.text); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestParseHeaderOfOtherTypes(t *testing.T) {
	token, err := jose.Parse(b64(`{"alg":5,"typ":["x"]}`) + "." + b64(`{}`) + "." + b64("s"))
	if err != nil || token.Alg != "" || token.Typ != "" || token.HasKid {
		t.Errorf("%+v, %v", token, err)
	}
}

// TestTokenReused checks that what a Token had before does not show in what it parses next.
func TestTokenReused(t *testing.T) {
	part := func(members int) string {
		var s strings.Builder
		for i := range members {
			fmt.Fprintf(&s, `,"m%d":%d`, i, i)
		}
		return b64(`{` + strings.TrimPrefix(s.String(), ",") + `}`)
	}
	var reused jose.Token
	for _, text := range []string{
		part(3) + "." + part(5) + "." + b64("signature"),
		part(1) + "." + part(100) + "." + b64(strings.Repeat("s", 5000)),
		part(0) + "." + part(1) + "." + b64("s"),
		part(2) + ".AB." + b64("s"), // refused
		part(2) + "." + part(2) + "." + b64("sig"),
	} {
		want, wantErr := jose.Parse(text)
		err := reused.Parse(text)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, want %v", err, wantErr)
		}
		if err == nil && (fmt.Sprint(reused.Header, reused.Claims) != fmt.Sprint(want.Header, want.Claims) ||
			!bytes.Equal(reused.Signature, want.Signature) || reused.SigningInput != want.SigningInput) {
			t.Errorf("got %+v, want %+v", &reused, want)
		}
		reused.Clear()
		if reused.SigningInput != "" || reused.Signature != nil || len(reused.Claims) != 0 {
			t.Errorf("not cleared: %+v", &reused)
		}
	}
}

// FuzzToken compares Parse with go-jose, which is more lenient.
func FuzzToken(f *testing.F) {
	f.Add(b64(`{"alg":"ES256","typ":"kb+jwt","kid":"k"}`) + "." + b64(`{"iat":1}`) + "." + b64("sig"))
	f.Add(b64(`{"alg":"RS256"}`) + "." + b64(`{}`) + "." + b64("sig") + ".")
	f.Add(b64(`{"alg":"EdDSA"}`) + ".AB." + b64("sig"))
	algs := []jwx.SignatureAlgorithm{jwx.EdDSA, jwx.ES256, jwx.RS256}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := jose.Parse(text)
		if err != nil {
			return
		}
		if token.SigningInput+"."+jose.EncodeBase64(token.Signature) != text {
			t.Fatal("the text has another form")
		}
		oracle, err := jwx.ParseSignedCompact(text, algs)
		if err != nil {
			return // for example crit, or an alg of another package
		}
		sig := oracle.Signatures[0]
		if string(sig.Signature) != string(token.Signature) || sig.Header.Algorithm != token.Alg || sig.Header.KeyID != token.Kid {
			t.Errorf("go-jose parses another token: %+v", sig)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := b64(`{"alg":"ES256","typ":"kb+jwt","kid":"key"}`) + "." +
		b64(`{"iat":1,"aud":"https://rp.example","nonce":"`+strings.Repeat("n", 43)+`"}`) + "." + b64(strings.Repeat("s", 64))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jose.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
