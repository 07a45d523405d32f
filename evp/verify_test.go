package evp_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/evp/internal/jose"
)

var algs = []string{jose.Ed25519, jose.EdDSA, jose.ES256, jose.RS256}

func TestVerify(t *testing.T) {
	for _, issuerAlg := range algs {
		for _, holderAlg := range algs {
			m := newMint(t, issuerAlg, holderAlg)
			v := verifier(t, config(), sourceOf(m.issuer.Public()))
			got, err := v.Verify(t.Context(), m.token(t), expected)
			want := &evp.Result{Email: email, Audience: site, Issuer: host, Expires: now.Add(295 * time.Second).UTC()}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: got %+v, %v", issuerAlg, holderAlg, got, err)
			}
		}
	}
}

// TestParallel checks that verifications that run at the same time do not share memory.
func TestParallel(t *testing.T) {
	m := newMint(t, jose.ES256, jose.Ed25519)
	v := verifier(t, config(), sourceOf(m.issuer.Public()))
	for i := range 8 {
		address := fmt.Sprintf("user%d@mail%d.example", i, i)
		m.evt["email"] = address
		token := m.token(t)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for range 20 {
				res, err := v.Verify(t.Context(), token, evp.Expected{Nonce: nonce, Email: address})
				if err != nil || res.Email != address {
					t.Errorf("got %v, %v", res, err)
				}
				_, err = v.Verify(t.Context(), token+"=", evp.Expected{Nonce: nonce})
				wantError(t, err, assertion.ErrMalformed, "1.base64")
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	m.evt["is_private_email"] = true
	res, err := verifier(t, config(), sourceOf(m.issuer.Public())).Verify(t.Context(), m.token(t), expected)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(res)
	const want = `{"status":"okay","email":"alice@mail.example","audience":"https://rp.example","expires":1800000295000,"issuer":"accounts.issuer.example","private":true}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// mutation is a change of a valid token that breaks a rule.
type mutation struct {
	name   string
	change func(m *mint)
	rule   string
	kind   error
	draft  bool // only Draft02 refuses it
}

var mutations = []mutation{
	{"typ of the issuer's half", func(m *mint) { m.evtHeader["typ"] = "JWT" }, "2.typ", evp.ErrHeader, false},
	{"typ of the browser's half", func(m *mint) { delete(m.kbHeader, "typ") }, "2.typ", evp.ErrHeader, false},
	{"alg of the issuer's half", func(m *mint) { m.evtHeader["alg"] = "HS256" }, "2.alg", assertion.ErrAlgorithm, false},
	{"alg of the browser's half", func(m *mint) { m.kbHeader["alg"] = 1 }, "2.alg", assertion.ErrAlgorithm, false},
	{"crit in the browser's half", func(m *mint) { m.kbHeader["crit"] = []string{"x"} }, "2.crit", evp.ErrHeader, false},
	{"b64 in the issuer's half", func(m *mint) { m.evtHeader["b64"] = true }, "2.crit", evp.ErrHeader, false},
	{"kid of the issuer's half", func(m *mint) { m.evtHeader["kid"] = nil }, "2.kid", evp.ErrHeader, false},
	{"kid of the browser's half", func(m *mint) { m.kbHeader["kid"] = 1 }, "2.kid", evp.ErrHeader, false},
	{"iat over 2^53", func(m *mint) { m.evt["iat"] = json.Number("9007199254740993") }, "3.iat", evp.ErrClaims, false},
	{"iat of 30 digits", func(m *mint) { m.evt["iat"] = json.Number("100000000000000000000000000000") }, "3.iat", evp.ErrClaims, false},
	{"iat of the browser's half", func(m *mint) { delete(m.kb, "iat") }, "3.iat", evp.ErrClaims, false},
	{"iss", func(m *mint) { delete(m.evt, "iss") }, "3.iss", evp.ErrClaims, false},
	{"iss with http", func(m *mint) { m.evt["iss"] = "http://" + host }, "3.iss", evp.ErrClaims, false},
	{"iss with a path", func(m *mint) { m.evt["iss"] = "https://" + host + "/a" }, "3.iss", evp.ErrClaims, false},
	{"iss with a hyphen at the end of a label", func(m *mint) { m.evt["iss"] = "https://accounts-.example" }, "3.iss", evp.ErrClaims, false},
	{"email", func(m *mint) { m.evt["email"] = "alice@Mail.example" }, "3.email", evp.ErrEmail, false},
	{"email with a numeric last label", func(m *mint) { m.evt["email"] = "alice@mail.1" }, "3.email", evp.ErrEmail, false},
	{"email_verified", func(m *mint) { m.evt["email_verified"] = false }, "3.email-verified", evp.ErrClaims, false},
	{"is_private_email", func(m *mint) { m.evt["is_private_email"] = 1 }, "3.private", evp.ErrClaims, false},
	{"cnf", func(m *mint) { m.evt["cnf"] = "key" }, "3.holder-key", assertion.ErrKey, false},
	{"cnf.jwk private", func(m *mint) { m.jwk["oth"] = nil }, "3.holder-key", assertion.ErrKey, false},
	{"cnf.jwk of another alg", func(m *mint) { m.jwk["alg"] = "ES256" }, "3.holder-key", assertion.ErrAlgorithm, false},
	{"exp not an integer", func(m *mint) { m.evt["exp"] = "1" }, "3.exp-nbf", evp.ErrClaims, false},
	{"nbf not an integer", func(m *mint) { m.kb["nbf"] = 1.5 }, "3.exp-nbf", evp.ErrClaims, false},
	{"exp", func(m *mint) { m.kb["exp"] = now.Unix() - 60 }, "3.exp-nbf", assertion.ErrExpired, false},
	{"nbf", func(m *mint) { m.evt["nbf"] = now.Unix() + 61 }, "3.exp-nbf", assertion.ErrNotYetValid, false},
	{"aud", func(m *mint) { m.kb["aud"] = "https://rp.example.evil.example" }, "4.aud", assertion.ErrAudience, false},
	{"aud an array", func(m *mint) { m.kb["aud"] = []string{site} }, "4.aud", assertion.ErrAudience, false},
	{"nonce", func(m *mint) { m.kb["nonce"] = nonce + "x" }, "4.nonce", evp.ErrNonce, false},
	{"nonce empty", func(m *mint) { m.kb["nonce"] = "" }, "4.nonce", evp.ErrNonce, false},
	{"nonce absent", func(m *mint) { delete(m.kb, "nonce") }, "4.nonce", evp.ErrNonce, false},
	{"sd_hash", func(m *mint) { m.kb["sd_hash"] = jose.EncodeBase64(make([]byte, 32)) }, "4.sd-hash", evp.ErrBinding, false},
	{"sd_hash absent", func(m *mint) { m.kb["sd_hash"] = nil }, "4.sd-hash", evp.ErrBinding, false},
	{"iat old", func(m *mint) { m.evt["iat"] = now.Unix() - 301 }, "5.window", assertion.ErrExpired, false},
	{"iat in milliseconds", func(m *mint) { m.kb["iat"] = now.UnixMilli() }, "5.window", assertion.ErrNotYetValid, false},
	{"iat negative", func(m *mint) { m.kb["iat"] = -1 }, "5.window", assertion.ErrExpired, false},
	{"iat ahead", func(m *mint) { m.kb["iat"] = now.Unix() + 61 }, "5.window", assertion.ErrNotYetValid, false},
	{"another address", func(m *mint) { m.evt["email"] = "bob@mail.example" }, "6.submitted", evp.ErrEmail, false},
	{"another domain", func(m *mint) { m.evt["email"] = "alice@mail.example.org" }, "6.submitted", evp.ErrEmail, false},
	{"another holder", func(m *mint) { m.jwk["x"] = jose.EncodeBase64(make([]byte, 32)) }, "4.signature", assertion.ErrSignature, false},
	{"EdDSA of the issuer's half", func(m *mint) { m.evtHeader["alg"] = "EdDSA" }, "10.draft-02", assertion.ErrAlgorithm, true},
	{"EdDSA of the browser's half", func(m *mint) { m.kbHeader["alg"] = "EdDSA" }, "10.draft-02", assertion.ErrAlgorithm, true},
	{"no kid", func(m *mint) { delete(m.evtHeader, "kid") }, "10.draft-02", evp.ErrHeader, true},
	{"no alg of cnf.jwk", func(m *mint) { delete(m.jwk, "alg") }, "10.draft-02", assertion.ErrKey, true},
	{"another case of the address", func(m *mint) { m.evt["email"] = "ALICE@mail.example" }, "10.draft-02", evp.ErrEmail, true},
}

// TestRules checks the rule and the reason of each mutation, and that none of them causes a
// lookup.
func TestRules(t *testing.T) {
	for _, test := range mutations {
		t.Run(test.name, func(t *testing.T) {
			m := newMint(t, jose.Ed25519, jose.Ed25519)
			test.change(m)
			token := m.token(t)
			for _, profile := range []evp.Profile{evp.Default, evp.Draft02} {
				s := sourceOf(m.issuer.Public())
				c := config()
				c.Profile = profile
				_, err := verifier(t, c, s).Verify(t.Context(), token, expected)
				if test.draft && profile == evp.Default {
					if err != nil {
						t.Errorf("refused by default: %v", err)
					}
					continue
				}
				checkSilent(t, wantError(t, err, test.kind, test.rule), token)
				if len(s.calls) > 0 {
					t.Errorf("looked up %q", s.calls)
				}
			}
		})
	}
}

// checkSilent checks that an error contains neither address, nor nonce, nor token.
func checkSilent(t testing.TB, e *evp.Error, token string) {
	t.Helper()
	texts := []string{e.Error(), e.Detail(), e.LogValue().String(), e.Found, e.Expected, e.Advice}
	for _, cause := range e.Unwrap() {
		texts = append(texts, cause.Error())
	}
	secrets := append(strings.FieldsFunc(token, func(r rune) bool { return r == '.' || r == '~' }), nonce, "alice", "bob")
	for _, text := range texts {
		for _, secret := range secrets {
			if len(secret) > 2 && strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%q contains %q", text, secret)
			}
		}
	}
	if e.Reason == "" || e.Found == "" || e.Expected == "" && e.Rule != "8.no-issuer" || e.Advice == "" {
		t.Errorf("not explained: %+v", e)
	}
}

func TestMalformed(t *testing.T) {
	token := newMint(t, jose.Ed25519, jose.Ed25519).token(t)
	evt, kb, _ := strings.Cut(token, "~")
	for name, test := range map[string]struct{ text, rule string }{
		"empty":          {"", "1.form"},
		"a line":         {"hello", "1.form"},
		"one half":       {evt, "1.form"},
		"issuer's half":  {evt + "~", "1.form"},
		"browser's half": {"~" + kb, "1.form"},
		"a disclosure":   {evt + "~e30~" + kb, "1.form"},
		"tilde at end":   {token + "~", "1.form"},
		"four parts":     {evt + ".e30~" + kb, "1.form"},
		"space":          {token + " ", "1.base64"},
		"padding":        {evt + "=~" + kb, "1.base64"},
		"not ASCII":      {evt + "~é" + kb, "1.base64"},
		"not JSON":       {"e30x" + evt + "~" + kb, "1.json"},
		"16 KiB":         {token + strings.Repeat("=", evp.MaxSize-len(token)), "1.base64"},
		"over 16 KiB":    {token + strings.Repeat("A", evp.MaxSize-len(token)+1), "1.size"},
	} {
		s := sourceOf()
		_, err := verifier(t, config(), s).Verify(t.Context(), test.text, expected)
		t.Run(name, func(t *testing.T) { wantError(t, err, assertion.ErrMalformed, test.rule) })
		if len(s.calls) > 0 {
			t.Errorf("%s: looked up %q", name, s.calls)
		}
	}
}

// TestHalvesOfTwoTokens checks that halves of two valid tokens do not verify together.
func TestHalvesOfTwoTokens(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	first, _, _ := strings.Cut(m.token(t), "~")
	m.evt["email"] = "alice@mail.example" // the same address, one second later
	m.evt["iat"] = now.Unix() - 4
	_, second, _ := strings.Cut(m.token(t), "~")
	_, err := verifier(t, config(), sourceOf(m.issuer.Public())).Verify(t.Context(), first+"~"+second, expected)
	wantError(t, err, evp.ErrBinding, "4.sd-hash")
}

func TestSubmitted(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	m.evt["email"] = "Alice.K@mail.example"
	token, s := m.token(t), sourceOf(m.issuer.Public())
	for submitted, want := range map[string]bool{
		"": true, "Alice.K@mail.example": true, "alice.k@MAIL.example": true,
		"alice.\u212a@mail.example": false, // the Kelvin sign, which Unicode folds to k
		"alice.k@mail.example ":     false,
		"alice@mail.example":        false,
	} {
		res, err := verifier(t, config(), s).Verify(t.Context(), token, evp.Expected{Nonce: nonce, Email: submitted})
		if (err == nil) != want {
			t.Errorf("submitted %q: %v", submitted, err)
		}
		if err == nil && res.Email != "Alice.K@mail.example" {
			t.Errorf("submitted %q: answer %q", submitted, res.Email)
		}
	}
}

func TestExpires(t *testing.T) {
	for name, test := range map[string]struct {
		change func(m *mint)
		want   time.Duration // from now
	}{
		"the earlier iat":     {func(m *mint) { m.evt["iat"] = now.Unix() - 100 }, 200 * time.Second},
		"the browser's iat":   {func(m *mint) { m.kb["iat"] = now.Unix() - 300 }, 0},
		"an earlier exp":      {func(m *mint) { m.evt["exp"] = now.Unix() + 10 }, 10 * time.Second},
		"a later exp":         {func(m *mint) { m.evt["exp"] = now.Unix() + 1000 }, 295 * time.Second},
		"the browser's exp":   {func(m *mint) { m.kb["exp"] = now.Unix() - 59 }, -59 * time.Second},
		"an exp far from now": {func(m *mint) { m.kb["exp"] = int64(1) << 53 }, 295 * time.Second},
	} {
		m := newMint(t, jose.Ed25519, jose.Ed25519)
		test.change(m)
		res, err := verifier(t, config(), sourceOf(m.issuer.Public())).Verify(t.Context(), m.token(t), expected)
		if err != nil || !res.Expires.Equal(now.Add(test.want)) {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
}

func TestAllowLists(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	token := m.token(t)
	for name, test := range map[string]struct {
		issuers, domains []string
		kind             error
	}{
		"issuer":         {[]string{"other.example", host}, nil, nil},
		"other issuer":   {[]string{"issuer.example"}, nil, assertion.ErrIssuer},
		"domain":         {nil, []string{mailDomain}, nil},
		"other domain":   {nil, []string{"example.org"}, evp.ErrEmail},
		"domain above":   {nil, []string{"x.mail.example"}, evp.ErrEmail},
		"both":           {[]string{host}, []string{mailDomain}, nil},
		"one of the two": {[]string{host}, []string{"example.org"}, evp.ErrEmail},
	} {
		c, s := config(), sourceOf(m.issuer.Public())
		c.Issuers, c.Domains = test.issuers, test.domains
		_, err := verifier(t, c, s).Verify(t.Context(), token, expected)
		if test.kind == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantError(t, err, test.kind, "")
		if len(s.calls) > 0 {
			t.Errorf("%s: looked up %q", name, s.calls)
		}
	}
}

func TestDiscovery(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	refused := &discovery.Error{Outcome: discovery.Refused, Rule: "8.record", Reason: "a record", Advice: "correct it", Domain: mailDomain}
	down := &discovery.Error{Outcome: discovery.Unavailable, Rule: "9.unavailable", Reason: "no answer", Advice: "try again", Setting: "Timeout", Domain: host}
	for name, test := range map[string]struct {
		change func(s *source)
		kind   error
		rule   string
	}{
		"no issuer":        {func(s *source) { s.issuerErr = refused }, assertion.ErrIssuer, "8.record"},
		"DNS is down":      {func(s *source) { s.issuerErr = down }, assertion.ErrUndecided, "9.unavailable"},
		"another issuer":   {func(s *source) { s.host = "other.example" }, assertion.ErrIssuer, "8.iss"},
		"bad keys":         {func(s *source) { s.keysErr = refused }, assertion.ErrIssuer, "8.record"},
		"issuer is down":   {func(s *source) { s.keysErr = down }, assertion.ErrUndecided, "9.unavailable"},
		"ended by caller":  {func(s *source) { s.keysErr = context.Canceled }, assertion.ErrUndecided, ""},
		"no keys at all":   {func(s *source) { s.keys = keySet(now) }, assertion.ErrSignature, "10.kid"},
		"keys of another":  {func(s *source) { s.keys = keySet(now, keyOf(t, "x", jose.Ed25519).WithKid("k1").Public()) }, assertion.ErrSignature, "10.signature"},
		"only another kid": {func(s *source) { s.keys = keySet(now, m.issuer.WithKid("k2").Public()) }, assertion.ErrSignature, "10.kid"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sourceOf(m.issuer.Public())
			test.change(s)
			_, err := verifier(t, config(), s).Verify(t.Context(), m.token(t), expected)
			e := wantError(t, err, test.kind, test.rule)
			if strings.Contains(e.Reason, "record") || strings.Contains(e.Reason, "no answer") {
				t.Errorf("the reason tells how the lookup failed: %s", e.Reason)
			}
		})
	}
}

func TestDraftWantsIssuerInMetadata(t *testing.T) {
	m, c := newMint(t, jose.Ed25519, jose.Ed25519), config()
	s := sourceOf(m.issuer.Public())
	s.keys.HasIssuer = false
	if _, err := verifier(t, c, s).Verify(t.Context(), m.token(t), expected); err != nil {
		t.Error(err)
	}
	c.Profile = evp.Draft02
	_, err := verifier(t, c, s).Verify(t.Context(), m.token(t), expected)
	wantError(t, err, assertion.ErrIssuer, "10.draft-02")
}

// TestRefresh checks the rule 10.refresh.
func TestRefresh(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	right, wrong := m.issuer.Public(), keyOf(t, "x", jose.Ed25519).WithKid("k1").Public()
	old, recent := now.Add(-time.Hour), now.Add(-time.Second)
	down := &discovery.Error{Outcome: discovery.Unavailable, Rule: "9.unavailable", Reason: "no answer"}
	gone := &discovery.Error{Outcome: discovery.Refused, Rule: "9.refused", Reason: "status 404"}
	for name, test := range map[string]struct {
		s    *source
		kind error
		rule string
	}{
		"the key is new":                {&source{keys: keySet(old, wrong), fresh: keySet(now, right)}, nil, ""},
		"still none":                    {&source{keys: keySet(old, wrong), fresh: keySet(now, wrong)}, assertion.ErrSignature, "10.signature"},
		"too soon":                      {&source{keys: keySet(old, wrong)}, assertion.ErrSignature, "10.signature"},
		"older keys":                    {&source{keys: keySet(now, wrong), fresh: keySet(old, right)}, assertion.ErrSignature, "10.signature"},
		"not available":                 {&source{keys: keySet(old, wrong), refreshErr: down}, assertion.ErrUndecided, "10.refresh"},
		"not available, the old recent": {&source{keys: keySet(recent, wrong), refreshErr: down}, assertion.ErrSignature, "10.signature"},
		"not available, from a file":    {&source{keys: keySet(time.Time{}, wrong), refreshErr: down}, assertion.ErrSignature, "10.signature"},
		"withdrawn":                     {&source{keys: keySet(old, wrong), refreshErr: gone}, assertion.ErrIssuer, "9.refused"},
	} {
		t.Run(name, func(t *testing.T) {
			test.s.host = host
			_, err := verifier(t, config(), test.s).Verify(t.Context(), m.token(t), expected)
			if test.kind != nil {
				wantError(t, err, test.kind, test.rule)
			} else if err != nil {
				t.Error(err)
			}
			want := []string{"issuer " + mailDomain, "keys " + host, "refresh " + host}
			if !reflect.DeepEqual(test.s.calls, want) {
				t.Errorf("calls %q", test.s.calls)
			}
		})
	}
}

// TestNewTries checks that after a refresh only a few keys are tried, and none again.
func TestNewTries(t *testing.T) {
	list := func(from, n int) (keys []*jose.PublicKey) {
		for i := range n {
			keys = append(keys, keyOf(t, fmt.Sprint("other", from+i), jose.Ed25519).WithKid("k1").Public())
		}
		return keys
	}
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	right := m.issuer.Public()
	for name, test := range map[string]struct {
		before int
		fresh  []*jose.PublicKey
		ok     bool
	}{
		"after those tried before": {15, append(list(0, 15), right), true},
		"the thirteenth new one":   {4, append(list(20, 12), right), true},
		"the seventeenth":          {16, append(list(20, 0), right), true},
		"the eighteenth":           {16, append(list(20, 1), right), false},
	} {
		s := sourceOf(list(0, test.before)...)
		s.fresh = keySet(now, test.fresh...)
		_, err := verifier(t, config(), s).Verify(t.Context(), m.token(t), expected)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if !test.ok {
			wantError(t, err, assertion.ErrSignature, "10.tries")
		}
	}
}

// TestRefreshSkipsLargeKeys checks that large keys over the limit are skipped after a
// refresh too, and that a smaller key after them is tried.
func TestRefreshSkipsLargeKeys(t *testing.T) {
	m := newMint(t, jose.RS256, jose.Ed25519)
	delete(m.evtHeader, "kid")
	var large []*jose.PublicKey
	for range 8 {
		large = append(large, largeKey(t))
	}
	s := sourceOf(large[:4]...)
	s.fresh = keySet(now, append(slices.Clone(large[4:]), m.issuer.Public())...)
	_, err := verifier(t, config(), s).Verify(t.Context(), m.token(t), expected)
	if err != nil {
		t.Error(err)
	}
}

// largeKey returns a new key over 2048 bits, whose private key does not exist.
func largeKey(t *testing.T) *jose.PublicKey {
	t.Helper()
	n := make([]byte, 384)
	rand.Read(n)
	n[0] |= 0x80
	n[len(n)-1] |= 1
	k, err := jose.ParsePublicKey([]byte(`{"kty":"RSA","e":"AQAB","n":"` + jose.EncodeBase64(n) + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTries checks the rule 10.tries.
func TestTries(t *testing.T) {
	right := keyOf(t, "issuer", jose.Ed25519)
	others := func(n int, kid string) (list []*jose.PublicKey) {
		for i := range n {
			list = append(list, keyOf(t, fmt.Sprint("other", i), jose.Ed25519).WithKid(kid).Public())
		}
		return list
	}
	for name, test := range map[string]struct {
		kid  any // of the token; nil means absent
		keys []*jose.PublicKey
		rule string // empty means okay
	}{
		"the sixteenth":                {nil, append(others(15, ""), right.Public()), ""},
		"the seventeenth":              {nil, append(others(16, ""), right.Public()), "10.tries"},
		"the sixteenth of a kid":       {"k", append(others(15, "k"), right.WithKid("k").Public()), ""},
		"the seventeenth of a kid":     {"k", append(others(16, "k"), right.WithKid("k").Public()), "10.tries"},
		"after others' kids":           {"k", append(others(40, "x"), right.WithKid("k").Public()), ""},
		"after keys that do not fit":   {nil, append(repeated(keyOf(t, "issuer", jose.ES256).Public(), 20), right.Public()), ""},
		"after keys with another alg":  {nil, append(repeated(right.WithAlg("ES256").Public(), 20), right.Public()), ""},
		"with a kid, the token's none": {"", []*jose.PublicKey{right.WithKid("k").Public()}, ""},
		"kid is case-sensitive":        {"K", []*jose.PublicKey{right.WithKid("k").Public()}, "10.kid"},
		"no key fits":                  {nil, []*jose.PublicKey{keyOf(t, "issuer", jose.ES256).Public()}, "10.kid"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMint(t, jose.Ed25519, jose.Ed25519)
			if m.evtHeader["kid"] = test.kid; test.kid == nil {
				delete(m.evtHeader, "kid")
			}
			_, err := verifier(t, config(), sourceOf(test.keys...)).Verify(t.Context(), m.token(t), expected)
			if test.rule == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, assertion.ErrSignature, test.rule)
		})
	}
}

func repeated(k *jose.PublicKey, n int) (list []*jose.PublicKey) {
	for range n {
		list = append(list, k)
	}
	return list
}

// guard is a one-use guard that records what it is asked.
type guard struct {
	key   string
	until time.Time
	first bool
	err   error
}

func (g *guard) FirstUse(_ context.Context, key string, until time.Time) (bool, error) {
	g.key, g.until = key, until
	return g.first, g.err
}

func TestOneUse(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	m.evt["exp"] = now.Unix() + 20
	token := m.token(t)
	_, kb, _ := strings.Cut(token, "~")
	sum := sha256.Sum256([]byte(kb[:strings.LastIndex(kb, ".")]))
	for name, test := range map[string]struct {
		g    guard
		kind error
		rule string
	}{
		"first":         {guard{first: true}, nil, ""},
		"second":        {guard{}, assertion.ErrReplayed, "12.one-use"},
		"not available": {guard{err: errors.New("store is down")}, assertion.ErrUndecided, ""},
	} {
		v := verifier(t, config(), sourceOf(m.issuer.Public()))
		v, err := v.WithOneUse(&test.g)
		if err != nil || v.OneUse() != &test.g {
			t.Fatal(err)
		}
		_, err = v.Verify(t.Context(), token, expected)
		if test.kind != nil {
			wantError(t, err, test.kind, test.rule)
		} else if err != nil {
			t.Error(name, err)
		}
		if test.g.key != hex.EncodeToString(sum[:]) || !test.g.until.Equal(now.Add(80*time.Second)) {
			t.Errorf("%s: asked for %s until %s", name, test.g.key, test.g.until)
		}
		test.g = guard{}
		if e := v.Explain(t.Context(), token, expected); e.Err != nil || test.g.key != "" {
			t.Errorf("%s: Explain asks the guard: %v", name, e.Err)
		}
	}
}

// TestOneUseIsLast checks that a token that is refused does not reach the guard.
func TestOneUseIsLast(t *testing.T) {
	m, g := newMint(t, jose.Ed25519, jose.Ed25519), &guard{first: true}
	c := config()
	c.OneUse = g
	_, err := verifier(t, c, sourceOf()).Verify(t.Context(), m.token(t), expected)
	wantError(t, err, assertion.ErrSignature, "10.kid")
	if g.key != "" {
		t.Error("the guard was asked")
	}
}

func TestMemoryOneUse(t *testing.T) {
	m, c := newMint(t, jose.ES256, jose.ES256), config()
	m.kb["iat"], m.evt["iat"] = now.Unix()+60, now.Unix()+60 // as far ahead as possible
	c.OneUse = assertion.NewMemoryOneUse(10, c.Now)
	v, token := verifier(t, c, sourceOf(m.issuer.Public())), m.token(t)
	if _, err := v.Verify(t.Context(), token, expected); err != nil {
		t.Fatal(err)
	}
	_, err := v.Verify(t.Context(), token, expected)
	wantError(t, err, assertion.ErrReplayed, "12.one-use")
	// The signature of ECDSA is malleable: the signer can make another one.
	evt, _, _ := strings.Cut(token, "~")
	sum := sha256.Sum256([]byte(evt + "~"))
	m.kb["sd_hash"] = jose.EncodeBase64(sum[:])
	again, err := m.holder.Sign(m.kbHeader, m.kb)
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(t.Context(), evt+"~"+again, expected)
	wantError(t, err, assertion.ErrReplayed, "12.one-use")
}

// partyGuard records the party.
type partyGuard struct {
	guard
	party string
}

func (g *partyGuard) FirstUseBy(_ context.Context, party, _ string, _ time.Time) (bool, error) {
	g.party = party
	return true, nil
}

func TestOneUseParty(t *testing.T) {
	m, g := newMint(t, jose.Ed25519, jose.Ed25519), &partyGuard{}
	m.evt["email"] = "alice@dept.mail.co.uk"
	c := config()
	c.OneUse = g
	if _, err := verifier(t, c, sourceOf(m.issuer.Public())).Verify(t.Context(), m.token(t), evp.Expected{Nonce: nonce}); err != nil || g.party != "mail.co.uk" {
		t.Errorf("party %q, %v", g.party, err)
	}
}

func TestWithOrigins(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	m.kb["aud"] = "https://other.example"
	v := verifier(t, config(), sourceOf(m.issuer.Public()))
	token := m.token(t)
	_, err := v.Verify(t.Context(), token, expected)
	wantError(t, err, assertion.ErrAudience, "4.aud")
	other, err := v.WithOrigins("https://a.example", "https://other.example:443")
	if err != nil {
		t.Fatal(err)
	}
	if res, err := other.Verify(t.Context(), token, expected); err != nil || res.Audience != "https://other.example" {
		t.Error(res, err)
	}
	for _, bad := range [][]string{nil, {}, {""}, {"rp.example"}, {"https://rp.example/"}, {"https://*.rp.example"}} {
		_, err := v.WithOrigins(bad...)
		wantError(t, err, assertion.ErrMisuse, "")
	}
}

func TestMisuse(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	token, v := m.token(t), verifier(t, config(), sourceOf(m.issuer.Public()))
	call := func(v *evp.Verifier, ctx context.Context, e evp.Expected) error {
		_, err := v.Verify(ctx, token, e)
		if explained := v.Explain(ctx, token, e).Err; explained == nil || explained.Error() != err.Error() {
			t.Errorf("Explain: %v", explained)
		}
		return err
	}
	wantError(t, call(v, t.Context(), evp.Expected{Email: email}), assertion.ErrMisuse, "")
	wantError(t, call(v, nil, expected), assertion.ErrMisuse, "") //nolint:staticcheck // the test is about it
	wantError(t, call(nil, t.Context(), expected), assertion.ErrMisuse, "")
	wantError(t, call(&evp.Verifier{}, t.Context(), expected), assertion.ErrMisuse, "")
	for _, v := range []*evp.Verifier{nil, {}} {
		_, err := v.WithOrigins(site)
		wantError(t, err, assertion.ErrMisuse, "")
		_, err = v.WithOneUse(nil)
		wantError(t, err, assertion.ErrMisuse, "")
	}
}

// shortGuard keeps entries for too short a time.
type shortGuard struct{ guard }

func (shortGuard) MaxLife() time.Duration { return 7*time.Minute - 1 }

// TestNilVerifier checks the methods of a nil Verifier that return no error.
func TestNilVerifier(t *testing.T) {
	var v *evp.Verifier
	if v.OneUse() != nil || v.Now().IsZero() {
		t.Error("a guard, or no time")
	}
}

func TestConfig(t *testing.T) {
	for setting, change := range map[string]func(c *evp.Config){
		"Origins": func(c *evp.Config) { c.Origins = nil },
		"Profile": func(c *evp.Config) { c.Profile = 2 },
		"Issuers": func(c *evp.Config) { c.Issuers = []string{"https://issuer.example"} },
		"Domains": func(c *evp.Config) { c.Domains = []string{} },
		"OneUse":  func(c *evp.Config) { c.OneUse = &shortGuard{} },
		"Timeout": func(c *evp.Config) { c.Bundle, c.Timeout = nil, -1 },
		"CAFile":  func(c *evp.Config) { c.Bundle, c.CAFile = nil, "/no such file" },
		"Proxy":   func(c *evp.Config) { c.Bundle, c.Proxy = nil, "ftp://proxy.example" },

		// Interfaces with a nil pointer.
		"OneUse: a nil":            func(c *evp.Config) { c.OneUse = (*assertion.MemoryOneUse)(nil) },
		"Resolver: a nil":          func(c *evp.Config) { c.Bundle, c.Resolver = nil, (*nilResolver)(nil) },
		"InsecureTransport: a nil": func(c *evp.Config) { c.Bundle, c.InsecureTransport = nil, (*http.Transport)(nil) },
	} {
		c := config()
		change(&c)
		_, err := evp.NewVerifier(c)
		field, _, _ := strings.Cut(setting, ":")
		if e := wantError(t, err, assertion.ErrMisuse, ""); e.Setting != field || !strings.HasPrefix(e.Error(), "evp: "+setting) {
			t.Errorf("%s: setting %q, %v", setting, e.Setting, e)
		}
	}
	v, err := evp.NewVerifier(config())
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.WithOneUse(&shortGuard{})
	wantError(t, err, assertion.ErrMisuse, "")
	_, err = v.WithOneUse((*assertion.MemoryOneUse)(nil))
	wantError(t, err, assertion.ErrMisuse, "")
	if !v.Now().Equal(now) || (&evp.Verifier{}).Now().IsZero() {
		t.Error("another clock")
	}
}

// nilResolver is a resolver whose methods need a value.
type nilResolver struct{ record string }

func (r *nilResolver) LookupTXT(context.Context, string) ([]string, error) {
	return []string{r.record}, nil
}

// TestNilNetResolver checks that a nil *net.Resolver is a resolver, as package net says.
func TestNilNetResolver(t *testing.T) {
	c := config()
	c.Bundle, c.Resolver = nil, (*net.Resolver)(nil)
	if _, err := evp.NewVerifier(c); err != nil {
		t.Error(err)
	}
}

func TestProfile(t *testing.T) {
	for _, p := range []evp.Profile{evp.Default, evp.Draft02} {
		if got, err := evp.ParseProfile(p.String()); got != p || err != nil {
			t.Errorf("%s: %v, %v", p, got, err)
		}
	}
	for _, name := range []string{"", "unknown", "Default"} {
		if _, err := evp.ParseProfile(name); !errors.Is(err, evp.ErrProfile) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if evp.Profile(7).String() != "unknown" {
		t.Error("a profile that does not exist has a name")
	}
}
