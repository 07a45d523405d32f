package issuer_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/issuer"
)

// TestSignatureBaseOfRFC9421 checks the example of RFC 9421, appendix B.2.6.
func TestSignatureBaseOfRFC9421(t *testing.T) {
	data, err := os.ReadFile("testdata/rfc9421-b26.txt")
	if err != nil {
		t.Fatal(err)
	}
	field := func(name string) string {
		_, after, _ := strings.Cut(string(data), "\n"+name+": ")
		line, _, _ := strings.Cut(after, "\n")
		return line
	}
	m := message{"POST", "/foo", `{"hello": "world"}`, [][2]string{
		{"Host", "example.com"}, {"Date", "Tue, 20 Apr 2021 02:07:55 GMT"},
		{"Content-Type", "application/json"}, {"Content-Length", "18"},
	}}
	base, err := issuer.SignatureBase(m.request(t), "example.com", "sig-b26", field("Signature-Input"))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(strings.Trim(strings.TrimPrefix(field("Signature"), "sig-b26="), ":"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.RawURLEncoding.DecodeString("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs")
	if err != nil {
		t.Fatal(err)
	}
	if !ed25519.Verify(key, base, sig) {
		t.Errorf("the signature does not verify over\n%s", base)
	}
}

func TestParametersOfTheSignature(t *testing.T) {
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, test := range []struct {
		name, params string
		ok           bool
	}{
		{"created", fmt.Sprintf(";created=%d", at(0)), true},
		{"created 300 s ago", fmt.Sprintf(";created=%d", at(-300*time.Second)), true},
		{"created 301 s ago", fmt.Sprintf(";created=%d", at(-301*time.Second)), false},
		{"created in 300 s", fmt.Sprintf(";created=%d", at(300*time.Second)), true},
		{"created in 301 s", fmt.Sprintf(";created=%d", at(301*time.Second)), false},
		{"created in ms", fmt.Sprintf(";created=%d", now.UnixMilli()), false},
		{"created is a string", fmt.Sprintf(`;created="%d"`, at(0)), false},
		{"created is a decimal", fmt.Sprintf(`;created=%d.0`, at(0)), false},
		{"created is a date", fmt.Sprintf(`;created=@%d`, at(0)), false},
		{"created twice", fmt.Sprintf(`;created=%d;created=%d`, at(0), at(0)), false},
		{"created negative", ";created=-1", false},
		{"no created", `;keyid="k"`, false},
		{"expires later", fmt.Sprintf(";created=%d;expires=%d", at(0), at(time.Second)), true},
		{"expires now", fmt.Sprintf(";created=%d;expires=%d", at(0), at(0)), false},
		{"expires is a string", fmt.Sprintf(`;created=%d;expires="9"`, at(0)), false},
		{"alg", fmt.Sprintf(`;created=%d;alg="ed25519"`, at(0)), true},
		{"alg of another key", fmt.Sprintf(`;created=%d;alg="ecdsa-p256-sha256"`, at(0)), false},
		{"alg is a token", fmt.Sprintf(`;created=%d;alg=ed25519`, at(0)), false},
		{"keyid, nonce, tag", fmt.Sprintf(`;tag="evp";created=%d;keyid="\"\\";nonce=""`, at(0)), true},
		{"keyid is a number", fmt.Sprintf(`;created=%d;keyid=1`, at(0)), false},
		{"unknown", fmt.Sprintf(`;created=%d;other="x"`, at(0)), false},
		{"capitals", fmt.Sprintf(`;Created=%d`, at(0)), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newIssuer(t, config(t))
			got := code(t, newBrowser().sign(bodyFor(alice), five, test.params).send(t, i))
			if want := map[bool]string{true: "200", false: badSignature}[test.ok]; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestCoveredComponents(t *testing.T) {
	params := fmt.Sprintf(";created=%d", now.Unix())
	for _, test := range []struct {
		components string
		ok         bool
	}{
		{five, true},
		{`"signature-key" "content-digest" "@path" "@authority" "@method"`, true},
		{five + ` "content-type"`, true},
		{five + ` "cookie" "origin"`, true},
		{five + ` "@query"`, true},
		{five + ` "absent"`, false},
		{five + ` "host"`, false}, // net/http removes it; @authority covers it
		{five + ` "Content-Type"`, false},
		{five + ` "@target-uri"`, false},
		{five + ` "@status"`, false},
		{five + ` "@unknown"`, false},
		{five + ` ""`, false},
		{five + ` "content-type";sf`, false},
		{five + ` "content-digest";bs`, false},
		{five + ` content-type`, false},
		{five + ` 1`, false},
		{five + strings.Repeat(` "content-type"`, 2), false},
		{strings.Replace(five, `"@path"`, `"@path";req`, 1), false},
	} {
		t.Run(test.components, func(t *testing.T) {
			i := newIssuer(t, config(t))
			m := newBrowser().ask(bodyFor(alice))
			m.target = "/issue?a=b"
			got := code(t, newBrowser().resign(m, test.components, params).send(t, i))
			if want := map[bool]string{true: "200", false: badSignature}[test.ok]; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestContentDigest(t *testing.T) {
	b := newBrowser()
	body := bodyFor(alice)
	s256, s512 := sha256.Sum256([]byte(body)), sha512.Sum512([]byte(body))
	text := func(b []byte) string { return ":" + base64.StdEncoding.EncodeToString(b) + ":" }
	right, right512 := "sha-256="+text(s256[:]), "sha-512="+text(s512[:])
	wrong := "sha-256=" + text(make([]byte, 32))
	for _, test := range []struct {
		digest string
		ok     bool
	}{
		{right, true},
		{right512, true},
		{right + ", " + right512, true},
		{right512 + ",\t" + right, true},
		{"md5=:AAAA:, " + right, true},
		{right + ";a", false},
		{"md5=:AAAA:", false},
		{wrong, false},
		{wrong + ", " + right512, false},
		{right + ", sha-512=:AAAA:", false},
		{right + ", " + right, false},
		{wrong + ", " + right, false},
		{`sha-256="` + strings.Trim(right[8:], ":") + `"`, false},
		{"sha-256", false},
		{"sha-256=(" + text(s256[:]) + ")", false},
		{"SHA-256=" + text(s256[:]), false},
		{strings.TrimRight(right, "=:") + ":", false},
		{right + strings.Repeat(" ", 2048) + ", md5=:AAAA:", false},
	} {
		t.Run(test.digest, func(t *testing.T) {
			i := newIssuer(t, config(t))
			m := b.ask(body).set("Content-Digest", test.digest)
			m = b.resign(m, five, fmt.Sprintf(";created=%d", now.Unix()))
			got := code(t, m.send(t, i))
			if want := map[bool]string{true: "200", false: badSignature}[test.ok]; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestSignatureKey(t *testing.T) {
	b := newBrowser()
	good := b.ask("").get("Signature-Key")
	x := good[strings.Index(good, `x="`):]
	big3072 := rsaKey(t, 3072)
	for _, test := range []struct {
		name, key      string
		signatureError string // none: accepted
	}{
		{"good", good, ""},
		{"other order", `sig=hwk;` + x + `;kty="OKP";crv="Ed25519";alg="Ed25519"`, ""},
		{"spaces", `sig=hwk; kty="OKP"; crv="Ed25519";  ` + x + `;alg="Ed25519"`, ""},
		{"EdDSA", strings.Replace(good, `alg="Ed25519"`, `alg="EdDSA"`, 1), ""},
		{"no alg", strings.Replace(good, `alg="Ed25519";`, ``, 1), "invalid_signature"},
		{"alg of another key", strings.Replace(good, `alg="Ed25519"`, `alg="ES256"`, 1), "invalid_signature"},
		{"alg unknown", strings.Replace(good, `alg="Ed25519"`, `alg="ES384"`, 1), "unsupported_algorithm"},
		{"alg none", strings.Replace(good, `alg="Ed25519"`, `alg="none"`, 1), "unsupported_algorithm"},
		{"alg is a token", strings.Replace(good, `alg="Ed25519"`, `alg=Ed25519`, 1), "invalid_signature"},
		{"crv unknown", strings.Replace(good, `crv="Ed25519"`, `crv="Ed448"`, 1), "invalid_signature"},
		{"kty unknown", strings.Replace(good, `kty="OKP"`, `kty="oct"`, 1), "invalid_signature"},
		{"kid", good + `;kid="k"`, "invalid_signature"},
		{"private member", good + `;d="AAAA"`, "invalid_signature"},
		{"member twice", good + ";" + x, "invalid_signature"},
		{"x short", `sig=hwk;alg="Ed25519";crv="Ed25519";kty="OKP";x="AAAA"`, "invalid_signature"},
		{"x padded", strings.TrimSuffix(good, `"`) + `="`, "invalid_signature"},
		{"scheme jwks_uri", strings.Replace(good, "hwk", "jwks_uri", 1), "unsupported_scheme"},
		{"scheme in capitals", strings.Replace(good, "hwk", "HWK", 1), "unsupported_scheme"},
		{"scheme is a string", strings.Replace(good, "hwk", `"hwk"`, 1), "unsupported_scheme"},
		{"another label", strings.Replace(good, "sig=", "sig1=", 1), "invalid_signature"},
		{"two labels", good + ", other=hwk", "invalid_signature"},
		{"list", "sig=(hwk)", "invalid_signature"},
		{"no parameters", "sig=hwk", "invalid_signature"},
		{"RSA of 1024 bits", rsaText(new(big.Int).Lsh(big.NewInt(1), 1023)), "invalid_signature"},
		{"RSA of 3072 bits, but signed by Ed25519", rsaText(big3072), "invalid_signature"},
		{"RSA of 8192 bits", rsaText(new(big.Int).Lsh(big.NewInt(1), 8191)), "invalid_signature"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newIssuer(t, config(t))
			m := b.ask(bodyFor(alice)).set("Signature-Key", test.key)
			w := b.resign(m, five, fmt.Sprintf(";created=%d", now.Unix())).send(t, i)
			want := "200"
			if test.signatureError != "" {
				want = badSignature
			}
			if got := code(t, w); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := w.Header().Get("Signature-Error"); strings.TrimPrefix(got, "error=") != test.signatureError {
				t.Errorf("got %q, want %q", got, test.signatureError)
			}
			if accepted := w.Header().Get("Accept-Signature-Alg"); (accepted != "") != (test.signatureError == "unsupported_algorithm") {
				t.Errorf("Accept-Signature-Alg: %q", accepted)
			}
		})
	}
}

func rsaKey(t *testing.T, bits int) *big.Int {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key.N
}

func rsaText(n *big.Int) string {
	return `sig=hwk;alg="RS256";e="AQAB";kty="RSA";n="` + base64.RawURLEncoding.EncodeToString(n.Bytes()) + `"`
}

func TestSignatureField(t *testing.T) {
	b := newBrowser()
	good := b.ask(bodyFor(alice))
	value := good.get("Signature")
	for name, signature := range map[string]string{
		"string":           `sig="` + strings.Trim(value[4:], ":") + `"`,
		"parameter":        value + ";a=1",
		"another label":    strings.Replace(value, "sig=", "sig1=", 1),
		"a second":         value + ", sig2=:AAAA:",
		"a right one last": "sig=:AAAA:, " + value,
		"empty":            "sig=::",
		"spare bits":       spareBits(value),
	} {
		t.Run(name, func(t *testing.T) {
			if got := code(t, good.set("Signature", signature).send(t, newIssuer(t, config(t)))); got != badSignature {
				t.Errorf("got %s", got)
			}
		})
	}
}

// spareBits sets a bit of the last character before the padding that decoders may ignore.
func spareBits(value string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := strings.IndexByte(value, '=') // of the label
	last += 1 + strings.IndexByte(value[last+1:], '=') - 1
	c := alphabet[strings.IndexByte(alphabet, value[last])|1]
	return value[:last] + string(c) + value[last+1:]
}
