package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/forge"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// The valid scenario, with which every vector begins: Alice has a certificate of
// idp.example and signs in at rp.example.
const (
	now      int64 = 1767225600000 // 2026-01-01T00:00:00Z
	idp            = "idp.example"
	alice          = "alice@idp.example"
	rp             = "https://rp.example"
	fallback       = "fallback.example"
	other          = "other.example"
)

// minute is a minute in milliseconds, the unit of all times here.
const minute = 60_000

// scenario is a verification and its expected answer. Edits change it.
type scenario struct {
	chain     []forge.Token // the certificates
	assertion forge.Token
	rewrite   func(backed string) string
	audience  string // of the relying party
	config    vectors.Config
	documents map[string]any
	responses map[string]vectors.Response
	answer    map[string]any // expected, if the assertion is valid
}

// provider returns the identity provider of a domain, with the clock of the vectors. Its
// first key signs. Without keys it has the test key RS256.
func provider(domain string, private ...keys.PrivateKey) *idptest.IdP {
	if len(private) == 0 {
		private = []keys.PrivateKey{key("RS256")}
	}
	return idptest.New(domain, private...).At(time.UnixMilli(now))
}

// validScenario returns the scenario with which every vector begins. Its expected answer is
// complete.
func validScenario() *scenario {
	p, user := provider(idp), key("DS128")
	return &scenario{
		chain:     []forge.Token{{Token: p.Certificate(alice, user.Public())}},
		assertion: forge.Token{Token: p.Assertion(rp, user)},
		audience:  rp,
		documents: map[string]any{idp: p.Document()},
		responses: map[string]vectors.Response{},
		answer: map[string]any{
			"status": "okay", "email": alice, "audience": rp, "issuer": idp, "expires": now + 2*minute,
			"idpClaims": nil, "userClaims": nil,
		},
	}
}

// last returns the certificate that certifies the user.
func (s *scenario) last() *forge.Token { return &s.chain[len(s.chain)-1] }

// backed returns the backed assertion.
func (s *scenario) backed() string {
	backed := forge.Backed(append(s.chain[:len(s.chain):len(s.chain)], s.assertion)...)
	if s.rewrite != nil {
		backed = s.rewrite(backed)
	}
	return backed
}

// vector is a row of a table.
type vector struct {
	name, rules, comment string
	expect               vectors.Outcome
	reason               string
	edits                []edit
}

// okay returns a vector of a valid assertion. rules are the names of the rules that it
// tests, separated by spaces.
func okay(name, rules, comment string, edits ...edit) vector {
	return vector{name, rules, comment, vectors.Okay, "", edits}
}

// failure returns a vector that fails. reason is a prefix of the expected reason.
func failure(name, rules, comment, reason string, edits ...edit) vector {
	return vector{name, rules, comment, vectors.Failure, reason, edits}
}

// undecided returns a vector whose answer is undecided.
func undecided(name, rules, comment string, edits ...edit) vector {
	return vector{name, rules, comment, vectors.Undecided, "", edits}
}

// The reasons that are interface (PROTOCOL §6). anyReason is for a reason in free text.
const (
	anyReason     = ""
	noCertificate = "no certificates provided"
	chaining      = "certificate chaining is not yet allowed"
	algorithm     = "algorithms do not match"
	badSignature  = "invalid signature"
	expired       = "expired"
	notYet        = "issued later than verification date"
	noEmail       = "untrusted assertion, doesn't contain an email, and issuer is untrusted"
)

// untrusted returns the reason for another issuer.
func untrusted(expected, got string) string {
	return fmt.Sprintf("untrusted issuer, expected '%s', got '%s'", expected, got)
}

// finish returns the case of a vector.
func (v vector) finish(group string) Vector {
	s := validScenario()
	for _, change := range v.edits {
		change(s)
	}
	at := int64(now)
	c := vectors.Case{
		Name: group + "-" + v.name, Group: group, Comment: v.comment,
		Assertion: s.backed(), Audience: s.audience, Now: &at, Config: s.config,
		Documents: raw(s.documents), Responses: s.responses,
		Expect: v.expect, Reason: v.reason,
	}
	switch v.expect {
	case vectors.Okay:
		c.Answer = raw(s.answer)
	case vectors.Failure:
		c.Answer = raw(map[string]any{"status": "failure", "email": nil, "undecided": nil})
	case vectors.Undecided:
		c.Answer = raw(map[string]any{"status": "failure", "email": nil, "undecided": true})
	}
	return Vector{c, strings.Fields(v.rules)}
}

// raw returns the JSON texts of values.
func raw(values map[string]any) map[string]json.RawMessage {
	texts := make(map[string]json.RawMessage, len(values))
	for name, value := range values {
		texts[name] = text(value)
	}
	return texts
}

// text returns the JSON text of a value, or the text of an idptest.Raw.
func text(value any) json.RawMessage {
	if raw, ok := value.(idptest.Raw); ok {
		return json.RawMessage(raw)
	}
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}

// cachingKey is a test key that signs each message once. Most vectors have the same
// certificate, and equal text has an equal signature.
type cachingKey struct {
	keys.PrivateKey
	signed *sync.Map // message → signature
}

var cachedKeys sync.Map // name → cachingKey

// key returns a test key of package idptest.
func key(name string) keys.PrivateKey {
	k, _ := cachedKeys.LoadOrStore(name, cachingKey{idptest.Key(name), new(sync.Map)})
	return k.(cachingKey)
}

// Sign implements keys.PrivateKey. Callers may modify the signature.
func (k cachingKey) Sign(message []byte) ([]byte, error) {
	if signature, ok := k.signed.Load(string(message)); ok {
		return bytes.Clone(signature.([]byte)), nil
	}
	signature, err := k.PrivateKey.Sign(message)
	if err == nil {
		k.signed.Store(string(message), bytes.Clone(signature))
	}
	return signature, err
}
