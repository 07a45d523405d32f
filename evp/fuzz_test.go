package evp_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/internal/jose"
)

// FuzzParse checks that Parse does not panic, that a token that it accepts is recognized by
// its header, and that Verify accepts only what Parse does.
func FuzzParse(f *testing.F) {
	for _, c := range cases(f)[:40] {
		f.Add(c.Token)
	}
	v := verifier(f, config(), sourceOf())
	f.Fuzz(func(t *testing.T, text string) {
		token, err := evp.Parse(text)
		_, verifyErr := v.Verify(t.Context(), text, expected)
		if verifyErr == nil {
			t.Fatal("okay without keys")
		}
		if err != nil {
			if err.Error() != verifyErr.Error() {
				t.Errorf("Parse: %v, Verify: %v", err, verifyErr)
			}
			return
		}
		for _, raw := range [][]byte{token.EVT.Header, token.EVT.Claims, token.KB.Header, token.KB.Claims} {
			if !json.Valid(raw) {
				t.Errorf("not JSON: %q", raw)
			}
		}
		if evp.IsToken(text) != (token.EVT.Type == "evt+jwt") {
			t.Error("IsToken and Parse do not agree")
		}
	})
}

// FuzzVerify changes a valid token. The result is okay only if the text is the same, and is
// the same for each call.
func FuzzVerify(f *testing.F) {
	tokens := make([]string, len(algs))
	var keys []*jose.PublicKey
	for i, alg := range algs {
		m := newMint(f, alg, alg)
		tokens[i] = m.token(f)
		keys = append(keys, m.issuer.Public())
	}
	v := verifier(f, config(), sourceOf(keys...))
	f.Add(uint8(0), uint16(0), []byte(nil))
	f.Add(uint8(1), uint16(20), []byte("x"))
	f.Add(uint8(2), uint16(400), []byte("~"))
	f.Add(uint8(3), uint16(900), []byte("A"))
	f.Fuzz(func(t *testing.T, which uint8, at uint16, change []byte) {
		token := tokens[int(which)%len(tokens)]
		start := int(at) % len(token)
		end := min(start+len(change), len(token))
		text := token[:start] + string(change) + token[end:]
		res, err := v.Verify(t.Context(), text, expected)
		if (err == nil) != (text == token) {
			t.Errorf("changed at %d: %v", start, err)
		}
		again, errAgain := v.Verify(t.Context(), strings.Clone(text), expected)
		if !reflect.DeepEqual(res, again) || err != nil && (errAgain == nil || err.Error() != errAgain.Error()) {
			t.Errorf("another result: %v, %v", err, errAgain)
		}
	})
}

// FuzzClaims signs other claims, headers and keys with the right keys. The result is okay
// only if email and times are as the rules say, and JSON readers agree about it.
func FuzzClaims(f *testing.F) {
	m := newMint(f, jose.Ed25519, jose.Ed25519)
	evt, kb, _ := strings.Cut(m.token(f), "~")
	part := func(half string, i int) []byte {
		data, _ := jose.DecodeBase64(strings.Split(half, ".")[i])
		return data
	}
	f.Add(part(evt, 0), part(evt, 1), part(kb, 0), part(kb, 1))
	f.Add([]byte(`{"typ":"evt+jwt","alg":"EdDSA","kid":""}`), bytes.Replace(part(evt, 1), []byte(`"iat"`), []byte(`"exp":1800000000,"iat"`), 1),
		part(kb, 0), part(kb, 1))
	v := verifier(f, config(), sourceOf(m.issuer.Public()))
	f.Fuzz(func(t *testing.T, evtHeader, evtClaims, kbHeader, kbClaims []byte) {
		first, err := m.issuer.SignRaw(evtHeader, evtClaims)
		if err != nil {
			t.Fatal(err)
		}
		second, err := m.holder.SignRaw(kbHeader, withHash(kbClaims, first+"~"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := v.Verify(t.Context(), first+"~"+second, evp.Expected{Nonce: nonce})
		if err != nil {
			return
		}
		var claims object
		if json.Unmarshal(evtClaims, &claims) != nil || claims["email"] != res.Email || claims["email_verified"] != true {
			t.Error("encoding/json reads other claims")
		}
		if !wantEmail(res.Email) || res.Expires.After(now.Add(360e9)) || res.Expires.Before(now.Add(-60e9)) {
			t.Errorf("accepted: %+v", res)
		}
	})
}

// withHash replaces the sd_hash of the browser's claims.
func withHash(claims []byte, text string) []byte {
	i := bytes.Index(claims, []byte(`"sd_hash":"`))
	if i < 0 {
		return claims
	}
	i += len(`"sd_hash":"`)
	end := bytes.IndexByte(claims[i:], '"')
	if end < 0 {
		return claims
	}
	return append(append(bytes.Clone(claims[:i]), hashOf(text)...), claims[i+end:]...)
}
