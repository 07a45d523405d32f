package idptest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// TestKeyPairs verifies an assertion for each pair of keys, over TLS.
func TestKeyPairs(t *testing.T) {
	s := newServer(t)
	byKey := make(map[string]*idptest.IdP)
	for _, name := range idptest.KeyNames() {
		byKey[name] = idptest.New(strings.ToLower(name)+".example", idptest.Key(name)).At(now)
		s.Set(byKey[name].Domain, idptest.Serve(byKey[name]))
	}
	resolver := s.Resolver()
	for _, issuer := range idptest.KeyNames() {
		for _, user := range idptest.KeyNames() {
			text := byKey[issuer].Backed("alice@"+byKey[issuer].Domain, idptest.Key(user), audience)
			_, err := verify(t, assertion.Config{Keys: resolver, InsecureWeakKeys: true}, text)
			if err != nil {
				t.Errorf("issuer %s, user %s: %v", issuer, user, err)
			}
			_, err = verify(t, assertion.Config{Keys: resolver}, text)
			weak := idptest.Key(issuer).Public().Weak() || idptest.Key(user).Public().Weak()
			if (err != nil) != weak {
				t.Errorf("issuer %s, user %s, without InsecureWeakKeys: %v", issuer, user, err)
			}
		}
	}
}

// TestKeys checks that the keys have the algorithm in their names, and all differ.
func TestKeys(t *testing.T) {
	seen := make(map[string]string)
	algorithms := make(map[string]bool)
	for _, name := range idptest.KeyNames() {
		key := idptest.Key(name)
		alg, _, _ := strings.Cut(name, "-")
		if key.Algorithm() != alg {
			t.Errorf("%s is a key for %s", name, key.Algorithm())
		}
		if other, ok := seen[string(key.Public().Canonical())]; ok {
			t.Errorf("%s is %s", name, other)
		}
		seen[string(key.Public().Canonical())] = name
		algorithms[alg] = true
	}
	for _, alg := range keys.Algorithms() {
		if !algorithms[alg] {
			t.Errorf("no key for %s", alg)
		}
	}
}

// changedTokens are changes of a certificate or an assertion.
var changedTokens = map[string]struct {
	change func(idptest.Token) idptest.Token
	want   error
}{
	"nothing": {func(t idptest.Token) idptest.Token { return t }, nil},
	"alg of another key": {func(t idptest.Token) idptest.Token {
		t.Alg = "DS256"
		return t
	}, assertion.ErrAlgorithm},
	"alg none": {func(t idptest.Token) idptest.Token {
		t.Alg, t.Key = "none", nil
		return t
	}, assertion.ErrAlgorithm},
	"two members alg": {func(t idptest.Token) idptest.Token {
		t.Header = idptest.Raw(`{"alg":"` + t.Key.Algorithm() + `","alg":"none"}`)
		return t
	}, assertion.ErrMalformed},
	"header with crit": {func(t idptest.Token) idptest.Token { return t.WithHeader("crit", []string{"exp"}) }, assertion.ErrMalformed},
	"header with kid":  {func(t idptest.Token) idptest.Token { return t.WithHeader("kid", "1") }, nil},
	"expired":          {func(t idptest.Token) idptest.Token { return t.With("exp", now.UnixMilli()-1) }, assertion.ErrExpired},
	"not yet valid":    {func(t idptest.Token) idptest.Token { return t.With("nbf", now.UnixMilli()+1) }, assertion.ErrNotYetValid},
	"no exp":           {func(t idptest.Token) idptest.Token { return t.Without("exp") }, assertion.ErrMalformed},
	"exp as text":      {func(t idptest.Token) idptest.Token { return t.With("exp", "2000000000000") }, nil},
	"claims with a BOM": {func(t idptest.Token) idptest.Token {
		t.Claims = idptest.Raw("\ufeff" + string(t.Claims.(idptest.Object).JSON()))
		return t
	}, assertion.ErrMalformed},
	"text after the claims": {func(t idptest.Token) idptest.Token {
		t.Claims = idptest.Raw(string(t.Claims.(idptest.Object).JSON()) + "{}")
		return t
	}, assertion.ErrMalformed},
	"invalid UTF-8": {func(t idptest.Token) idptest.Token {
		t.Claims = idptest.Raw("{\"a\":\"\xff\"," + string(t.Claims.(idptest.Object).JSON()[1:]))
		return t
	}, assertion.ErrMalformed},
	"other key signs": {func(t idptest.Token) idptest.Token {
		t.Key = idptest.Key(t.Key.Algorithm() + "-2")
		return t
	}, assertion.ErrSignature},
	"no signature": {func(t idptest.Token) idptest.Token {
		t.Sign = func([]byte) ([]byte, error) { return nil, nil }
		return t
	}, assertion.ErrSignature},
}

func TestChangedTokens(t *testing.T) {
	for name, c := range changedTokens {
		t.Run(name, func(t *testing.T) {
			for _, user := range []string{"RS256", "DS128"} {
				certified, asserted := tokens("RS128", user)
				check(t, "certificate", c.want, c.change(certified), asserted)
				certified, asserted = tokens("DS128", user)
				check(t, "certificate signed with DSA", c.want, c.change(certified), asserted)
				check(t, "assertion", c.want, certified, c.change(asserted))
			}
		})
	}
}

func TestChangedClaims(t *testing.T) {
	user := idptest.Key("RS256")
	for name, c := range map[string]struct {
		certificate func(idptest.Token) idptest.Token
		assertion   func(idptest.Token) idptest.Token
		want        error
	}{
		"other audience": {assertion: func(t idptest.Token) idptest.Token { return t.With("aud", "https://other.example") }, want: assertion.ErrAudience},
		"no audience":    {assertion: func(t idptest.Token) idptest.Token { return t.Without("aud") }, want: assertion.ErrMalformed},
		"other issuer":   {certificate: func(t idptest.Token) idptest.Token { return t.With("iss", "other.example") }, want: assertion.ErrIssuer},
		"no issuer":      {certificate: func(t idptest.Token) idptest.Token { return t.Without("iss") }, want: assertion.ErrMalformed},
		"no principal":   {certificate: func(t idptest.Token) idptest.Token { return t.Without("principal") }, want: assertion.ErrIssuer},
		"no key":         {certificate: func(t idptest.Token) idptest.Token { return t.Without("public-key") }, want: assertion.ErrKey},
		"pubkey": {certificate: func(t idptest.Token) idptest.Token {
			return t.Without("public-key").With("pubkey", user.Public())
		}},
		"key as JWK": {certificate: func(t idptest.Token) idptest.Token {
			return t.With("public-key", idptest.JWK(user.Public()))
		}},
		"even modulus": {certificate: func(t idptest.Token) idptest.Token {
			key := idptest.Legacy(user.Public())
			return t.With("public-key", key.With("n", key["n"].(string)+"0"))
		}, want: assertion.ErrKey},
		"sub": {certificate: func(t idptest.Token) idptest.Token {
			return t.Without("principal").With("sub", email)
		}},
		"raw principal": {certificate: func(t idptest.Token) idptest.Token {
			return t.With("principal", idptest.Raw(`{"email":"a@idp.example","\u0065mail":"b@idp.example"}`))
		}, want: assertion.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			certified, asserted := tokens("RS256", "RS256")
			if c.certificate != nil {
				certified = c.certificate(certified)
			}
			if c.assertion != nil {
				asserted = c.assertion(asserted)
			}
			check(t, name, c.want, certified, asserted)
		})
	}
}

// tokens returns a valid certificate and a valid assertion.
func tokens(issuer, user string) (certificate, assertion idptest.Token) {
	idp := idptest.New("idp.example", idptest.Key(issuer)).At(now)
	key := idptest.Key(user)
	return idp.Certificate(email, key.Public()), idp.Assertion(audience, key)
}

func check(t *testing.T, what string, want error, certified, asserted idptest.Token) {
	t.Helper()
	idp := idptest.New("idp.example", idptest.Key("RS256"), idptest.Key("RS128"), idptest.Key("DS128")).At(now)
	_, err := verify(t, assertion.Config{Keys: static(t, idp)}, idptest.Backed(certified, asserted))
	if want != nil {
		wantClass(t, err, want)
	} else if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestEncodeErrors(t *testing.T) {
	token, _ := tokens("RS256", "RS256")
	if text, err := token.With("a", func() {}).Encode(); err == nil {
		t.Errorf("a function as claim: %q", text)
	}
}

// TestDeterminism checks that equal recipes have equal text, and that a change is a copy.
func TestDeterminism(t *testing.T) {
	for _, name := range idptest.KeyNames() {
		idp := idptest.New("idp.example", idptest.Key(name)).At(now)
		first, second := idp.Backed(email, idptest.Key(name), audience), idp.Backed(email, idptest.Key(name), audience)
		if first != second {
			t.Errorf("%s: the texts differ", name)
		}
	}
	token, _ := tokens("DS128", "DS128")
	before := token.String()
	token.With("a", 1).Without("exp").WithHeader("kid", "1")
	if token.String() != before {
		t.Error("the original changed")
	}
	if diff := cmp.Diff(`{"a":{"x":1,"x":2},"b":[]}`, string(idptest.Object{"b": []int{}, "a": idptest.Raw(`{"x":1,"x":2}`)}.JSON())); diff != "" {
		t.Error(diff)
	}
}

// TestChain verifies a chain: the issuer certifies a host, which certifies the user.
func TestChain(t *testing.T) {
	root := idptest.New("idp.example").At(now)
	second := idptest.New("signer.example", idptest.Key("DS256")).At(now)
	user := idptest.Key("DS128")
	text := idptest.Backed(
		root.HostCertificate(second.Domain, second.Keys[0].Public()),
		second.Certificate(email, user.Public()), root.Assertion(audience, user))
	r, err := verify(t, assertion.Config{Keys: static(t, root), MaxChain: 2}, text)
	if err != nil || r.Issuer != root.Domain || r.Email != email {
		t.Errorf("%v, %v", r, err)
	}
}
