package workload

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"sync"

	"github.com/vepverify/vepverify/bench/internal/numbers"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// signer is the key of a user or of an issuer.
type signer struct {
	public keys.PublicKey
	sign   func(message []byte) ([]byte, error)
}

// issuer returns the signer of the algorithm's test key. number selects the nonces.
func issuer(algorithm string, number int) (signer, error) {
	key := idptest.Key(algorithm)
	if !isDSA(algorithm) {
		return signer{key.Public(), key.Sign}, nil
	}
	w, err := newKeySequence(algorithm, number)
	if err != nil {
		return signer{}, err
	}
	n, err := numbers.Of(key)
	if err != nil {
		return signer{}, err
	}
	return signer{key.Public(), w.signer(n["x"])}, nil
}

// users returns a function that returns the next user: with DSA always a new one, with
// RSA one of rsaRing in turn.
func users(algorithm string, number int) (next func() (signer, error), err error) {
	if isDSA(algorithm) {
		w, err := newKeySequence(algorithm, number)
		if err != nil {
			return nil, err
		}
		return w.next, nil
	}
	ring, err := rsaKeys[algorithm]()
	if err != nil {
		return nil, err
	}
	turn := number
	return func() (signer, error) {
		key := ring[turn%rsaRing]
		turn++
		return signer{key.Public(), key.Sign}, nil
	}, nil
}

var rsaKeys = map[string]func() ([]keys.PrivateKey, error){
	"RS128": sync.OnceValues(func() ([]keys.PrivateKey, error) { return newRSAKeys(512) }),
	"RS256": sync.OnceValues(func() ([]keys.PrivateKey, error) { return newRSAKeys(1024) }),
}

// rsaRing is the number of RSA keys that the users of a pool share.
const rsaRing = 32

// newRSAKeys returns at least rsaRing keys. They share 9 primes, so that few primes must
// be found.
func newRSAKeys(bits int) ([]keys.PrivateKey, error) {
	var ring []keys.PrivateKey
	var primes []*big.Int
	for len(ring) < rsaRing {
		p, err := rand.Prime(rand.Reader, bits) // the upper two bits are set
		if err != nil {
			return nil, err
		}
		e, p1 := big.NewInt(65537), new(big.Int).Sub(p, one)
		if new(big.Int).GCD(nil, nil, e, p1).Cmp(one) != 0 {
			continue
		}
		for _, q := range primes {
			key, err := newRSAKey(p, q, e)
			if err != nil {
				return nil, err
			}
			ring = append(ring, key)
		}
		primes = append(primes, p)
	}
	return ring, nil
}

func newRSAKey(p, q, e *big.Int) (keys.PrivateKey, error) {
	totient := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	text := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	return keys.ParsePrivateKey(fmt.Appendf(nil, `{"kty":"RSA","n":%q,"e":%q,"d":%q,"p":%q,"q":%q}`,
		text(new(big.Int).Mul(p, q)), text(e), text(new(big.Int).ModInverse(e, totient)), text(p), text(q)))
}
