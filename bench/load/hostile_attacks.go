package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/bench/internal/hostile"
	"github.com/vepverify/vepverify/bench/internal/workload"
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
	request func(m *hostileMint, number int) ([]byte, error)
	// document is what the attacker's hosts answer, compressed; nil: 404.
	document func() (func(host string) []byte, error)
	// tls makes the certificates that the attacker's hosts send; nil: the usual one.
	tls func(names []string) (tls.Certificate, error)
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
	{kind: "rsa", name: "rsa-8192", request: forgedBy(1024), document: rsaDocument(8192, hostile.MaxExponent)},
	{kind: "rsa", name: "rsa-4096", request: forgedBy(512), document: rsaDocument(4096, hostile.DenseExponent)},
	// Certified keys, a new one each, that did not sign the assertion.
	{kind: "userkey", name: "userkey-rsa-8192", request: certifiedRSA(8192, hostile.MaxExponent)},
	{kind: "userkey", name: "userkey-rsa-4096", request: certifiedRSA(4096, hostile.DenseExponent)},
	{kind: "userkey", name: "userkey-dsa-2048", request: (*hostileMint).certifiedDSA},
	// A new host of the attacker's each, whose document has 17 keys in as many groups.
	{kind: "dsa", name: "dsa", request: (*hostileMint).forgedByNewHost, document: dsaDocuments(17)},
	// A new host of the attacker's each, whose document of 64 KiB takes long to unpack.
	{kind: "document", name: "document-gzip", request: (*hostileMint).forgedByNewHost, document: slowDocument},
	// A new host of the attacker's each, with a TLS certificate that 100 others may
	// have signed.
	{kind: "handshake", name: "handshake", request: (*hostileMint).forgedByNewHost, document: plainDocument, tls: manyIssuers},
	// The same with six others, which may have signed each other.
	{kind: "handshake", name: "handshake-p521", request: (*hostileMint).forgedByNewHost, document: plainDocument, tls: issuerCycle},
	// An audience of 2500 different letters, which is compared with that of the assertion.
	{kind: "audience", name: "audience", request: (*hostileMint).longAudience},
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
	m.assertion, err = m.issuer("").Assertion(workload.Audience, m.user).With("exp", now.Add(time.Hour).UnixMilli()).Encode()
	return m, err
}

// issuer is a host of the attacker's, or one that it pretends to be.
func (m *hostileMint) issuer(domain string) *idptest.IdP {
	return idptest.New(domain, attackerKey()).At(m.now)
}

// attackerKey is the key that the attacker's hosts publish.
func attackerKey() keys.PrivateKey { return idptest.Key("RS128-2") }

// backed puts a certificate before the assertion that is the same in all requests.
func (m *hostileMint) backed(certificate idptest.Token) ([]byte, error) {
	text, err := certificate.Encode()
	return request(text + "~" + m.assertion), err
}

func (m *hostileMint) newDomain(number int) ([]byte, error) {
	c := m.issuer(fallbackDomain).Certificate(fmt.Sprintf("mallory@new%d.example", number), m.user.Public())
	return m.backed(hostile.Forged(c, "RS256", 256))
}

func (m *hostileMint) newHost(number int) ([]byte, error) {
	host := fmt.Sprintf("h%d.%s", number, attackerDomain)
	return m.backed(m.issuer(host).Certificate("mallory@"+host, m.user.Public()))
}

func (m *hostileMint) forgedByNewHost(number int) ([]byte, error) {
	host := fmt.Sprintf("h%d.%s", number, attackerDomain)
	return m.backed(hostile.Forged(m.issuer(host).Certificate("mallory@"+host, m.user.Public()), "DS256", 64))
}

// forgedBy mints certificates of the attacker's domain that it did not sign.
func forgedBy(size int) func(*hostileMint, int) ([]byte, error) {
	return func(m *hostileMint, number int) ([]byte, error) {
		email := fmt.Sprintf("mallory%d@%s", number, attackerDomain)
		return m.backed(hostile.Forged(m.issuer(attackerDomain).Certificate(email, m.user.Public()), "RS256", size))
	}
}

// certified mints a certificate of a key, and an assertion that the key did not
// sign.
func (m *hostileMint) certified(key any, alg string, size int) ([]byte, error) {
	issuer := m.issuer(attackerDomain)
	certificate, err := hostile.Forged(issuer.Certificate("mallory@"+attackerDomain, m.user.Public()).With("public-key", key), "RS256", 256).Encode()
	if err != nil {
		return nil, err
	}
	assertion, err := hostile.Forged(issuer.Assertion(workload.Audience, m.user), alg, size).Encode()
	return request(certificate + "~" + assertion), err
}

func certifiedRSA(bits int, e int64) func(*hostileMint, int) ([]byte, error) {
	return func(m *hostileMint, _ int) ([]byte, error) {
		return m.certified(hostile.LegacyRSA(bits, e), "RS256", bits/8)
	}
}

func (m *hostileMint) certifiedDSA(int) ([]byte, error) {
	return m.certified(hostile.LooseDSA(2048, 256), "DS256", 64)
}

// longAudience needs no domain: the audience is compared before any signature.
func (m *hostileMint) longAudience(number int) ([]byte, error) {
	c := hostile.Forged(m.issuer(attackerDomain).Certificate("mallory@"+attackerDomain, m.user.Public()), "RS128", 128)
	certificate, err := c.Encode()
	letters := make([]rune, 2500)
	for i := range letters {
		letters[i] = rune(0x4e00 + 5*i + number%5)
	}
	return post(fmt.Appendf(nil, `{"assertion":%q,"audience":"http://%s"}`, certificate+"~"+m.assertion, string(letters))), err
}

func (m *hostileMint) longLived(number int) ([]byte, error) {
	issuer := m.issuer(attackerDomain)
	day := m.now.Add(24*time.Hour - 2*time.Minute).UnixMilli()
	certificate, err := issuer.Certificate("mallory@"+attackerDomain, m.user.Public()).With("exp", day+60_000).Encode()
	if err != nil {
		return nil, err
	}
	assertion, err := issuer.Assertion(workload.Audience, m.user).With("exp", day-int64(number)).Encode()
	return request(certificate + "~" + assertion), err
}

func manyIssuers(names []string) (tls.Certificate, error) { return hostile.TLSChain(names, 100) }

func issuerCycle(names []string) (tls.Certificate, error) { return hostile.TLSCycle(names, 6) }

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

// slowDocument is 64 KiB of compressed blocks, most of which are empty.
func slowDocument() (func(string) []byte, error) {
	body := hostile.Blocks(attackerDocument().JSON(), 64<<10)
	return func(string) []byte { return body }, nil
}

// rsaDocument has keys with random moduli: the attacker need not sign with them.
func rsaDocument(bits int, e int64) func() (func(string) []byte, error) {
	return func() (func(string) []byte, error) {
		keys := hostile.Keys(17, func() idptest.Object { return hostile.RSA(bits, e) })
		return sameDocument(hostile.Document(keys...)), nil
	}
}

// dsaDocuments have keys in as many groups as there are keys, and other groups
// than the next document.
func dsaDocuments(keys int) func() (func(string) []byte, error) {
	return func() (func(string) []byte, error) {
		bodies := make([][]byte, 64)
		for i := range bodies {
			bodies[i] = gzipped(hostile.Document(hostile.Keys(keys, hostile.DSA)...).JSON())
		}
		return func(host string) []byte {
			var n int
			_, _ = fmt.Sscanf(host, "h%d.", &n) // any document will do
			return bodies[n%len(bodies)]
		}, nil
	}
}
