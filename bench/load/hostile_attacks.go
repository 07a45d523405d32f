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
	// flags are flags of the service besides --fallback.
	flags []string
	// request returns the request with a number. Requests are made before the runs.
	request func(m *hostileGenerator, number int) ([]byte, error)
	// document returns the compressed documents of the attacker's hosts. Nil means 404.
	document func() (func(host string) []byte, error)
	// tls returns the certificates of the attacker's hosts. Nil means the usual one.
	tls func(names []string) (tls.Certificate, error)
	// outage means that no provider answers in the second half of a run. Only documents
	// that are still cached can answer for them.
	outage bool
	// genuine means that the attacker's own addresses verify. All other hostile requests
	// are forged, and must fail.
	genuine bool
}

// hostileAttacks are all attacks. bench/README.md lists them.
var hostileAttacks = []hostileAttack{
	// Certificates with iss = the fallback and a new email domain each, not signed by
	// the fallback.
	{kind: "evict", name: "evict", request: (*hostileGenerator).newDomain, outage: true},
	// A new host of the attacker's each, with a document of 60 KiB. The host signs the
	// certificate.
	{kind: "wildcard", name: "wildcard", request: (*hostileGenerator).newHost, document: paddedDocument, outage: true, genuine: true},
	// Certificates of an issuer with 17 keys, none of which signed them.
	{kind: "rsa", name: "rsa-8192", request: forgedBy(1024), document: rsaDocument(8192, hostile.MaxExponent)},
	{kind: "rsa", name: "rsa-4096", request: forgedBy(512), document: rsaDocument(4096, hostile.DenseExponent)},
	// Certified keys, a new one each, that did not sign the assertion.
	{kind: "userkey", name: "userkey-rsa-8192", request: certifiedRSA(8192, hostile.MaxExponent)},
	{kind: "userkey", name: "userkey-rsa-4096", request: certifiedRSA(4096, hostile.DenseExponent)},
	{kind: "userkey", name: "userkey-dsa-2048", request: (*hostileGenerator).certifiedDSA},
	// A new host of the attacker's each, whose document has 17 keys in as many groups.
	{kind: "dsa", name: "dsa", request: (*hostileGenerator).forgedByNewHost, document: dsaDocuments(17)},
	// A new host of the attacker's each, with a document of 64 KiB that decompresses slowly.
	{kind: "document", name: "document-gzip", request: (*hostileGenerator).forgedByNewHost, document: slowDocument},
	// A new host of the attacker's each, with a TLS certificate and 100 possible issuers of it.
	{kind: "handshake", name: "handshake", request: (*hostileGenerator).forgedByNewHost, document: plainDocument, tls: manyIssuers},
	// The same with six, each a possible issuer of each other.
	{kind: "handshake", name: "handshake-p521", request: (*hostileGenerator).forgedByNewHost, document: plainDocument, tls: issuerCycle},
	// An audience of 2500 different letters, which is compared with that of the assertion.
	{kind: "audience", name: "audience", request: (*hostileGenerator).longAudience},
	// Assertions that are valid for a day, the longest that a guard in memory keeps.
	{kind: "guard", name: "guard", request: (*hostileGenerator).longLived, document: plainDocument, flags: []string{"--replay", "memory"}, genuine: true},
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

// hostileGenerator makes the attacker's requests. One key pair signs everything.
type hostileGenerator struct {
	now       time.Time
	user      keys.PrivateKey
	assertion string // signed by user
}

func newHostileGenerator(now time.Time) (*hostileGenerator, error) {
	m := &hostileGenerator{now: now, user: idptest.Key("RS128")}
	var err error
	m.assertion, err = m.issuer("").Assertion(workload.Audience, m.user).With("exp", now.Add(time.Hour).UnixMilli()).Encode()
	return m, err
}

// issuer returns the provider of a host of the attacker's, or of a host that it imitates.
func (m *hostileGenerator) issuer(domain string) *idptest.IdP {
	return idptest.New(domain, attackerKey()).At(m.now)
}

// attackerKey returns the key that the attacker's hosts publish.
func attackerKey() keys.PrivateKey { return idptest.Key("RS128-2") }

// backed returns a request with the certificate and the generator's assertion.
func (m *hostileGenerator) backed(certificate idptest.Token) ([]byte, error) {
	text, err := certificate.Encode()
	return request(text + "~" + m.assertion), err
}

func (m *hostileGenerator) newDomain(number int) ([]byte, error) {
	c := m.issuer(fallbackDomain).Certificate(fmt.Sprintf("mallory@new%d.example", number), m.user.Public())
	return m.backed(hostile.Forged(c, "RS256", 256))
}

func (m *hostileGenerator) newHost(number int) ([]byte, error) {
	host := fmt.Sprintf("h%d.%s", number, attackerDomain)
	return m.backed(m.issuer(host).Certificate("mallory@"+host, m.user.Public()))
}

func (m *hostileGenerator) forgedByNewHost(number int) ([]byte, error) {
	host := fmt.Sprintf("h%d.%s", number, attackerDomain)
	return m.backed(hostile.Forged(m.issuer(host).Certificate("mallory@"+host, m.user.Public()), "DS256", 64))
}

// forgedBy returns a function that makes certificates of the attacker's domain with forged
// signatures of the size.
func forgedBy(size int) func(*hostileGenerator, int) ([]byte, error) {
	return func(m *hostileGenerator, number int) ([]byte, error) {
		email := fmt.Sprintf("mallory%d@%s", number, attackerDomain)
		return m.backed(hostile.Forged(m.issuer(attackerDomain).Certificate(email, m.user.Public()), "RS256", size))
	}
}

// certified returns a request with a certificate of the key, and an assertion that the key
// did not sign.
func (m *hostileGenerator) certified(key any, alg string, size int) ([]byte, error) {
	issuer := m.issuer(attackerDomain)
	certificate, err := hostile.Forged(issuer.Certificate("mallory@"+attackerDomain, m.user.Public()).With("public-key", key), "RS256", 256).Encode()
	if err != nil {
		return nil, err
	}
	assertion, err := hostile.Forged(issuer.Assertion(workload.Audience, m.user), alg, size).Encode()
	return request(certificate + "~" + assertion), err
}

func certifiedRSA(bits int, e int64) func(*hostileGenerator, int) ([]byte, error) {
	return func(m *hostileGenerator, _ int) ([]byte, error) {
		return m.certified(hostile.LegacyRSA(bits, e), "RS256", bits/8)
	}
}

func (m *hostileGenerator) certifiedDSA(int) ([]byte, error) {
	return m.certified(hostile.LooseDSA(2048, 256), "DS256", 64)
}

// longAudience needs no domain: the audience is compared before any signature.
func (m *hostileGenerator) longAudience(number int) ([]byte, error) {
	c := hostile.Forged(m.issuer(attackerDomain).Certificate("mallory@"+attackerDomain, m.user.Public()), "RS128", 128)
	certificate, err := c.Encode()
	letters := make([]rune, 2500)
	for i := range letters {
		letters[i] = rune(0x4e00 + 5*i + number%5)
	}
	return post(fmt.Appendf(nil, `{"assertion":%q,"audience":"http://%s"}`, certificate+"~"+m.assertion, string(letters))), err
}

func (m *hostileGenerator) longLived(number int) ([]byte, error) {
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

// sameDocument returns the same document for all hosts.
func sameDocument(document idptest.Object) func(string) []byte {
	body := gzipped(document.JSON())
	return func(string) []byte { return body }
}

func attackerDocument() idptest.Object { return idptest.New(attackerDomain, attackerKey()).Document() }

func plainDocument() (func(string) []byte, error) { return sameDocument(attackerDocument()), nil }

// paddedDocument is almost as large as a document may be.
func paddedDocument() (func(string) []byte, error) {
	return sameDocument(attackerDocument().With("padding", strings.Repeat("x", 60<<10))), nil
}

// slowDocument is 64 KiB of compressed blocks, most of them empty.
func slowDocument() (func(string) []byte, error) {
	body := hostile.Blocks(attackerDocument().JSON(), 64<<10)
	return func(string) []byte { return body }, nil
}

// rsaDocument has keys with random moduli. The attacker does not sign with them.
func rsaDocument(bits int, e int64) func() (func(string) []byte, error) {
	return func() (func(string) []byte, error) {
		keys := hostile.Keys(17, func() idptest.Object { return hostile.RSA(bits, e) })
		return sameDocument(hostile.Document(keys...)), nil
	}
}

// dsaDocuments have each key in a group of its own. No two documents share a group.
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
