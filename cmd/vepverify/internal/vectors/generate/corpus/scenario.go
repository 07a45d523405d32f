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

// What the verification is about from which every vector begins: Alice, who
// has a certificate of idp.example, signs in at rp.example.
const (
	now      = 1767225600000 // 2026-01-01T00:00:00Z
	idp      = "idp.example"
	alice    = "alice@idp.example"
	rp       = "https://rp.example"
	fallback = "fallback.example"
	other    = "other.example"
)

// minute in milliseconds, like all times here.
const minute = 60_000

// scenario is a verification in the making.
type scenario struct {
	chain     []forge.Token // the certificates
	assertion forge.Token
	rewrite   func(backed string) string
	audience  string // the relying party's own
	config    vectors.Config
	documents map[string]any
	responses map[string]vectors.Response
	answer    map[string]any // expected, when the verification holds
}

// provider gives the identity provider of a domain, with the clock of the
// vectors. Its first key signs; without any it has the key RS256.
func provider(domain string, private ...keys.PrivateKey) *idptest.IdP {
	if len(private) == 0 {
		private = []keys.PrivateKey{key("RS256")}
	}
	return idptest.New(domain, private...).At(time.UnixMilli(now))
}

// validScenario gives the verification that every vector begins with. All of its
// answer is compared.
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

// last is the certificate that certifies the user.
func (s *scenario) last() *forge.Token { return &s.chain[len(s.chain)-1] }

func (s *scenario) backed() string {
	backed := forge.Backed(append(s.chain[:len(s.chain):len(s.chain)], s.assertion)...)
	if s.rewrite != nil {
		backed = s.rewrite(backed)
	}
	return backed
}

// vector is a line of a table.
type vector struct {
	name, rules, comment string
	expect               vectors.Outcome
	reason               string
	edits                []edit
}

// okay is a vector that holds. rules are the rules that it is about, with
// spaces between them.
func okay(name, rules, comment string, edits ...edit) vector {
	return vector{name, rules, comment, vectors.Okay, "", edits}
}

// failure is a vector that fails, with a reason that begins as given.
func failure(name, rules, comment, reason string, edits ...edit) vector {
	return vector{name, rules, comment, vectors.Failure, reason, edits}
}

// undecided is a vector that cannot be decided now.
func undecided(name, rules, comment string, edits ...edit) vector {
	return vector{name, rules, comment, vectors.Undecided, "", edits}
}

// The reasons that are interface (PROTOCOL §6), and free text.
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

func untrusted(expected, got string) string {
	return fmt.Sprintf("untrusted issuer, expected '%s', got '%s'", expected, got)
}

// finish makes the case.
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

func raw(values map[string]any) map[string]json.RawMessage {
	texts := make(map[string]json.RawMessage, len(values))
	for name, value := range values {
		texts[name] = text(value)
	}
	return texts
}

// text gives the JSON text of a value, an idptest.Raw's as it is.
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

// cachingKey is a test key that signs each message once. Most vectors share
// their certificate, and equal text has an equal signature.
type cachingKey struct {
	keys.PrivateKey
	signed *sync.Map // message → signature
}

var cachedKeys sync.Map // name → remembering

// key gives the key of package idptest with that name.
func key(name string) keys.PrivateKey {
	k, _ := cachedKeys.LoadOrStore(name, cachingKey{idptest.Key(name), new(sync.Map)})
	return k.(cachingKey)
}

// Sign implements keys.PrivateKey. Callers may change what they get.
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
