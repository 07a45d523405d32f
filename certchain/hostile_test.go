package certchain_test

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/certchain"
)

// maxSize is the largest size of a request in bytes (PROTOCOL 1.size).
const maxSize = 32 << 10

// BenchmarkHostile parses certificates that have the largest possible size and are designed
// to take much time: the certificate, its key, its principal and its extra claims. If they
// are valid, it also verifies a signature with the certified key.
func BenchmarkHostile(b *testing.B) {
	for name, claims := range hostileClaims() {
		text := hostileToken(claims)
		if len(text) > maxSize {
			b.Fatalf("%s: %d bytes", name, len(text))
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parseAll(text)
			}
		})
	}
}

func parseAll(text string) {
	c, err := certchain.ParseCertificate(text)
	if err != nil {
		return
	}
	c.Extra()
	if key, err := c.PublicKey(true); err == nil {
		_ = c.Verify(key)
	}
}

// hostileToken encodes claims, with a signature as long as that of a key of 4096 bits.
func hostileToken(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte(strings.Repeat("\x01", 512)))
}

// maxClaims is the largest size of the claims in bytes.
const maxClaims = maxSize*3/4 - 600

// fill returns start, piece(0), piece(1), … and end. It has as many pieces as fit in
// maxClaims.
func fill(start, end string, piece func(i int) string) string {
	var b strings.Builder
	b.WriteString(start)
	for i := 0; ; i++ {
		p := piece(i)
		if b.Len()+len(p)+len(end) > maxClaims {
			break
		}
		b.WriteString(p)
	}
	b.WriteString(end)
	return b.String()
}

func hostileClaims() map[string]string {
	const head, tail = `{"iss":"a.b","exp":1,`, `"principal":{"email":"a@a.b"}}`
	key := func(e, n string) string {
		return head + `"public-key":{"algorithm":"RS","e":"` + e + `","n":"` + n + `"},` + tail
	}
	same := func(piece string) func(int) string { return func(int) string { return piece } }
	modulus := func(bits uint) string {
		n := new(big.Int).Lsh(big.NewInt(1), bits)
		return n.Sub(n, big.NewInt(1)).String()
	}
	objects := fill(head+`"x":[{}`, `],`+tail, func(int) string {
		return `,{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0}`
	})
	return map[string]string{
		"members":          fill(head, tail, func(i int) string { return fmt.Sprintf(`"%x":1,`, i) }),
		"principal":        fill(head+`"principal":{`, `"email":"a@a.b"}}`, func(i int) string { return fmt.Sprintf(`"%x":1,`, i) }),
		"key-members":      fill(head+tail[:len(tail)-1]+`,"public-key":{`, `"kty":"RSA","n":"1","e":"3"}}`, func(i int) string { return fmt.Sprintf(`"%x":1,`, i) }),
		"objects-of-17":    objects,
		"objects-of-16":    strings.ReplaceAll(objects, `,"q":0`, ""),
		"empty-objects":    fill(head+`"x":[{}`, `],`+tail, same(`,{}`)),
		"depth":            fill(head+`"x":[0`, `],`+tail, same(`,`+strings.Repeat(`{"a":`, 997)+`0`+strings.Repeat(`}`, 997))),
		"escapes":          fill(head+`"x":"`, `",`+tail, same(`\ud83d\ude00`)),
		"escaped-names":    fill(head, tail, func(i int) string { return fmt.Sprintf(`"\u%04x":1,`, 0x100+i) }),
		"multibyte":        fill(head+`"x":"`, `",`+tail, same("é")),
		"numbers":          fill(head+`"x":[0`, `],`+tail, same(`,1e1`)),
		"exp-digits":       fill(`{"iss":"a.b","exp":1`, `,`+tail, same(`0`)),
		"exp-fraction":     fill(`{"iss":"a.b","exp":0.`, `1e30000,`+tail, same(`0`)),
		"exp-exponent":     fill(`{"iss":"a.b","exp":1e`, `,`+tail, same(`9`)),
		"exp-text":         fill(`{"iss":"a.b","exp":"1`, `",`+tail, same(`\u0031`)),
		"issuer":           fill(`{"iss":"a`, `","exp":1,`+tail, same(`.a`)),
		"email":            fill(`{"iss":"a.b","exp":1,"principal":{"email":"a`, `@a.b"}}`, same(`a`)),
		"modulus":          fill(head+`"public-key":{"algorithm":"RS","e":"3","n":"`, `"},`+tail, same(`7`)),
		"modulus-zeros":    fill(head+`"public-key":{"algorithm":"RS","e":"3","n":"`, modulus(4096)+`"},`+tail, same(`0`)),
		"modulus-base64":   fill(head+`"public-key":{"kty":"RSA","e":"AQAB","n":"`, `"},`+tail, same(`A`)),
		"rsa-4096-e-65535": key("65535", modulus(4096)),
		"rsa-2048-e-large": key("2147483647", modulus(2048)),
		"rsa-512-e-large":  strings.Replace(key("2147483647", modulus(512)), "RS256", "RS64", 1),
	}
}
