package forge_test

import (
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// TestStrippedZeros checks that a signature without its leading zeros is valid.
func TestStrippedZeros(t *testing.T) {
	for _, user := range []string{"RS128", "RS256", "RS256-2047", "DS128", "DS256"} {
		certificate, statement := tokens("RS256", user)
		statement, err := statement.Until(func(signature []byte) bool { return signature[0] == 0 })
		if err != nil {
			t.Fatal(err)
		}
		full := statement.String()
		statement.Alter = forge.StripZeros
		if len(statement.String()) >= len(full) {
			t.Error("no zeros were stripped")
		}
		check(t, user, nil, certificate, statement)
	}
}

func TestScalars(t *testing.T) {
	key := idptest.Key("DS256").Public()
	q, ok := new(big.Int).SetString(idptest.Legacy(key)["q"].(string), 16)
	if !ok {
		t.Fatal("no q")
	}
	zero, one := big.NewInt(0), big.NewInt(1)
	for name, c := range map[string]struct {
		alter forge.Alteration
		want  error
	}{
		"r 0":      {forge.Scalars(key, zero, one), assertion.ErrSignature},
		"s 0":      {forge.Scalars(key, one, zero), assertion.ErrSignature},
		"r 1, s q": {forge.Scalars(key, one, q), assertion.ErrSignature},
		"r + q":    {forge.AlterScalars(key, func(r, _, q *big.Int) { r.Add(r, q) }), assertion.ErrSignature},
		"s + 1":    {forge.AlterScalars(key, func(_, s, _ *big.Int) { s.Add(s, one) }), assertion.ErrSignature},
		"s + q":    {forge.AlterScalars(key, func(_, s, q *big.Int) { s.Add(s, q) }), assertion.ErrSignature},
		"q - s":    {forge.AlterScalars(key, func(_, s, q *big.Int) { s.Sub(q, s) }), assertion.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, statement := tokens("RS256", "DS256")
			statement.Alter = c.alter
			check(t, name, c.want, certificate, statement)
		})
	}
}

// TestAddModulus checks that exactly n is added, and that a verifier refuses the sum.
func TestAddModulus(t *testing.T) {
	for _, user := range []string{"RS128", "RS256", "RS256-2047"} {
		certificate, statement := tokens("RS256", user)
		plain := signatureOf(t, statement)
		statement.Alter = forge.AddModulus(idptest.Key(user).Public())
		sum := signatureOf(t, statement)
		n, ok := new(big.Int).SetString(idptest.Legacy(idptest.Key(user).Public())["n"].(string), 10)
		if difference := new(big.Int).Sub(sum, plain); !ok || difference.Cmp(n) != 0 {
			t.Errorf("%s: the difference is not n", user)
		}
		check(t, user, assertion.ErrSignature, certificate, statement)
	}
}

func signatureOf(t *testing.T, token forge.Token) *big.Int {
	t.Helper()
	text := token.String()
	signature, err := base64.RawURLEncoding.DecodeString(text[strings.LastIndexByte(text, '.')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(signature)
}
