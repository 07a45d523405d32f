package certchain_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
)

// The groups are fixed, so making a DSA key is one exponentiation.
var (
	issuerKey   = generate("DS128")
	otherIssuer = generate("DS128")
	userKey     = generate("DS256")
)

func generate(alg string) keys.PrivateKey {
	key, err := keys.Generate(alg)
	if err != nil {
		panic(err)
	}
	return key
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// token returns a token of a header and claims, with an invalid signature.
func token(header, claims string) string { return b64(header) + "." + b64(claims) + "." + b64("sig") }

func TestParseToken(t *testing.T) {
	const header, claims = `{"alg":"RS256"}`, `{"exp":1}`
	good := map[string]string{
		"plain":             token(header, claims),
		"typ and kid":       token(`{"typ":"JWT","kid":"1","alg":"RS256"}`, claims),
		"unknown members":   token(`{"alg":"RS256","version":1,"Crit":[]}`, claims),
		"empty signature":   b64(header) + "." + b64(claims) + ".",
		"unknown algorithm": token(`{"alg":"none"}`, claims),
		"white space":       token(" "+header+"\n", claims+" \n"),
	}
	for name, s := range good {
		tok, err := certchain.ParseToken(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if tok.String() != s {
			t.Errorf("%s: written as %q", name, tok)
		}
		if want := s[:strings.LastIndex(s, ".")]; tok.Signed() != want {
			t.Errorf("%s: signed part %q", name, tok.Signed())
		}
	}
	bad := map[string]string{
		"empty": "", "dots": "..", "two parts": b64(header) + "." + b64(claims), "four parts": token(header, claims) + ".",
		"padding": b64(header) + "." + b64(claims) + ".c2ln=", "standard alphabet": b64(header) + "." + b64(claims) + ".+/+/",
		"newline": b64(header) + "." + b64(claims) + ".c2\nln", "carriage return": b64(header) + "." + b64(claims) + ".c2ln\r",
		"unused bits": b64(header) + "." + b64(claims) + ".AB", "one character": b64(header) + "." + b64(claims) + ".A",
		"space": b64(header) + "." + b64(claims) + ". c2ln", "header no JSON": token(`alg`, claims), "header array": token(`[]`, claims),
		"header twice": token(`{"alg":"RS256","alg":"RS256"}`, claims), "no alg": token(`{}`, claims), "alg null": token(`{"alg":null}`, claims),
		"alg number": token(`{"alg":1}`, claims), "Alg": token(`{"Alg":"RS256"}`, claims),
		"typ number": token(`{"alg":"RS256","typ":1}`, claims), "kid null": token(`{"alg":"RS256","kid":null}`, claims),
		"claims array": token(header, `[]`), "claims empty": token(header, ``), "claims garbage": token(header, claims+"x"),
		"claims duplicate": token(header, `{"exp":1,"exp":1}`), "no exp": token(header, `{}`),
	}
	for _, name := range []string{"crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "nonce"} {
		bad["header "+name] = token(`{"alg":"RS256","`+name+`":null}`, claims)
	}
	for name, s := range bad {
		tok, err := certchain.ParseToken(s)
		if !errors.Is(err, certchain.ErrMalformed) || tok != nil {
			t.Errorf("%s: %v, %v", name, tok, err)
		}
	}
}

func TestTimes(t *testing.T) {
	const limit = 1 << 53
	good := map[string]int64{
		`0`: 0, `1`: 1, `-1`: -1, `-0`: 0, `1700000000000`: 1700000000000, `"1313971280961"`: 1313971280961,
		`"0"`: 0, `"0000000000000001"`: 1, `1700000000000.9`: 1700000000000, `-1.9`: -1, `0.9`: 0, `1.7e12`: 1700000000000,
		`17E11`: 1700000000000, `1700000000000e0`: 1700000000000, `17000000000001e-1`: 1700000000000, `12e-1`: 1, `1e-5`: 0,
		`1e+3`: 1000, `0e999999999999`: 0, `0.000e-999999999999`: 0, `5e-999999999999999999999`: 0, `0.00000012e10`: 1200,
		`9007199254740992`: limit, `-9007199254740992`: -limit, `9007199254740992.5`: limit, `"9007199254740992"`: limit,
	}
	for text, want := range good {
		tok, err := certchain.ParseToken(token(`{"alg":"RS256"}`, `{"exp":`+text+`}`))
		if err != nil || tok.Validity.Expires.UnixMilli() != want {
			t.Errorf("exp %s: %v, %v; want %d", text, tok, err, want)
		}
	}
	for _, text := range []string{
		`9007199254740993`, `-9007199254740993`, `1e16`, `1e999999999999999999999`, `1e300`, `99999999999999999999`, `1000000000000000000000e-1`,
		`true`, `false`, `null`, `[]`, `{}`, `""`, `" 5"`, `"5 "`, `"+5"`, `"-5"`, `"5.0"`, `"5e1"`, `"0x5"`, `"five"`, `"12345678901234567"`,
		`"9007199254740993"`, `"\u0660"`,
	} {
		for _, name := range []string{"exp", "iat", "nbf"} {
			claims := `{"exp":1,"` + name + `":` + text + `}`
			if name == "exp" {
				claims = `{"exp":` + text + `}`
			}
			if tok, err := certchain.ParseToken(token(`{"alg":"RS256"}`, claims)); !errors.Is(err, certchain.ErrMalformed) {
				t.Errorf("%s %s: %v, %v", name, text, tok, err)
			}
		}
	}
}

func TestValidity(t *testing.T) {
	at := time.UnixMilli
	for _, c := range []struct {
		name        string
		v           certchain.Validity
		now, leeway int64 // milliseconds
		want        error
	}{
		{"before exp", certchain.Validity{Expires: at(10)}, 9, 0, nil},
		{"at exp", certchain.Validity{Expires: at(10)}, 10, 0, nil},
		{"after exp", certchain.Validity{Expires: at(10)}, 11, 0, certchain.ErrExpired},
		{"at exp and leeway", certchain.Validity{Expires: at(10)}, 15, 5, nil},
		{"after exp and leeway", certchain.Validity{Expires: at(10)}, 16, 5, certchain.ErrExpired},
		{"at iat", certchain.Validity{Expires: at(10), IssuedAt: at(5)}, 5, 0, nil},
		{"before iat", certchain.Validity{Expires: at(10), IssuedAt: at(5)}, 4, 0, certchain.ErrNotYetValid},
		{"before iat, leeway", certchain.Validity{Expires: at(10), IssuedAt: at(5)}, 4, 1, nil},
		{"before nbf", certchain.Validity{Expires: at(10), NotBefore: at(5)}, 4, 0, certchain.ErrNotYetValid},
		{"before nbf, leeway", certchain.Validity{Expires: at(10), NotBefore: at(5)}, 4, 1, nil},
		{"both", certchain.Validity{Expires: at(1), IssuedAt: at(5)}, 4, 0, certchain.ErrNotYetValid},
		{"at exp and leeway, negative", certchain.Validity{Expires: at(-10)}, -5, 5, nil},
		{"after exp and leeway, negative", certchain.Validity{Expires: at(-10)}, -4, 5, certchain.ErrExpired},
		{"earliest", certchain.Validity{Expires: at(-1 << 53)}, 0, 0, certchain.ErrExpired},
		{"earliest iat", certchain.Validity{Expires: at(10), IssuedAt: at(-1 << 53), NotBefore: at(-1 << 53)}, 5, 0, nil},
		{"latest iat", certchain.Validity{Expires: at(1 << 53), IssuedAt: at(1 << 53)}, 5, 300000, certchain.ErrNotYetValid},
		{"latest nbf", certchain.Validity{Expires: at(1 << 53), NotBefore: at(1 << 53)}, 1<<53 - 1, 1, nil},
		{"largest", certchain.Validity{Expires: at(1 << 53)}, 1<<53 - 1, 300000, nil},
	} {
		if err := c.v.Check(at(c.now), time.Duration(c.leeway)*time.Millisecond); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestValidityComparesMilliseconds checks that fractions of a millisecond do not
// count.
func TestValidityComparesMilliseconds(t *testing.T) {
	at := time.UnixMilli
	const almost = time.Millisecond - time.Nanosecond
	v := certchain.Validity{Expires: at(10), IssuedAt: at(5)}
	for _, c := range []struct {
		name   string
		now    time.Time
		leeway time.Duration
		want   error
	}{
		{"the last moment of the last millisecond", at(10).Add(almost), 0, nil},
		{"the next millisecond", at(11), 0, certchain.ErrExpired},
		{"a fraction of leeway", at(11), almost, certchain.ErrExpired},
		{"just before iat", at(5).Add(-time.Nanosecond), 0, certchain.ErrNotYetValid},
		{"just before iat, a fraction of leeway", at(5).Add(-time.Nanosecond), almost, certchain.ErrNotYetValid},
		{"just before iat, leeway", at(5).Add(-time.Nanosecond), time.Millisecond, nil},
	} {
		if err := v.Check(c.now, c.leeway); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func certificate(t *testing.T, claims string) *certchain.Certificate {
	t.Helper()
	c, err := certchain.ParseCertificate(token(`{"alg":"RS256"}`, claims))
	if err != nil {
		t.Fatalf("%s: %v", claims, err)
	}
	return c
}

func TestIssuer(t *testing.T) {
	if c := certificate(t, `{"exp":1,"iss":"IDP.Example:8443"}`); c.Issuer != "idp.example:8443" {
		t.Errorf("issuer %q", c.Issuer)
	}
	for _, iss := range []string{`null`, `1`, `""`, `"https://idp.example"`, `"idp.example/x"`, `"idp.example."`, `["idp.example"]`} {
		if c, err := certchain.ParseCertificate(token(`{"alg":"RS256"}`, `{"exp":1,"iss":`+iss+`}`)); !errors.Is(err, certchain.ErrMalformed) {
			t.Errorf("iss %s: %v, %v", iss, c, err)
		}
	}
	if _, err := certchain.ParseCertificate(token(`{"alg":"RS256"}`, `{"exp":1}`)); !errors.Is(err, certchain.ErrMalformed) {
		t.Errorf("no iss: %v", err)
	}
}

func TestEmail(t *testing.T) {
	for _, c := range []struct {
		claims, email string
		malformed     bool
	}{
		{`"principal":{"email":"Al@IDP.example"}`, "Al@idp.example", false},
		{`"sub":"al@idp.example"`, "al@idp.example", false},
		{`"principal":{"email":"al@idp.example"},"sub":"bob@idp.example"`, "al@idp.example", false},
		{`"principal":{"host":"idp.example"},"sub":"bob@idp.example"`, "bob@idp.example", false},
		{`"principal":{}`, "", false},
		{`"x":1`, "", false},
		{`"principal":"al@idp.example"`, "", false},
		{`"principal":"al@idp.example","sub":"bob@idp.example"`, "", false},
		{`"principal":null`, "", false},
		{`"principal":[]`, "", false},
		{`"principal":{"email":null}`, "", true},
		{`"principal":{"email":"al"},"sub":"bob@idp.example"`, "", true},
		{`"principal":{"email":["al@idp.example"]}`, "", true},
		{`"sub":7`, "", true},
		{`"sub":"5c7b"`, "", true},
	} {
		email, host, err := certificate(t, `{"exp":1,"iss":"idp.example",`+c.claims+`}`).Email()
		if email != c.email || errors.Is(err, certchain.ErrMalformed) != c.malformed || (host == "") != (c.email == "") {
			t.Errorf("%s: %q, %q, %v", c.claims, email, host, err)
		}
	}
}

func TestPublicKey(t *testing.T) {
	pub, err := json.Marshal(userKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	const base = `{"exp":1,"iss":"idp.example"`
	for claims, want := range map[string]bool{
		base + `,"public-key":` + string(pub) + `}`:               true,
		base + `,"pubkey":` + string(pub) + `}`:                   true,
		base + `,"public-key":` + string(pub) + `,"pubkey":"x"}`:  true,
		base + `,"public-key":"x","pubkey":` + string(pub) + `}`:  false,
		base + `,"public-key":null,"pubkey":` + string(pub) + `}`: false,
		base + `}`: false,
	} {
		key, err := certificate(t, claims).PublicKey(false)
		if (err == nil) != want || (err != nil && !errors.Is(err, certchain.ErrKey)) || (key != nil) != want {
			t.Errorf("%.80s: %v, %v", claims, key, err)
		}
	}
	weak, err := keys.InsecureGenerate(keys.RS64)
	if err != nil {
		t.Fatal(err)
	}
	pub, _ = json.Marshal(weak.Public())
	c := certificate(t, base+`,"public-key":`+string(pub)+`}`)
	if _, err := c.PublicKey(false); !errors.Is(err, keys.ErrWeak) || !errors.Is(err, certchain.ErrKey) {
		t.Errorf("a weak key: %v", err)
	}
	if _, err := c.PublicKey(true); err != nil {
		t.Errorf("a weak key, allowed: %v", err)
	}
}

func TestExtra(t *testing.T) {
	const claims = `{"iss":"idp.example","sub":"s","aud":"a","exp":1,"nbf":1,"iat":1,"jti":"j","public-key":1,"pubkey":1,
		"big":12345678901234567890,"Iss":2,"both":"top","null":null,
		"principal":{"email":"al@idp.example","host":"h","both":"inner","unverified-email":"x@y","exp":7,"iss":8}}`
	want := map[string]json.RawMessage{
		"big": raw(`12345678901234567890`), "Iss": raw(`2`), "both": raw(`"top"`), "null": raw(`null`),
		"host": raw(`"h"`), "unverified-email": raw(`"x@y"`),
	}
	c := certificate(t, claims)
	if diff := cmp.Diff(want, c.Extra()); diff != "" {
		t.Errorf("certificate: %s", diff)
	}
	delete(want, "host")
	delete(want, "unverified-email")
	if diff := cmp.Diff(want, c.Claims.Extra()); diff != "" {
		t.Errorf("token: %s", diff)
	}
	if extra := certificate(t, `{"exp":1,"iss":"a.b","principal":"x"}`).Extra(); extra != nil {
		t.Errorf("nothing extra: %v", extra)
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// BenchmarkParse parses a certificate and an assertion of usual sizes.
func BenchmarkParse(b *testing.B) {
	usual := template()
	usual.Extra = nil
	cert, err := certchain.Issue(usual, issuerKey)
	if err != nil {
		b.Fatal(err)
	}
	token, err := certchain.Sign(map[string]any{"aud": "https://rp.example", "exp": int64(1700000120000)}, nil, userKey)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := certchain.ParseCertificate(cert); err != nil {
			b.Fatal(err)
		}
		if _, err := certchain.ParseToken(token); err != nil {
			b.Fatal(err)
		}
	}
}
