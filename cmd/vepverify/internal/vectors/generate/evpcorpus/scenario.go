package evpcorpus

import (
	"embed"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/vepverify/vepverify/evp/evptest"
)

// The valid scenario, with which every vector begins: Alice signs in at rp.example with
// her address at mail.example.
const (
	now    int64 = 1767225600000 // 2026-01-01T00:00:00Z, in milliseconds
	issued       = now/1000 - 5  // both iat, in seconds
	rp           = "https://rp.example"
	nonce        = "n-0S6_WzA2MjAxOTUtbm9uY2U"
	alice        = "alice@mail.example"
	record       = "_email-verification.mail.example"
)

// scenario is a verification and its expected answer. Edits change it.
type scenario struct {
	issuer   *evptest.Issuer
	pair     evptest.Pair
	audience []string
	nonce    string
	email    string // submitted, or ""
	now      int64
	profile  string
	txt      map[string]TXT
	http     map[string]Response
	answer   Answer // expected, if the token is valid
	rule     string // that is broken, if it is not that of the table; or anyRule
}

// edit changes a scenario.
type edit func(*scenario)

func validScenario() *scenario {
	s := &scenario{
		audience: []string{rp}, nonce: nonce, now: now, profile: "default",
		txt: map[string]TXT{}, http: map[string]Response{},
		answer: Answer{Email: alice, Issuer: evptest.DefaultHost, Audience: rp, Expires: (issued + 300) * 1000},
	}
	s.issuedBy(evptest.Default())
	return s
}

// issuedBy sets the issuer: its signature, DNS and documents.
func (s *scenario) issuedBy(i *evptest.Issuer) {
	w := evptest.New(i)
	s.issuer = i
	s.pair = w.Pair(evptest.Request{Email: alice, Origin: rp, Nonce: nonce, At: time.Unix(issued, 0)})
	s.txt[record] = TXT{Records: []string{i.Record()}}
	s.http[i.MetadataURL()] = document(i.Metadata())
	s.http[i.KeysURL()] = document(i.JWKS())
}

// document returns the response with a JSON document.
func document(o evptest.Object) Response {
	return Response{Status: http.StatusOK, ContentType: "application/json", Body: string(o.JSON())}
}

// vector is a row of a table.
type vector struct {
	name, comment, expect string
	edits                 []edit
}

// okay returns a vector of a valid token.
func okay(name, comment string, edits ...edit) vector { return vector{name, comment, "okay", edits} }

// failure returns a vector that is refused.
func failure(name, comment string, edits ...edit) vector {
	return vector{name, comment, "failure", edits}
}

// undecided returns a vector whose answer is undecided.
func undecided(name, comment string, edits ...edit) vector {
	return vector{name, comment, "undecided", edits}
}

// finish returns the case of a vector.
func (v vector) finish(rule string) Case {
	s := validScenario()
	for _, change := range v.edits {
		change(s)
	}
	c := Case{
		Name: rule + "/" + v.name, Group: rule, Comment: v.comment, Token: s.pair.String(),
		Audience: s.audience, Nonce: s.nonce, Email: s.email, Now: s.now, Profile: s.profile,
		TXT: s.txt, HTTP: s.http, Expect: v.expect,
	}
	if len(s.audience) == 1 {
		c.Audience = s.audience[0]
	}
	switch {
	case v.expect == "okay":
		c.Answer = &s.answer
	case s.rule == "":
		c.Rule = rule
	case s.rule != anyRule:
		c.Rule = s.rule
	}
	return c
}

// issuer returns an edit that sets the keys of the issuer. The first signs.
func issuer(keys ...evptest.Key) edit {
	return func(s *scenario) { s.issuedBy(evptest.Default(keys...)) }
}

// holder returns an edit that sets the key of the browser.
func holder(key evptest.Key) edit {
	return func(s *scenario) { s.pair = s.pair.HeldBy(key) }
}

// fault returns an edit that applies faults of package evptest to the token.
func fault(faults ...evptest.TokenFault) edit {
	return func(s *scenario) { s.pair = s.pair.Apply(faults...) }
}

// evt and kb return edits of the two parts of the token.
func evt(f func(evptest.JWS) evptest.JWS) edit {
	return func(s *scenario) { s.pair = s.pair.EditEVT(f) }
}

func kb(f func(evptest.JWS) evptest.JWS) edit {
	return func(s *scenario) { s.pair = s.pair.EditKB(f) }
}

// part is evt or kb.
type part func(func(evptest.JWS) evptest.JWS) edit

// parts has the names of the two parts, for tables about both.
var parts = []struct {
	name string
	edit part
}{{"EVT", evt}, {"KB", kb}}

func (p part) with(name string, value any) edit {
	return p(func(j evptest.JWS) evptest.JWS { return j.With(name, value) })
}

func (p part) without(name string) edit {
	return p(func(j evptest.JWS) evptest.JWS { return j.Without(name) })
}

func (p part) header(name string, value any) edit {
	return p(func(j evptest.JWS) evptest.JWS { return j.WithHeader(name, value) })
}

func (p part) withoutHeader(name string) edit {
	return p(func(j evptest.JWS) evptest.JWS { return j.WithoutHeader(name) })
}

func (p part) alter(f func([]byte) []byte) edit {
	return p(func(j evptest.JWS) evptest.JWS { j.Alter = f; return j })
}

func (p part) sign(f func([]byte) ([]byte, error)) edit {
	return p(func(j evptest.JWS) evptest.JWS { j.Sign = f; return j })
}

// jwk returns an edit of cnf.jwk.
func jwk(f func(evptest.Object) evptest.Object) edit {
	return evt(func(j evptest.JWS) evptest.JWS {
		key := j.Claim("cnf").(evptest.Object)["jwk"].(evptest.Object)
		return j.With("cnf", evptest.Object{"jwk": f(key)})
	})
}

func jwkWith(name string, value any) edit {
	return jwk(func(o evptest.Object) evptest.Object { return o.With(name, value) })
}

func jwkWithout(names ...string) edit {
	return jwk(func(o evptest.Object) evptest.Object { return o.Without(names...) })
}

// rewrite returns an edit of the token's text.
func rewrite(f func(string) string) edit { return func(s *scenario) { s.pair.Rewrite = f } }

// anyRule is for a token that breaks several rules, without an order among them.
const anyRule = "-"

// broken returns an edit that sets the rule that is broken, where the order of the checks
// makes it another one than that of the table.
func broken(rule string) edit { return func(s *scenario) { s.rule = rule } }

// draft02 selects the profile draft-02.
func draft02(s *scenario) { s.profile = "draft-02" }

// typed returns an edit that sets the address that the user submitted.
func typed(email string) edit { return func(s *scenario) { s.email = email } }

// at returns an edit that moves the clock to milliseconds after now.
func at(milliseconds int64) edit { return func(s *scenario) { s.now = now + milliseconds } }

// expires returns an edit of the expected answer, in seconds after issued.
func expires(seconds int64) edit {
	return func(s *scenario) { s.answer.Expires = (issued + seconds) * 1000 }
}

// silent makes DNS and all hosts time out.
func silent(s *scenario) {
	for name := range s.txt {
		s.txt[name] = TXT{Error: "timeout"}
	}
	for url := range s.http {
		s.http[url] = Response{Timeout: true}
	}
}

// address returns an edit that changes the claim email, its TXT record, and the expected
// answer.
func address(email, domain string) edit {
	return func(s *scenario) {
		s.pair.EVT = s.pair.EVT.With("email", email)
		answer := s.txt[record]
		delete(s.txt, record)
		s.txt["_email-verification."+domain] = answer
		s.answer.Email = email
	}
}

// kinds are values of each JSON type.
var kinds = []struct {
	name  string
	value any
}{
	{"null", nil}, {"true", true}, {"a number", 1}, {"a string", "x"}, {"empty", ""},
	{"an array", []any{}}, {"an object", evptest.Object{}},
}

// refuseKinds returns vectors in which a value has each JSON type, except the named ones,
// and one in which it is absent unless absent is nil.
func refuseKinds(name string, with func(any) edit, absent edit, except ...string) []vector {
	var rows []vector
	for _, k := range kinds {
		if !slices.Contains(except, k.name) {
			rows = append(rows, failure(name+" "+k.name, name+" is "+k.name+".", with(k.value)))
		}
	}
	if absent != nil {
		rows = append(rows, failure(name+" absent", "Without "+name+".", absent))
	}
	return rows
}

//go:embed testkeys/*.pem
var keyFiles embed.FS

var parsedKeys sync.Map // name → evptest.Key

// rawKey returns a key of the folder testkeys.
func rawKey(name string) evptest.Key {
	if key, ok := parsedKeys.Load(name); ok {
		return key.(evptest.Key)
	}
	data, err := keyFiles.ReadFile("testkeys/" + name + ".pem")
	if err != nil {
		panic(err)
	}
	key, err := evptest.ParseKey(data)
	if err != nil {
		panic(name + ": " + err.Error())
	}
	parsedKeys.Store(name, key)
	return key
}

// key returns a test key of package evptest with the kid "k1".
func key(name string) evptest.Key { return evptest.TestKey(name).WithID("k1") }

// join appends tables.
func join(tables ...[]vector) []vector { return slices.Concat(tables...) }
