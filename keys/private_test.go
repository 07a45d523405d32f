package keys_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/keys"
)

func TestPrivateRoundTrip(t *testing.T) {
	var all []keys.PrivateKey
	for _, k := range usable() {
		if k.bits <= 2048 {
			all = append(all, mustPrivate(t, k.private()))
		}
	}
	for _, k := range dsaKeys() {
		all = append(all, mustPrivate(t, k.private()))
	}
	for _, name := range keys.Algorithms() {
		k, err := keys.InsecureGenerate(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	for _, k := range all {
		for form, write := range map[string]func() ([]byte, error){"legacy": k.MarshalJSON, "JWK": k.MarshalJWK} {
			data, err := write()
			if err != nil {
				t.Fatal(err)
			}
			again, err := keys.InsecureParsePrivateKey(data)
			if err != nil {
				t.Errorf("%s: %s: %v", k.Algorithm(), form, err)
				continue
			}
			if !bytes.Equal(again.Public().Canonical(), k.Public().Canonical()) {
				t.Errorf("%s: %s: another key was parsed", k.Algorithm(), form)
			}
			if !bytes.Equal(mustSign(t, again, message), mustSign(t, k, message)) {
				t.Errorf("%s: %s: another signature", k.Algorithm(), form)
			}
			if _, err := keys.ParsePrivateKey(data); k.Public().Weak() != errors.Is(err, keys.ErrWeak) {
				t.Errorf("%s: %s: the wrong error for a weak key: %v", k.Algorithm(), form, err)
			}
		}
	}
}

// jwk returns the key with all members of RFC 7518, section 6.3.2.
func (k rsaKey) jwk() object {
	modulo := func(prime *big.Int) *big.Int { return new(big.Int).Mod(k.d, plus(prime, -1)) }
	return object{
		"kty": "RSA", "n": b64(k.n), "e": b64(k.e), "d": b64(k.d), "p": b64(k.p), "q": b64(k.q),
		"dp": b64(modulo(k.p)), "dq": b64(modulo(k.q)), "qi": b64(new(big.Int).ModInverse(k.q, k.p)),
	}
}

func (k rsaKey) lambda() *big.Int {
	p, q := plus(k.p, -1), plus(k.q, -1)
	gcd := new(big.Int).GCD(nil, nil, p, q)
	return p.Mul(p, q).Div(p, gcd)
}

// TestRSAPrivateForms checks that any of the optional members may be missing, and that d may
// be the smallest possible one.
func TestRSAPrivateForms(t *testing.T) {
	for _, bits := range []int{512, 1024, 2048} {
		k := rsaOf(bits)
		full := k.jwk()
		swapped := full.with("p", b64(k.q), "q", b64(k.p), "dp", full["dq"], "dq", full["dp"], "qi", b64(new(big.Int).ModInverse(k.p, k.q)))
		for name, o := range map[string]object{
			"legacy":          k.private(),
			"legacy, least d": k.private().with("d", new(big.Int).Mod(k.d, k.lambda()).String()),
			"full":            full,
			"primes swapped":  swapped,
			"no p":            full.with("p", nil, "dp", nil, "dq", nil, "qi", nil),
			"no q":            full.with("q", nil, "dp", nil, "dq", nil, "qi", nil),
			"no CRT":          full.with("dp", nil, "dq", nil, "qi", nil),
			"n, e, d":         full.with("p", nil, "q", nil, "dp", nil, "dq", nil, "qi", nil),
			"other members":   full.with("kid", 7, "use", "sig", "alg", "RS256"),
		} {
			private, err := keys.InsecureParsePrivateKey(o.json())
			if err != nil {
				t.Errorf("%d bits: %s: %v", bits, name, err)
				continue
			}
			if !bytes.Equal(mustSign(t, private, message), k.signature) {
				t.Errorf("%d bits: %s: another signature", bits, name)
			}
		}
	}
}

func TestRSAPrivateInconsistent(t *testing.T) {
	for _, bits := range []int{512, 2048} {
		k, other := rsaOf(bits), rsaOf(1024)
		full, legacy := k.jwk(), k.private()
		square := new(big.Int).Mul(k.p, k.p)
		for name, o := range map[string]object{
			"no d":              legacy.with("d", nil),
			"d a number":        legacy.with("d", 5),
			"d 0":               legacy.with("d", "0"),
			"d 1":               legacy.with("d", "1"),
			"d+1":               legacy.with("d", plus(k.d, 1).String()),
			"d+2":               legacy.with("d", plus(k.d, 2).String()),
			"d = n":             legacy.with("d", k.n.String()),
			"d+λ·big":           legacy.with("d", new(big.Int).Add(k.d, new(big.Int).Mul(k.lambda(), big.NewInt(1<<20))).String()),
			"another e":         legacy.with("e", "17"),
			"another n":         legacy.with("n", plus(k.n, 2).String()),
			"another key's d":   legacy.with("d", other.d.Text(10)),
			"another key's p":   full.with("p", b64(other.p)),
			"d+λ·big, primes":   full.with("d", b64(new(big.Int).Add(k.d, new(big.Int).Mul(k.lambda(), big.NewInt(1<<20)))), "dp", nil, "dq", nil),
			"q 0, no p":         full.with("p", nil, "q", "AA"),
			"primes composite":  composite(bits),
			"p 0":               full.with("p", "AA"),
			"p 1":               full.with("p", "AQ"),
			"p = n":             full.with("p", b64(k.n), "q", "AQ"),
			"q 1":               full.with("q", "AQ"),
			"p+2":               full.with("p", b64(plus(k.p, 2))),
			"q+2":               full.with("q", b64(plus(k.q, 2))),
			"q = p":             full.with("q", full["p"]),
			"dp+1":              full.with("dp", b64(plus(k.d, 1))),
			"dp = dq":           full.with("dp", full["dq"]),
			"dq = dp":           full.with("dq", full["dp"]),
			"qi = dp":           full.with("qi", full["dp"]),
			"qi = 1":            full.with("qi", "AQ"),
			"p a JSON number":   full.with("p", 3),
			"qi no base64url":   full.with("qi", "+"),
			"more primes":       full.with("oth", []object{{"r": "AQ", "d": "AQ", "t": "AQ"}}),
			"n = p², no primes": squareModulus(legacy, k),
			"n = p²":            full.with("n", b64(square), "p", b64(k.p), "q", b64(k.p)),
		} {
			private, err := keys.InsecureParsePrivateKey(o.json())
			if private != nil || !errors.Is(err, keys.ErrMalformed) {
				t.Errorf("%d bits: %s: %v", bits, name, err)
			}
			noSecrets(t, err, k.d, k.p, k.q)
		}
	}
}

// squareModulus returns an object like a key with the modulus p². Its d is the inverse of
// e for this modulus.
func squareModulus(legacy object, k rsaKey) object {
	n := new(big.Int).Mul(k.p, k.p)
	order := new(big.Int).Mul(k.p, plus(k.p, -1))
	d := new(big.Int).ModInverse(k.e, order)
	return legacy.with("n", n.String(), "d", d.String())
}

// composite returns an object like a key whose two factors are not prime. Its exponents fit
// the factors.
func composite(bits int) object {
	e := big.NewInt(65537)
	p := new(big.Int).Mul(oddOf(bits/2-1), big.NewInt(3))
	q := new(big.Int).Mul(oddOf(bits/2-2), big.NewInt(5))
	k := rsaKey{n: new(big.Int).Mul(p, q), e: e, p: p, q: q}
	k.d = new(big.Int).ModInverse(e, k.lambda())
	return k.jwk().with("dp", nil, "dq", nil, "qi", nil)
}

// TestRSANotTwoPrimes checks that a prime modulus and one of three primes are refused. They
// would sign and verify like others.
func TestRSANotTwoPrimes(t *testing.T) {
	e := big.NewInt(65537)
	prime := multiple(512, 1)
	for !prime.ProbablyPrime(20) {
		prime = plus(prime, 2)
	}
	d := new(big.Int).ModInverse(e, plus(prime, -1))
	one := object{"algorithm": "RS", "n": prime.String(), "e": "65537", "d": d.String()}

	k := rsaOf(1024)
	three, order := new(big.Int).Mul(k.n, prime), new(big.Int).Mul(k.lambda(), plus(prime, -1))
	three.Mul(three, largePrime(1024-512))
	order.Mul(order, plus(largePrime(1024-512), -1))
	more := object{"algorithm": "RS", "n": three.String(), "e": "65537", "d": new(big.Int).ModInverse(e, order).String()}
	for name, o := range map[string]object{"one": one, "more": more} {
		if private, err := keys.InsecureParsePrivateKey(o.json()); private != nil || !errors.Is(err, keys.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// largePrime returns one of the largest primes of the given number of bits.
func largePrime(bits int) *big.Int {
	p := plus(new(big.Int).Lsh(big.NewInt(1), uint(bits)), -1)
	for !p.ProbablyPrime(20) {
		p = plus(p, -2)
	}
	return p
}

func TestDSAPrivateForms(t *testing.T) {
	for _, k := range dsaKeys() {
		want := mustPublic(t, k.public()).Canonical()
		jwk := object{"kty": "DSA", "p": b64(k.p), "q": b64(k.q), "g": b64(k.g), "x": b64(k.x)}
		for name, o := range map[string]object{
			"legacy":           k.private(),
			"legacy, capitals": k.private().with("x", strings.ToUpper("00"+k.x.Text(16))),
			"legacy with y":    k.private().with("y", k.y.Text(16)),
			"JWK":              jwk,
			"JWK with y":       jwk.with("y", b64(k.y)),
			"x = 1":            k.private().with("x", "1"),
			"x = q-1":          k.private().with("x", plus(k.q, -1).Text(16)),
		} {
			private, err := keys.ParsePrivateKey(o.json())
			if err != nil {
				t.Errorf("%s: %s: %v", k.name, name, err)
				continue
			}
			if err := private.Public().Verify(message, mustSign(t, private, message)); err != nil {
				t.Errorf("%s: %s: %v", k.name, name, err)
			}
			if !strings.HasPrefix(name, "x") && !bytes.Equal(private.Public().Canonical(), want) {
				t.Errorf("%s: %s: another key was parsed", k.name, name)
			}
		}
	}
}

func TestDSAPrivateInconsistent(t *testing.T) {
	for _, k := range dsaKeys() {
		good := k.private()
		for name, o := range map[string]object{
			"no x":        good.with("x", nil),
			"x a number":  good.with("x", 1),
			"x 0":         good.with("x", "0"),
			"x q":         good.with("x", k.q.Text(16)),
			"x q+1":       good.with("x", plus(k.q, 1).Text(16)),
			"y -y":        good.with("y", new(big.Int).Sub(k.p, k.y).Text(16)),
			"y+1":         good.with("y", plus(k.y, 1).Text(16)),
			"y+p":         good.with("y", new(big.Int).Add(k.y, k.p).Text(16)),
			"y empty":     good.with("y", ""),
			"y a number":  good.with("y", 2),
			"p 1":         good.with("p", "1"),
			"p even":      good.with("p", plus(k.p, 1).Text(16)),
			"p composite": good.with("p", plus(k.p, 2).Text(16)),
			"q even":      good.with("q", plus(k.q, 1).Text(16)),
			"q composite": good.with("q", plus(k.q, 2).Text(16)),
			"g 0":         good.with("g", "0"),
			"g 1":         good.with("g", "1"),
			"g 2":         good.with("g", "2"),
			"g p-1":       good.with("g", plus(k.p, -1).Text(16)),
			"g p":         good.with("g", k.p.Text(16)),
			"g+p":         good.with("g", new(big.Int).Add(k.g, k.p).Text(16)),
		} {
			private, err := keys.ParsePrivateKey(o.json())
			if private != nil || !errors.Is(err, keys.ErrMalformed) {
				t.Errorf("%s: %s: %v", k.name, name, err)
			}
			noSecrets(t, err, k.x)
		}
	}
}

// noSecrets fails the test if the error contains the beginning of a secret.
func noSecrets(t *testing.T, err error, secrets ...*big.Int) {
	t.Helper()
	for _, s := range secrets {
		for _, text := range []string{s.String(), s.Text(16), b64(s)} {
			if err != nil && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(text[:12])) {
				t.Error("the error shows a part of the key")
			}
		}
	}
}

func TestPrivateKeyIsNotPrinted(t *testing.T) {
	for _, name := range keys.Algorithms() {
		k, err := keys.InsecureGenerate(name)
		if err != nil {
			t.Fatal(err)
		}
		want := name + " private key"
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%b", "%08.3f"} {
			if got := fmt.Sprintf(verb, k); got != want {
				t.Errorf("%s: %s: %d bytes are printed", name, verb, len(got))
			}
		}
		if got := fmt.Sprint(k.(fmt.Stringer).String(), "|", k.(fmt.GoStringer).GoString()); got != want+"|"+want {
			t.Errorf("%s: String or GoString returns another text", name)
		}
		type holder struct {
			Key    keys.PrivateKey
			hidden keys.PrivateKey
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "key", k)
		slog.New(slog.NewTextHandler(&log, nil)).Info("made", "key", k)
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			fmt.Fprintf(&log, verb, holder{k, k})
			fmt.Fprintf(&log, verb, []keys.PrivateKey{k})
		}
		for _, secret := range secrets(t, k) {
			if strings.Contains(strings.ToLower(log.String()), secret) {
				t.Errorf("%s: a secret is printed", name)
			}
		}
	}
}

// secrets returns the beginning of the secret number in several notations.
func secrets(t *testing.T, k keys.PrivateKey) (all []string) {
	t.Helper()
	data, err := k.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var o map[string]string
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	var n *big.Int
	if x, ok := o["x"]; ok {
		n = hexadecimal(x)
	} else {
		n = decimal(o["d"])
	}
	bytes := n.Bytes()
	for _, text := range []string{n.String(), n.Text(16), b64(n), fmt.Sprint(bytes), fmt.Sprint(n.Bits())} {
		all = append(all, strings.ToLower(strings.Trim(text, "[]"))[:12])
	}
	return all
}
