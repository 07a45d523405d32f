package corpus

import (
	"math/big"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// hexMember gives a key with one number computed from its p.
func hexMember(o idptest.Object, name string, value func(p, old *big.Int) *big.Int) idptest.Object {
	return o.With(name, value(hexNumber(o["p"].(string)), hexNumber(o[name].(string))).Text(16))
}

func plus(n int64) func(p, old *big.Int) *big.Int {
	return func(_, old *big.Int) *big.Int { return new(big.Int).Add(old, big.NewInt(n)) }
}

func exactly(n int64) func(p, old *big.Int) *big.Int {
	return func(_, _ *big.Int) *big.Int { return big.NewInt(n) }
}

func modulus(p, _ *big.Int) *big.Int { return p }

func plusModulus(p, old *big.Int) *big.Int { return new(big.Int).Add(p, old) }

// negative gives p - old, which is not in the group of odd order.
func negative(p, old *big.Int) *big.Int { return new(big.Int).Sub(p, old) }

// minusOne gives p - 1, of order 2.
func minusOne(p, _ *big.Int) *big.Int { return new(big.Int).Sub(p, big.NewInt(1)) }

func dsaKeys() []vector {
	return append(append(dsaLoad(), dsaGroups()...), hostileGroups()...)
}

func dsaLoad() []vector {
	bad := func(name, comment, member string, value func(p, old *big.Int) *big.Int) vector {
		return failure(name, "2.dsa-load", comment, free, publicKey(hexMember(user("DS128"), member, value)))
	}
	published := func(name, comment, member string, value func(p, old *big.Int) *big.Int) vector {
		return malformedDocument("published-"+name, "2.dsa-load 3.keys-malformed", comment,
			good().With("public-key", hexMember(user("DS128"), member, value)))
	}
	return []vector{
		published("g-1", "A published g of 1: the document is malformed.", "g", exactly(1)),
		published("g-beyond-p", "A published g that is p too large.", "g", plusModulus),
		published("y-1", "A published y of 1.", "y", exactly(1)),
		published("y-beyond-p", "A published y that is p too large.", "y", plusModulus),
		failure("p-even", "2.dsa-load", "p is twice a prime, and the signature fits.", free, signedWith(evenP())),
		failure("q-even", "2.dsa-load", "q is twice a prime, and the signature fits.", free, signedWith(evenQ())),
		malformedDocument("published-p-even", "2.dsa-load 3.keys-malformed", "A published p that is even, and in whose group g and y are.",
			good().With("public-key", evenP().public())),
		malformedDocument("published-q-even", "2.dsa-load 3.keys-malformed", "A published q that is even, and in whose group g and y are.",
			good().With("public-key", evenQ().public())),
		bad("g-0", "g is 0.", "g", exactly(0)),
		bad("g-1", "g is 1.", "g", exactly(1)),
		bad("g-p", "g is p.", "g", modulus),
		bad("g-beyond-p", "g is p more than the right one, which is the same modulo p.", "g", plusModulus),
		bad("y-0", "y is 0.", "y", exactly(0)),
		failure("y-1", "2.dsa-load", "y is 1, as if the secret were 0: anybody can sign.", free, zeroSecret),
		bad("y-p", "y is p.", "y", modulus),
		bad("y-beyond-p", "y is p more than the right one, which is the same modulo p.", "y", plusModulus),
		failure("g-0-2048", "2.dsa-load", "g is 0 in a larger group.", free,
			certifiedAs("DS256", hexMember(user("DS256"), "g", exactly(0)))),
		failure("y-1-issuer", "2.dsa-load 3.keys-malformed", "The issuer's y is 1.", free, issuerKey(key("DS128")),
			document(idp, good().With("public-key", hexMember(user("DS128"), "y", exactly(1))))),
		failure("offline", "2.dsa-load 7.offline-first", "y is 0, and the issuer does not answer.", free,
			publicKey(hexMember(user("DS128"), "y", exactly(0))), silent(idp)),
		okay("g-and-y-swapped-roles", "2.dsa-load", "Any g of order q will do: a group of its own.", userKey(key("DS128-own-group"))),
	}
}

// evenP gives a key of the right sizes that works although its p is even: twice
// the p of a smaller key, and that key's g, made odd.
func evenP() oddKey {
	k := odd("dsa1023-160")
	if k["g"].Bit(0) == 0 {
		k["g"].Add(k["g"], k["p"])
	}
	k["p"].Lsh(k["p"], 1)
	return k
}

// evenQ gives one whose q is even: twice that of a smaller key. Signatures
// with an odd s hold.
func evenQ() oddKey {
	k := odd("dsa1024-159")
	k["q"].Lsh(k["q"], 1)
	return k
}

// signedWith gives the user a DS128 key, and an assertion whose s is odd.
func signedWith(k oddKey) edit {
	return together(publicKey(k.public()), assertion(func(t forge.Token) forge.Token {
		return until(func(sig []byte) bool { return sig[len(sig)-1]&1 == 1 })(k.sign(t, "DS128"))
	}))
}

// zeroSecret certifies a key whose secret is 0, and signs with it.
func zeroSecret(s *scene) {
	o := user("DS128")
	k := oddKey{"x": new(big.Int)}
	for _, name := range []string{"p", "q", "g"} {
		k[name] = hexNumber(o[name].(string))
	}
	publicKey(k.public())(s)
	s.assertion = k.sign(s.assertion, "DS128")
}

// dsaGroups are about keys in documents. When a document is malformed, the
// fallback speaks: that it does shows that the key was refused.
func dsaGroups() []vector {
	published := func(o idptest.Object) edit { return document(idp, good().With("public-key", o)) }
	outside := func(name, comment, member string, value func(p, old *big.Int) *big.Int) vector {
		return okay(name, "2.dsa-group 3.keys-malformed 4.row3-answers", comment, byFallback, published(hexMember(user("DS128"), member, value)))
	}
	return []vector{
		outside("group-y-outside", "A published y outside the group of order q: the document is malformed.", "y", negative),
		outside("group-g-outside", "A published g outside the group.", "g", negative),
		outside("group-y-of-order-2", "A published y of order 2.", "y", minusOne),
		outside("group-g-of-order-2", "A published g of order 2.", "g", minusOne),
		outside("group-y-other", "A published y that is one more than the right one.", "y", plus(1)),
		outside("group-q-other", "A published q that is another odd number.", "q", plus(2)),
		failure("group-in-keys", "2.dsa-group 3.keys-malformed", "A key outside its group in keys, beside the one that signed.", free,
			document(idp, good().With("keys", []any{hexMember(user("DS128"), "y", negative)}))),
		okay("group-2048", "2.dsa-group", "The larger group of all keys in the wild.", issuerKey(key("DS256"))),
		okay("group-own", "2.dsa-group", "A published key with a group of its own.", issuerKey(key("DS256-own-group"))),
	}
}

// hostileGroups are certified keys that load, and must not make a verifier
// crash or run for ever. A signature of other numbers does not verify.
func hostileGroups() []vector {
	hostile := func(name, comment string, o idptest.Object, edits ...edit) vector {
		return failure("hostile-"+name, "2.hostile-group", comment, badSignature, append([]edit{publicKey(o)}, edits...)...)
	}
	ds := user("DS128")
	return []vector{
		hostile("composite-p", "p is odd and composite.", hexMember(ds, "p", plus(2))),
		hostile("composite-p-divisible", "p shares a factor with g.", sharedFactor(ds)),
		hostile("composite-q", "q is odd and composite.", hexMember(ds, "q", plus(2))),
		hostile("s-without-inverse", "q is divisible by 3, and s is 3: there is no inverse.", hexMember(ds, "q", divisible),
			altered(scalars(key("DS128"), 5, 3))),
		hostile("g-of-order-2", "g is p - 1, of order 2.", hexMember(ds, "g", minusOne)),
		hostile("y-of-order-2", "y is p - 1, of order 2.", hexMember(ds, "y", minusOne)),
	}
}

func scalars(k keys.PrivateKey, r, s int64) forge.Alteration {
	return forge.Scalars(k.Public(), big.NewInt(r), big.NewInt(s))
}

// divisible gives the next odd number that 3 divides.
func divisible(_, q *big.Int) *big.Int {
	n := new(big.Int).Set(q)
	for new(big.Int).Mod(n, big.NewInt(3)).Sign() != 0 {
		n.Add(n, big.NewInt(2))
	}
	return n
}

// sharedFactor gives the key an odd p that 3 divides, and a g and y that 3
// divides too.
func sharedFactor(o idptest.Object) idptest.Object {
	p := hexNumber(o["p"].(string))
	o = o.With("p", divisible(nil, p).Text(16))
	return o.With("g", "3").With("y", "9")
}
