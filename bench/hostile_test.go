package bench_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/hostile"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// BenchmarkHostile measures the most expensive inputs that are known, each of at
// most 32 KiB, by a Verifier that fetches documents from an http.RoundTripper. The
// figure that counts is cpu-ms/op: processor time of all goroutines.
func BenchmarkHostile(b *testing.B) {
	for _, in := range hostileInputs() {
		b.Run(in.name, func(b *testing.B) { in.measure(b) })
	}
}

// TestHostileInputs verifies each input once. Only those that may verify do.
func TestHostileInputs(t *testing.T) {
	for _, in := range hostileInputs() {
		if testing.Short() && in.slow {
			continue
		}
		verify := in.verifier(t)
		text := in.text(t, 0)
		if len(text) > assertion.MaxSize {
			t.Errorf("%s: %d bytes", in.name, len(text))
		}
		for range in.before + 1 {
			if err := verify(text); (err == nil) != in.genuine {
				t.Errorf("%s: %v", in.name, err)
			}
		}
	}
}

// hostileInput is a kind of request.
type hostileInput struct {
	name string
	// text returns the assertion with a number. Domains with the number in their names are
	// new.
	text func(t testing.TB, number int) string
	// document returns the document of every host, in gzip if it starts like that.
	document func(host string) []byte
	audience string // replaces workload.Audience
	// before is the number of requests before the measured one: the same request if again is
	// set, else others of the kind.
	before  int
	again   bool
	pass    time.Duration // time between two requests
	chain   int           // Config.MaxChain
	genuine bool          // the assertion verifies
	slow    bool          // making it takes seconds
}

// requestsPerVerifier is the number of requests that one Verifier is measured with.
const requestsPerVerifier = 32

// requests returns the measured requests, followed by the ones to send before them.
func (in hostileInput) requests(t testing.TB) []string {
	texts := make([]string, requestsPerVerifier+in.before)
	for i := range texts {
		texts[i] = in.text(t, i)
	}
	return texts
}

func (in hostileInput) measure(b *testing.B) {
	texts := in.requests(b)
	var verify func(string) error
	var cpu time.Duration
	turn := 0
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		if turn%requestsPerVerifier == 0 {
			verify = in.verifier(b)
		}
		text := texts[turn%requestsPerVerifier]
		turn++
		for i := range in.before {
			first := texts[requestsPerVerifier+i]
			if in.again {
				first = text
			}
			_ = verify(first) // checked in TestHostileInputs
		}
		start := processorTime(b)
		b.StartTimer()
		_ = verify(text)
		cpu += processorTime(b) - start
	}
	b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "cpu-ms/op")
}

// verifier returns a function that verifies with a new Verifier.
func (in hostileInput) verifier(t testing.TB) func(text string) error {
	now := workload.Now
	clock := func() time.Time { return now }
	resolver, err := wellknown.NewResolver(wellknown.Config{Now: clock, InsecureTransport: hostileWeb(in.document)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: resolver, Now: clock, MaxChain: in.chain})
	if err != nil {
		t.Fatal(err)
	}
	audience := in.audience
	if audience == "" {
		audience = workload.Audience
	}
	return func(text string) error {
		now = now.Add(in.pass)
		_, err := v.Verify(context.Background(), text, audience)
		return err
	}
}

// hostileWeb replaces all hosts.
type hostileWeb func(host string) []byte

// RoundTrip implements http.RoundTripper.
func (w hostileWeb) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"max-age=86400"}},
	}
	body := w(r.URL.Host)
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		answer.Header.Set("Content-Encoding", "gzip")
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return answer, nil
}

// hostileInputs returns the inputs, grouped by what they attack.
func hostileInputs() []hostileInput {
	return slices.Concat(issuerInputs(), userInputs(), documentInputs(), textInputs(), combinedInputs())
}

// oneHost and newHost return a host of the attacker's: always the same one, or another for
// each request.
func oneHost(int) string        { return "evil.example" }
func newHost(number int) string { return fmt.Sprintf("evil%d.example", number) }

// issuerInputs returns certificates that none of their issuer's keys signed.
func issuerInputs() []hostileInput {
	rsa := func(bits int, e int64) func() idptest.Object {
		return func() idptest.Object { return hostile.RSA(bits, e) }
	}
	legacy := func() idptest.Object { return hostile.LegacyRSA(4096, hostile.DenseExponent) }
	mixed := append(hostile.Keys(9, rsa(4096, hostile.DenseExponent)), hostile.Keys(8, hostile.DSA)...)
	return []hostileInput{
		{name: "issuer/rsa-8192", text: forgedCertificate(oneHost, "RS256", 1024), document: keysDocument(17, rsa(8192, hostile.MaxExponent)), before: 1},
		{name: "issuer/rsa-4096", text: forgedCertificate(oneHost, "RS256", 512), document: keysDocument(17, rsa(4096, hostile.DenseExponent)), before: 1},
		{name: "issuer/rsa-4096-new", text: forgedCertificate(newHost, "RS256", 512), document: keysDocument(17, rsa(4096, hostile.DenseExponent))},
		{name: "issuer/rsa-4096-legacy-new", text: forgedCertificate(newHost, "RS256", 512), document: keysDocument(17, legacy)},
		{name: "issuer/rsa-4096-refresh", text: forgedCertificate(oneHost, "RS256", 512), document: keysDocument(17, rsa(4096, hostile.DenseExponent)), before: 1, pass: 61 * time.Second},
		{name: "issuer/rsa-2048", text: forgedCertificate(oneHost, "RS256", 256), document: keysDocument(17, rsa(2048, hostile.MaxExponent)), before: 1},
		{name: "issuer/dsa-2048", text: forgedCertificate(oneHost, "DS256", 64), document: keysDocument(17, hostile.DSA), before: 4},
		{name: "issuer/dsa-2048-table", text: forgedCertificate(oneHost, "DS256", 64), document: keysDocument(17, hostile.DSA), before: 1},
		{name: "issuer/dsa-2048-new", text: forgedCertificate(newHost, "DS256", 64), document: keysDocument(17, hostile.DSA)},
		{name: "issuer/dsa-2048-refresh", text: forgedCertificate(oneHost, "DS256", 64), document: keysDocument(17, hostile.DSA), before: 4, pass: 61 * time.Second},
		{name: "issuer/mixed-new", text: forgedCertificate(newHost, "DS256", 64), document: fixed(hostile.Document(mixed...).JSON())},
		{name: "issuer/mixed-padded-new", text: forgedCertificate(newHost, "DS256", 64), document: fixed(padded(hostile.Document(mixed...), 60<<10))},
	}
}

// userInputs have a certified key that costs much.
func userInputs() []hostileInput {
	legacyRSA := func(bits int, e int64) func() idptest.Object {
		return func() idptest.Object { return hostile.LegacyRSA(bits, e) }
	}
	loose := func(p, q int) func() idptest.Object { return func() idptest.Object { return hostile.LooseDSA(p, q) } }
	plain := fixed(idptest.New("evil.example", idptest.Key("RS128-2")).Document().JSON())
	return []hostileInput{
		{name: "user/rsa-8192", text: forgedAssertion(legacyRSA(8192, hostile.MaxExponent), "RS256", 1024)},
		{name: "user/rsa-4096", text: forgedAssertion(legacyRSA(4096, hostile.DenseExponent), "RS256", 512)},
		{name: "user/rsa-2048", text: forgedAssertion(legacyRSA(2048, hostile.MaxExponent), "RS256", 256)},
		{name: "user/dsa-2048", text: forgedAssertion(loose(2048, 256), "DS256", 64)},
		{name: "user/dsa-1024", text: forgedAssertion(loose(1024, 160), "DS128", 40)},
		{name: "user/dsa-2048-table", text: genuine("DS256-own-group"), document: plain, before: 2, again: true, genuine: true},
		{name: "user/chain-16", text: chain(16), document: largeKeyDocument, chain: 16, genuine: true, slow: true},
	}
}

// documentInputs make hosts answer with what takes long to read. The certificates are
// forged.
func documentInputs() []hostileInput {
	plain := idptest.New("evil.example", idptest.Key("RS128-2")).Document()
	full := hostile.Document(hostile.Keys(17, func() idptest.Object { return hostile.RSA(4096, hostile.DenseExponent) })...)
	text := forgedCertificate(newHost, "RS128", 128)
	members := func(d idptest.Object) []byte { return padded(d, 64<<10) }
	gzip := func(d idptest.Object) []byte { return hostile.Blocks(d.JSON(), 64<<10) }
	gzip2k := func(d idptest.Object) []byte { return hostile.Blocks(d.JSON(), 2<<10) }
	small := func(d idptest.Object) []byte { return d.JSON() }
	manyMembers, manyBlocks := newDelegations(members, full), newDelegations(gzip, full)
	fewBlocks, plainSteps := newDelegations(gzip2k, plain), newDelegations(small, full)
	return []hostileInput{
		{name: "document/members", text: text, document: fixed(members(plain))},
		{name: "document/members-delegations", text: manyMembers.text, document: manyMembers.document},
		{name: "document/gzip", text: text, document: fixed(gzip(plain))},
		{name: "document/gzip-delegations", text: manyBlocks.text, document: manyBlocks.document},
		{name: "document/gzip-2k", text: text, document: fixed(gzip2k(plain))},
		{name: "document/gzip-2k-delegations", text: fewBlocks.text, document: fewBlocks.document},
		{name: "document/delegations", text: plainSteps.text, document: plainSteps.document},
	}
}

// textInputs are texts that take long to read.
func textInputs() []hostileInput {
	in := func(name string, claims func(size int) string) hostileInput {
		return hostileInput{name: "text/" + name, text: unusualAssertion(claims)}
	}
	letters := make([]rune, 3300)
	for i := range letters {
		letters[i] = rune(0x4e00 + 5*i)
	}
	plain := fixed(idptest.New("evil.example", idptest.Key("RS128-2")).Document().JSON())
	return []hostileInput{
		in("members", func(size int) string { return members(size, `"%x":0,`) }),
		in("members-escaped", func(size int) string { return members(size, `"\u00%02[1]x%[1]x":0,`) }),
		in("duplicate", func(size int) string { return members(size-10, `"%x":0,`) + `"1":0,` }),
		in("objects", func(size int) string {
			return repeat(size, `{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0},`)
		}),
		in("small-objects", func(size int) string { return repeat(size, `{"":0},`) }),
		in("nested", func(size int) string { return repeat(size, strings.Repeat("[", 900)+strings.Repeat("]", 900)+",") }),
		in("digits", func(size int) string {
			return `"nbf":1` + strings.Repeat("0", size-40) + "e-" + fmt.Sprint(size-40) + ","
		}),
		in("array", func(size int) string { return repeat(size, `0,`) }),
		{name: "text/claims", text: genuineClaims, document: plain, genuine: true},
		{name: "text/principal", text: principal},
		{name: "text/key", text: wideKey},
		{name: "text/header", text: wideHeader},
		{name: "text/audience", text: forgedCertificate(oneHost, "RS256", 256), audience: "http://" + string(letters)},
	}
}

// combinedInputs cost something at each step: long claims, a user key, keys that are
// tried, a document that is fetched again because it is a minute old, the same keys
// once more.
func combinedInputs() []hostileInput {
	rsa := hostile.Keys(9, func() idptest.Object { return hostile.RSA(4096, hostile.DenseExponent) })
	dsa := hostile.Keys(8, hostile.DSA)
	own := func() keys.PrivateKey { return idptest.Key("DS256-own-group") }
	return []hostileInput{
		{name: "combined/rsa", text: longForged(largeKey, "RS256", 512), document: fixed(hostile.Document(append(rsa, dsa...)...).JSON()), before: 1, pass: 61 * time.Second, slow: true},
		{name: "combined/dsa", text: longForged(own, "DS256", 64), document: fixed(hostile.Document(append(dsa, rsa...)...).JSON()), before: 1, pass: 61 * time.Second},
	}
}

// longForged returns a function that makes certificates without a valid signature, and
// assertions of 32 KiB that the certified key signed.
func longForged(key func() keys.PrivateKey, alg string, size int) func(testing.TB, int) string {
	return func(t testing.TB, number int) string {
		c := hostile.Forged(certificate("evil.example", idptest.JWK(key().Public())).With("jti", number), alg, size)
		a := assertionBy(key())
		a.Claims = wide(func(size int) string { return members(size, `"%x":0,`) }, hostileClaims, len(encode(t, c))+300)
		return encode(t, c, a)
	}
}

var (
	hostileUser   = sync.OnceValue(func() keys.PrivateKey { return idptest.Key("RS128") })
	hostileClaims = idptest.Object{"aud": workload.Audience, "exp": workload.Now.Add(12 * time.Hour).UnixMilli()}
)

func evil(domain string) *idptest.IdP {
	return idptest.New(domain, idptest.Key("RS128-2")).At(workload.Now)
}

// certificate returns a certificate of the attacker's.
func certificate(domain string, key any) idptest.Token {
	return evil(domain).Certificate("mallory@"+domain, hostileUser().Public()).
		With("public-key", key).With("exp", workload.Now.Add(12*time.Hour).UnixMilli())
}

func encode(t testing.TB, tokens ...idptest.Token) string {
	texts := make([]string, len(tokens))
	for i, token := range tokens {
		var err error
		if texts[i], err = token.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(texts, "~")
}

func assertionBy(key keys.PrivateKey) idptest.Token {
	return idptest.Token{Key: key, Claims: hostileClaims}
}

func forgedCertificate(host func(int) string, alg string, size int) func(testing.TB, int) string {
	return func(t testing.TB, number int) string {
		c := certificate(host(number), hostileUser().Public()).With("jti", number)
		return encode(t, hostile.Forged(c, alg, size), assertionBy(hostileUser()))
	}
}

func forgedAssertion(key func() idptest.Object, alg string, size int) func(testing.TB, int) string {
	return func(t testing.TB, _ int) string {
		return encode(t, hostile.Forged(certificate("evil.example", key()), "RS256", 256), hostile.Forged(assertionBy(nil), alg, size))
	}
}

func genuine(key string) func(testing.TB, int) string {
	return func(t testing.TB, number int) string {
		return encode(t, certificate("evil.example", idptest.Key(key).Public()).With("jti", number), assertionBy(idptest.Key(key)))
	}
}

// largeKey returns an RSA-4096 key with the exponent that takes most multiplications. Each
// run of the program makes another one.
var largeKey = sync.OnceValue(func() keys.PrivateKey {
	e, one := big.NewInt(hostile.DenseExponent), big.NewInt(1)
	for {
		p, err := rand.Prime(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		q, err := rand.Prime(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		totient := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, totient)
		if d == nil {
			continue
		}
		text := fmt.Appendf(nil, `{"algorithm":"RS","n":"%d","e":"%d","d":"%d"}`, new(big.Int).Mul(p, q), e, d)
		key, err := keys.ParsePrivateKey(text)
		if err != nil {
			panic(err)
		}
		return key
	}
})

func largeKeyDocument(string) []byte {
	return idptest.New("evil.example", largeKey()).Document().JSON()
}

// chain returns a function that makes length certificates of one key, which signs them all.
func chain(length int) func(testing.TB, int) string {
	return func(t testing.TB, number int) string {
		key := largeKey()
		jwk := idptest.JWK(key.Public())
		tokens := make([]idptest.Token, length+1)
		for i := range length {
			tokens[i] = certificate("evil.example", jwk).With("principal", idptest.Object{"host": "evil.example"})
			tokens[i].Key = key
		}
		tokens[length-1] = tokens[length-1].With("principal", idptest.Object{"email": fmt.Sprintf("mallory%d@evil.example", number)})
		tokens[length] = assertionBy(key)
		return encode(t, tokens...)
	}
}

// unusualAssertion returns a function that makes forged assertions of 32 KiB. Their claims
// start with the text that claims returns for the available size.
func unusualAssertion(claims func(size int) string) func(testing.TB, int) string {
	return func(t testing.TB, _ int) string {
		c := hostile.Forged(certificate("evil.example", hostileUser().Public()), "RS256", 256)
		a := assertionBy(nil)
		a.Claims = wide(claims, hostileClaims, len(encode(t, c)))
		return encode(t, c, hostile.Forged(a, "RS128", 128))
	}
}

// wide returns an object that starts with the text of claims and ends with the members of
// rest. It is as large as a token may have besides taken bytes.
func wide(claims func(size int) string, rest idptest.Object, taken int) idptest.Raw {
	room := (assertion.MaxSize-taken-400)*3/4 - len(rest.JSON())
	return idptest.Raw("{" + claims(room) + strings.TrimPrefix(string(rest.JSON()), "{"))
}

func members(size int, format string) string {
	var b strings.Builder
	for i := 0; b.Len() < size-20; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// repeat returns a claim with an array of equal elements.
func repeat(size int, element string) string {
	n := (size - 20) / len(element)
	return `"x":[` + strings.TrimSuffix(strings.Repeat(element, n), ",") + "],"
}

// genuineClaims returns an assertion that verifies, so that its claims are reported.
func genuineClaims(t testing.TB, number int) string {
	c := certificate("evil.example", hostileUser().Public()).With("jti", number)
	a := assertionBy(hostileUser())
	a.Claims = wide(func(size int) string { return members(size, `"%x":0,`) }, hostileClaims, len(encode(t, c)))
	return encode(t, c, a)
}

// principal returns a certificate with many members in its principal, which is read twice.
func principal(t testing.TB, _ int) string {
	inner := "{" + members(22<<10, `"%x":0,`) + `"email":"mallory@evil.example"}`
	c := hostile.Forged(certificate("evil.example", hostileUser().Public()).With("principal", idptest.Raw(inner)), "RS256", 256)
	return encode(t, c, hostile.Forged(assertionBy(nil), "RS128", 128))
}

// wideKey returns a certificate with many members in the certified key.
func wideKey(t testing.TB, _ int) string {
	key := strings.TrimSuffix(string(idptest.Legacy(hostileUser().Public()).JSON()), "}") + "," + members(21<<10, `"x%x":0,`)
	c := hostile.Forged(certificate("evil.example", idptest.Raw(strings.TrimSuffix(key, ",")+"}")), "RS256", 256)
	return encode(t, c, hostile.Forged(assertionBy(nil), "RS128", 128))
}

func wideHeader(t testing.TB, _ int) string {
	c := hostile.Forged(certificate("evil.example", hostileUser().Public()), "RS256", 256)
	a := hostile.Forged(assertionBy(nil), "RS128", 128)
	a.Header = wide(func(size int) string { return members(size, `"x%x":0,`) }, idptest.Object{"alg": "RS128"}, len(encode(t, c))+500)
	return encode(t, c, a)
}

// fixed returns one document for all hosts.
func fixed(document []byte) func(string) []byte {
	return func(string) []byte { return document }
}

func keysDocument(n int, key func() idptest.Object) func(string) []byte {
	return fixed(hostile.Document(hostile.Keys(n, key)...).JSON())
}

// padded returns the document with more members, up to a size.
func padded(document idptest.Object, size int) []byte {
	text := document.JSON()
	return fmt.Appendf(nil, `{%s%s`, members(size-len(text), `"%x":0,`), bytes.TrimPrefix(text, []byte("{")))
}

// delegations are five hosts for each request. Each delegates to the next, and the last one
// to a host with keys. Their documents are made with the request.
type delegations struct {
	write func(idptest.Object) []byte
	last  []byte
	steps map[string][]byte // by host
}

func newDelegations(write func(idptest.Object) []byte, last idptest.Object) *delegations {
	return &delegations{write: write, last: write(last), steps: make(map[string][]byte)}
}

// text returns a certificate of the last host with a forged signature.
func (d *delegations) text(t testing.TB, number int) string {
	host := newHost(number)
	for i := range 5 {
		next := strings.Replace(newHost(number), ".", fmt.Sprintf("-%d.", i), 1)
		d.steps[host] = d.write(idptest.Object{"authority": next})
		host = next
	}
	c := certificate(newHost(number), hostileUser().Public()).With("iss", host)
	return encode(t, hostile.Forged(c, "RS256", 512), assertionBy(hostileUser()))
}

func (d *delegations) document(host string) []byte {
	if step := d.steps[host]; step != nil {
		return step
	}
	return d.last
}
