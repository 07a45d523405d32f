package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/bench"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// hostileAttack is one stream of hostile requests.
type hostileAttack struct {
	kind, name string
	// flags are those of the service, beside --fallback.
	flags []string
	// request mints the request of a number. Those of a row are minted before
	// its runs.
	request func(m *hostileMint, number int) (string, error)
	// document is what the attacker's hosts answer, compressed; nil: 404.
	document func() (func(host string) []byte, error)
	// outage: in the second half of a run no provider answers. Only documents
	// that are still cached can answer for them.
	outage bool
	// genuine: the attacker's own addresses verify. All other hostile requests are
	// forged, and must not.
	genuine bool
}

// hostileAttacks are all kinds. The sections and letters are those of the table of
// limits in bench/README.md.
var hostileAttacks = []hostileAttack{
	// Certificates with iss = the fallback and a new domain each, not signed by
	// the fallback.
	{kind: "evict", name: "evict", request: (*hostileMint).newDomain, outage: true},
	// A new host of the attacker's each, with a document of 60 KiB, and
	// certificates that hosts sign.
	{kind: "wildcard", name: "wildcard", request: (*hostileMint).newHost, document: paddedDocument, outage: true, genuine: true},
	// Certificates of an issuer with 17 keys, none of which signed them.
	{kind: "rsa", name: "rsa-8192", request: forgedBy(1024), document: rsaDocument(8192, maxExponent)},
	{kind: "rsa", name: "rsa-4096", request: forgedBy(512), document: rsaDocument(4096, denseExponent)},
	// Certified keys, a new one each, that did not sign the assertion.
	{kind: "userkey", name: "userkey-rsa-8192", request: certifiedRSA(8192, maxExponent)},
	{kind: "userkey", name: "userkey-rsa-4096", request: certifiedRSA(4096, denseExponent)},
	{kind: "userkey", name: "userkey-dsa-2048", request: (*hostileMint).certifiedDSA},
	// A new host of the attacker's each, whose document has 17 keys in as many groups.
	{kind: "dsa", name: "dsa", request: (*hostileMint).forgedByNewHost, document: dsaDocuments(17)},
	// Assertions that are valid for a day, the longest that a guard in memory keeps.
	{kind: "guard", name: "guard", request: (*hostileMint).longLived, document: plainDocument, flags: []string{"--replay", "memory"}, genuine: true},
}

// attacksOf returns the attacks of a kind, or all of them.
func attacksOf(kind string) ([]hostileAttack, error) {
	if kind == "all" {
		return hostileAttacks, nil
	}
	var found []hostileAttack
	var kinds []string
	for _, a := range hostileAttacks {
		kinds = append(kinds, a.kind)
		if a.kind == kind || a.name == kind {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no such kind of attack: want all, or %s", strings.Join(slices.Compact(kinds), ", "))
	}
	return found, nil
}

const (
	maxExponent   = 1<<31 - 1 // the largest e that a key of up to 2048 bits may have
	denseExponent = 1<<16 - 1 // the e up to 65537 that takes most multiplications
)

// hostileMint mints what an attacker sends. One key pair serves for all that has
// to be signed.
type hostileMint struct {
	now       time.Time
	user      keys.PrivateKey
	assertion string // signed by user
}

func newHostileMint(now time.Time) (*hostileMint, error) {
	m := &hostileMint{now: now, user: idptest.Key("RS128")}
	var err error
	m.assertion, err = m.issuer("").Assertion(bench.Audience, m.user).With("exp", now.Add(time.Hour).UnixMilli()).Encode()
	return m, err
}

// issuer is a host of the attacker's, or one that it pretends to be.
func (m *hostileMint) issuer(domain string) *idptest.IdP {
	return idptest.New(domain, attackerKey()).At(m.now)
}

// attackerKey is the key that the attacker's hosts publish.
func attackerKey() keys.PrivateKey { return idptest.Key("RS128-2") }

// forged makes a token carry random bytes in place of a signature.
func forged(t idptest.Token, alg string, size int) idptest.Token {
	t.Alg, t.Key = alg, nil
	t.Sign = func([]byte) ([]byte, error) { return randomSignature(size), nil }
	return t
}

// randomSignature is of numbers that are less than any modulus of their size: one
// for RSA, and two for DSA.
func randomSignature(size int) []byte {
	signature := make([]byte, size)
	_, _ = rand.Read(signature) // it never returns an error
	signature[0] &= 0x3f
	signature[size/2] &= 0x3f
	return signature
}

// backed puts a certificate before the assertion that is the same in all requests.
func (m *hostileMint) backed(certificate idptest.Token) (string, error) {
	text, err := certificate.Encode()
	return text + "~" + m.assertion, err
}

func (m *hostileMint) newDomain(number int) (string, error) {
	c := m.issuer(fallbackDomain).Certificate(fmt.Sprintf("mallory@new%d.example", number), m.user.Public())
	return m.backed(forged(c, "RS256", 256))
}

func (m *hostileMint) newHost(number int) (string, error) {
	host := fmt.Sprintf("h%d.%s", number, attackerDomain)
	return m.backed(m.issuer(host).Certificate("mallory@"+host, m.user.Public()))
}

func (m *hostileMint) forgedByNewHost(number int) (string, error) {
	host := fmt.Sprintf("h%d.%s", number, attackerDomain)
	return m.backed(forged(m.issuer(host).Certificate("mallory@"+host, m.user.Public()), "DS256", 64))
}

// forgedBy mints certificates of the attacker's domain that it did not sign.
func forgedBy(size int) func(*hostileMint, int) (string, error) {
	return func(m *hostileMint, number int) (string, error) {
		email := fmt.Sprintf("mallory%d@%s", number, attackerDomain)
		return m.backed(forged(m.issuer(attackerDomain).Certificate(email, m.user.Public()), "RS256", size))
	}
}

// certified mints a certificate of a key, and an assertion that the key did not
// sign.
func (m *hostileMint) certified(key any, alg string, size int) (string, error) {
	issuer := m.issuer(attackerDomain)
	certificate, err := forged(issuer.Certificate("mallory@"+attackerDomain, m.user.Public()).With("public-key", key), "RS256", 256).Encode()
	if err != nil {
		return "", err
	}
	assertion, err := forged(issuer.Assertion(bench.Audience, m.user), alg, size).Encode()
	return certificate + "~" + assertion, err
}

func certifiedRSA(bits int, e int64) func(*hostileMint, int) (string, error) {
	return func(m *hostileMint, _ int) (string, error) {
		key := idptest.Object{"algorithm": "RS", "n": randomOdd(bits).Text(10), "e": fmt.Sprint(e)}
		return m.certified(key, "RS256", bits/8)
	}
}

func (m *hostileMint) certifiedDSA(int) (string, error) {
	p, q := randomOdd(2048), randomOdd(256)
	key := idptest.Object{"algorithm": "DS", "p": p.Text(16), "q": q.Text(16), "g": randomOdd(2047).Text(16), "y": randomOdd(2047).Text(16)}
	return m.certified(key, "DS256", 64)
}

func (m *hostileMint) longLived(number int) (string, error) {
	issuer := m.issuer(attackerDomain)
	day := m.now.Add(24*time.Hour - 2*time.Minute).UnixMilli()
	certificate, err := issuer.Certificate("mallory@"+attackerDomain, m.user.Public()).With("exp", day+60_000).Encode()
	if err != nil {
		return "", err
	}
	assertion, err := issuer.Assertion(bench.Audience, m.user).With("exp", day-int64(number)).Encode()
	return certificate + "~" + assertion, err
}

// randomOdd returns a random odd number of exactly so many bits.
func randomOdd(bits int) *big.Int {
	b := make([]byte, (bits+7)/8)
	_, _ = rand.Read(b) // it never returns an error
	n := new(big.Int).SetBytes(b)
	n.Rsh(n, uint(8*len(b)-bits))
	n.SetBit(n, bits-1, 1)
	return n.SetBit(n, 0, 1)
}

// sameDocument is what all hosts of the attacker's answer.
func sameDocument(document idptest.Object) func(string) []byte {
	body := gzipped(document.JSON())
	return func(string) []byte { return body }
}

func attackerDocument() idptest.Object { return idptest.New(attackerDomain, attackerKey()).Document() }

func plainDocument() (func(string) []byte, error) { return sameDocument(attackerDocument()), nil }

// paddedDocument takes nearly as much room in a cache as a document can.
func paddedDocument() (func(string) []byte, error) {
	return sameDocument(attackerDocument().With("padding", strings.Repeat("x", 60<<10))), nil
}

// withKeys makes a document of 17 keys: public-key and 16 in keys.
func withKeys(all []idptest.Object) idptest.Object {
	return idptest.Object{
		"public-key": all[0], "keys": all[1:], "authentication": "/sign_in", "provisioning": "/provision",
	}
}

// rsaDocument has keys with random moduli: the attacker need not sign with them.
func rsaDocument(bits int, e int64) func() (func(string) []byte, error) {
	return func() (func(string) []byte, error) {
		all := make([]idptest.Object, 17)
		for i := range all {
			all[i] = idptest.Object{"kty": "RSA", "n": number(randomOdd(bits)), "e": number(big.NewInt(e))}
		}
		return sameDocument(withKeys(all)), nil
	}
}

// dsaDocuments have keys in as many groups as there are keys, and other groups
// than the next document.
func dsaDocuments(keys int) func() (func(string) []byte, error) {
	return func() (func(string) []byte, error) {
		bodies := make([][]byte, 64)
		for i := range bodies {
			all := make([]idptest.Object, keys)
			for j := range all {
				all[j] = hostileGroup()
			}
			bodies[i] = gzipped(withKeys(all).JSON())
		}
		return func(host string) []byte {
			var n int
			_, _ = fmt.Sscanf(host, "h%d.", &n) // any document will do
			return bodies[n%len(bodies)]
		}, nil
	}
}

// hostileGroup returns a DSA-2048 key that passes the checks of a group and costs
// nothing to find: with p = g²+g+1, g has order 3, and q is a multiple of 3.
func hostileGroup() idptest.Object {
	g := randomOdd(1024)
	g.SetBit(g, 1022, 1) // p has 2048 bits
	p := new(big.Int).Mul(g, g)
	p.Add(p, g).Add(p, big.NewInt(1))
	y := new(big.Int).Sub(p, g)
	y.Sub(y, big.NewInt(1)) // g²
	q := randomOdd(256)
	q.SetBit(q, 254, 0) // so that the next line leaves 256 bits
	q.Sub(q, new(big.Int).Mod(q, big.NewInt(6))).Add(q, big.NewInt(3))
	return idptest.Object{"kty": "DSA", "p": number(p), "q": number(q), "g": number(g), "y": number(y)}
}

// number is the JWK form of a number.
func number(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
