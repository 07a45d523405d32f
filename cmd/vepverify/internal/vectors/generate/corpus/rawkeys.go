package corpus

import (
	"crypto/sha1"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"math/big"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// rawKeyFile has private keys, most of them of sizes and kinds that package keys refuses.
// Vectors are signed with them, so that a verifier that accepts such a key finds a valid
// signature. They are public, and for tests only. All numbers are hexadecimal.
//
//go:embed rawkeys.json
var rawKeyFile []byte

// rawKey is a private key as numbers: n, e, d or p, q, g, x.
type rawKey map[string]*big.Int

// loadRawKey returns the raw key of that name.
func loadRawKey(name string) rawKey {
	var all map[string]map[string]string
	if err := json.Unmarshal(rawKeyFile, &all); err != nil {
		panic(err)
	}
	k := make(rawKey)
	for member, digits := range all[name] {
		k[member] = hexNumber(digits)
	}
	if len(k) == 0 {
		panic("corpus: no raw key " + name)
	}
	return k
}

// hexNumber parses a number in hexadecimal.
func hexNumber(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok {
		panic("corpus: not a number: " + digits)
	}
	return n
}

// public returns the legacy form of the public key.
func (k rawKey) public() idptest.Object {
	if k["n"] != nil {
		return idptest.Object{"algorithm": "RS", "n": k["n"].Text(10), "e": k["e"].Text(10)}
	}
	y := new(big.Int).Exp(k["g"], k["x"], k["p"])
	return idptest.Object{
		"algorithm": "DS", "p": k["p"].Text(16), "q": k["q"].Text(16), "g": k["g"].Text(16), "y": y.Text(16),
	}
}

// signer returns a signer for the algorithm of that name.
func (k rawKey) signer(alg string) func(message []byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		if k["n"] != nil {
			return k.signRSA(message), nil
		}
		return k.signDSA(alg, message), nil
	}
}

func (k rawKey) signRSA(message []byte) []byte {
	size := (k["n"].BitLen() + 7) / 8
	m := new(big.Int).SetBytes(forge.NewPKCS1(message).Bytes(size))
	return m.Exp(m, k["d"], k["n"]).FillBytes(make([]byte, size))
}

// signDSA computes its nonce from a hash of the message, which is sufficient because
// the private key is public.
func (k rawKey) signDSA(alg string, message []byte) []byte {
	q, size := k["q"], (k["q"].BitLen()+7)/8
	seed := sha256.Sum256(message)
	nonce := new(big.Int).SetBytes(seed[:])
	nonce.Mod(nonce, new(big.Int).Sub(q, big.NewInt(1))).Add(nonce, big.NewInt(1))
	if q.Bit(0) == 0 { // only odd numbers have an inverse
		nonce.SetBit(nonce, 0, 1)
	}
	r := new(big.Int).Exp(k["g"], nonce, k["p"])
	r.Mod(r, q)
	s := new(big.Int).Mul(r, k["x"])
	s.Add(s, truncate(digest(alg, message), q.BitLen()))
	s.Mul(s, nonce.ModInverse(nonce, q)).Mod(s, q)
	signature := make([]byte, 2*size)
	r.FillBytes(signature[:size])
	s.FillBytes(signature[size:])
	return signature
}

// digest returns the hash of a message for a DSA algorithm.
func digest(alg string, message []byte) []byte {
	if alg == "DS128" {
		sum := sha1.Sum(message)
		return sum[:]
	}
	sum := sha256.Sum256(message)
	return sum[:]
}

// truncate returns the leftmost bits of a digest as a number.
func truncate(digest []byte, bits int) *big.Int {
	z := new(big.Int).SetBytes(digest)
	if excess := len(digest)*8 - bits; excess > 0 {
		z.Rsh(z, uint(excess))
	}
	return z
}

// rawUserKey replaces the user's key by a raw key. alg is the algorithm name that a verifier
// would use if it accepted the key.
func rawUserKey(name, alg string) edit {
	k := loadRawKey(name)
	return combine(publicKey(k.public()), assertion(func(t forge.Token) forge.Token { return k.sign(t, alg) }))
}

// rawIssuerKey replaces the issuer's key by a raw key, as rawUserKey does.
func rawIssuerKey(name, alg string) edit {
	k := loadRawKey(name)
	return combine(
		certificate(func(t forge.Token) forge.Token { return k.sign(t, alg) }),
		document(idp, validDocument().With("public-key", k.public())),
	)
}

func (k rawKey) sign(t forge.Token, alg string) forge.Token {
	t.Alg, t.Key, t.Sign = alg, nil, k.signer(alg)
	return t
}
