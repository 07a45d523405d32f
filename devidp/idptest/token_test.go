package idptest_test

import (
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// TestKeyPairs verifies, over TLS, an assertion for each pair of keys.
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

// TestKeys: the keys are what their names say, and all different.
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

// inBoth are faults of any token.
var inBoth = map[string]struct {
	spoil func(idptest.Token) idptest.Token
	want  error
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
	"header that hides another": {func(t idptest.Token) idptest.Token {
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
	"claims and more": {func(t idptest.Token) idptest.Token {
		t.Claims = idptest.Raw(string(t.Claims.(idptest.Object).JSON()) + "{}")
		return t
	}, assertion.ErrMalformed},
	"invalid UTF-8": {func(t idptest.Token) idptest.Token {
		t.Claims = idptest.Raw("{\"a\":\"\xff\"," + string(t.Claims.(idptest.Object).JSON()[1:]))
		return t
	}, assertion.ErrMalformed},
	"other text signed": {func(t idptest.Token) idptest.Token {
		t.Message = t.With("exp", 0).Sent()
		return t
	}, assertion.ErrSignature},
	"other key signs": {func(t idptest.Token) idptest.Token {
		t.Key = idptest.Key(t.Key.Algorithm() + "-2")
		return t
	}, assertion.ErrSignature},
	"no signature": {func(t idptest.Token) idptest.Token {
		t.Sign = func([]byte) ([]byte, error) { return nil, nil }
		return t
	}, assertion.ErrSignature},
	"flipped first bit": {altered(idptest.FlipBit(0)), assertion.ErrSignature},
	"flipped high bit":  {altered(idptest.FlipBit(300)), assertion.ErrSignature},
	"byte behind":       {altered(idptest.AppendZeros(1)), assertion.ErrSignature},
	"byte in front":     {altered(idptest.PrependZeros(1)), assertion.ErrSignature},
	"byte less":         {altered(idptest.Truncate(1)), assertion.ErrSignature},
	"other signature":   {altered(idptest.Replace([]byte{1, 2, 3})), assertion.ErrSignature},
	"two changes":       {altered(idptest.Then(idptest.Truncate(1), idptest.AppendZeros(1), idptest.FlipBit(1))), assertion.ErrSignature},
	"newline in header": {encoded(idptest.Insert(4, "\n"), nil, nil), assertion.ErrMalformed},
	"newline at end":    {encoded(nil, nil, idptest.Insert(-1, "\n")), assertion.ErrMalformed},
	"verbatim header":   {encoded(idptest.Verbatim, nil, nil), assertion.ErrMalformed},
	"padding":           {encoded(idptest.Insert(-1, "="), nil, nil), assertion.ErrMalformed},
}

func altered(a idptest.Alteration) func(idptest.Token) idptest.Token {
	return func(t idptest.Token) idptest.Token {
		t.Alter = a
		return t
	}
}

func encoded(header, claims, signature idptest.Encoding) func(idptest.Token) idptest.Token {
	return func(t idptest.Token) idptest.Token {
		t.HeaderEncoding, t.ClaimsEncoding, t.SignatureEncoding = header, claims, signature
		return t
	}
}

func TestSpoiledTokens(t *testing.T) {
	for name, c := range inBoth {
		t.Run(name, func(t *testing.T) {
			for _, user := range []string{"RS256", "DS128"} {
				certified, asserted := tokens("RS128", user)
				check(t, "certificate", c.want, c.spoil(certified), asserted)
				certified, asserted = tokens("DS128", user)
				check(t, "certificate by DSA", c.want, c.spoil(certified), asserted)
				check(t, "assertion", c.want, certified, c.spoil(asserted))
			}
		})
	}
}

func TestSpoiledClaims(t *testing.T) {
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
			check(t, "it", c.want, certified, asserted)
		})
	}
}

// tokens gives a certificate and an assertion that are right.
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

func TestEncodings(t *testing.T) {
	for name, c := range map[string]struct {
		encoding idptest.Encoding
		data     string
		want     string
	}{
		"padded once":       {idptest.Padded, "ab", "YWI="},
		"padded twice":      {idptest.Padded, "a", "YQ=="},
		"padded, no need":   {idptest.Padded, "abc", ""},
		"alphabet":          {idptest.StandardAlphabet, "\xfb\xff", "+/8"},
		"alphabet, no need": {idptest.StandardAlphabet, "a", ""},
		"loose four bits":   {idptest.LooseBits, "a", "Yf"},
		"loose two bits":    {idptest.LooseBits, "ab", "YWL"},
		"no loose bits":     {idptest.LooseBits, "abc", ""},
		"insert":            {idptest.Insert(1, " "), "ab", "Y WI"},
		"insert at the end": {idptest.Insert(-1, "\n"), "ab", "YWI\n"},
		"insert far away":   {idptest.Insert(99, "\n"), "ab", "YWI\n"},
		"verbatim":          {idptest.Verbatim, "ab", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := idptest.Token{Header: idptest.Raw(c.data), Claims: idptest.Object{}, HeaderEncoding: c.encoding}.Encode()
			if c.want == "" {
				wantClass(t, err, idptest.ErrNoEffect)
				return
			}
			if want := c.want + ".e30."; token != want || err != nil {
				t.Errorf("%q, %v; want %q", token, err, want)
			}
		})
	}
}

// TestDeterminism: equal recipes give equal text, and a change is a copy.
func TestDeterminism(t *testing.T) {
	for _, name := range idptest.KeyNames() {
		idp := idptest.New("idp.example", idptest.Key(name)).At(now)
		first, second := idp.Backed(email, idptest.Key(name), audience), idp.Backed(email, idptest.Key(name), audience)
		if first != second {
			t.Errorf("%s: two texts", name)
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

func TestEncodeErrors(t *testing.T) {
	good, _ := tokens("RS256", "RS256")
	unmarshalable := good.With("a", func() {})
	if text, err := unmarshalable.Encode(); err == nil {
		t.Errorf("a function as claim: %q", text)
	}
	still := good
	still.Alter = idptest.PrependZeros(0)
	_, err := still.Encode()
	wantClass(t, err, idptest.ErrNoEffect)
	if _, err := good.Until(func([]byte) bool { return true }); err != nil {
		t.Error(err)
	}
	if _, err := unmarshalable.Until(func([]byte) bool { return true }); err == nil {
		t.Error("Until made a token of a function")
	}
}

// TestStrippedZeros: a shorter signature is the same number.
func TestStrippedZeros(t *testing.T) {
	for _, user := range []string{"RS128", "RS256", "RS256-2047", "DS128", "DS256"} {
		certified, asserted := tokens("RS256", user)
		asserted, err := asserted.Until(func(signature []byte) bool { return signature[0] == 0 })
		if err != nil {
			t.Fatal(err)
		}
		full := asserted.String()
		asserted.Alter = idptest.StripZeros
		if len(asserted.String()) >= len(full) {
			t.Error("nothing was stripped")
		}
		check(t, user, nil, certified, asserted)
	}
}

func TestScalars(t *testing.T) {
	key := idptest.Key("DS256").Public()
	q, ok := new(big.Int).SetString(idptest.Legacy(key)["q"].(string), 16)
	if !ok {
		t.Fatal("no q")
	}
	zero, one := big.NewInt(0), big.NewInt(1)
	for name, c := range map[string]struct {
		alter idptest.Alteration
		want  error
	}{
		"r 0":      {idptest.Scalars(key, zero, one), assertion.ErrSignature},
		"s 0":      {idptest.Scalars(key, one, zero), assertion.ErrSignature},
		"r 1, s q": {idptest.Scalars(key, one, q), assertion.ErrSignature},
		"r + q":    {idptest.AlterScalars(key, func(r, _, q *big.Int) { r.Add(r, q) }), assertion.ErrSignature},
		"s + 1":    {idptest.AlterScalars(key, func(_, s, _ *big.Int) { s.Add(s, one) }), assertion.ErrSignature},
		"s + q":    {idptest.AlterScalars(key, func(_, s, q *big.Int) { s.Add(s, q) }), assertion.ErrSignature},
		"q - s":    {idptest.AlterScalars(key, func(_, s, q *big.Int) { s.Sub(q, s) }), assertion.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			certified, asserted := tokens("RS256", "DS256")
			asserted.Alter = c.alter
			check(t, "it", c.want, certified, asserted)
		})
	}
}

// TestForgeries signs encoded messages that are almost right.
func TestForgeries(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*idptest.PKCS1)
		want error
	}{
		"none":           {func(*idptest.PKCS1) {}, nil},
		"block type 2":   {func(m *idptest.PKCS1) { m.Head = []byte{0, 2} }, assertion.ErrSignature},
		"short padding":  {func(m *idptest.PKCS1) { m.Padding = 8 }, assertion.ErrSignature},
		"other padding":  {func(m *idptest.PKCS1) { m.Filler = 0xfe }, assertion.ErrSignature},
		"no separator":   {func(m *idptest.PKCS1) { m.Separator = nil }, assertion.ErrSignature},
		"no digest info": {func(m *idptest.PKCS1) { m.DigestInfo = nil }, assertion.ErrSignature},
		"garbage at end": {func(m *idptest.PKCS1) { m.Padding, m.Tail = 8, []byte("garbage") }, assertion.ErrSignature},
		"parameters left": {func(m *idptest.PKCS1) {
			m.DigestInfo = []byte("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20")
		}, assertion.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			for _, user := range []string{"RS128", "RS256", "RS256-2047"} {
				certified, asserted := tokens("RS256", user)
				asserted.Sign = idptest.RSASigner(idptest.Key(user), c.edit)
				check(t, user, c.want, certified, asserted)
			}
		})
	}
}

// TestRSASigner: without an edit it is the key's own signature.
func TestRSASigner(t *testing.T) {
	for _, name := range idptest.KeyNames() {
		if !strings.HasPrefix(name, "RS") {
			continue
		}
		own, err := idptest.Key(name).Sign([]byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := idptest.RSASigner(idptest.Key(name), func(*idptest.PKCS1) {})([]byte("message"))
		if err != nil || !slices.Equal(raw, own) {
			t.Errorf("%s: another signature, %v", name, err)
		}
	}
}

// TestAddModulus: the sum is right modulo n, and refused at either length.
func TestAddModulus(t *testing.T) {
	for _, user := range []string{"RS128", "RS256", "RS256-2047"} {
		certified, asserted := tokens("RS256", user)
		plain := signatureOf(t, asserted)
		asserted.Alter = idptest.AddModulus(idptest.Key(user).Public())
		sum := signatureOf(t, asserted)
		n, ok := new(big.Int).SetString(idptest.Legacy(idptest.Key(user).Public())["n"].(string), 10)
		if difference := new(big.Int).Sub(sum, plain); !ok || difference.Cmp(n) != 0 {
			t.Errorf("%s: not n was added", user)
		}
		check(t, user, assertion.ErrSignature, certified, asserted)
	}
}

func signatureOf(t *testing.T, token idptest.Token) *big.Int {
	t.Helper()
	text := token.String()
	signature, err := base64.RawURLEncoding.DecodeString(text[strings.LastIndexByte(text, '.')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(signature)
}

// TestChain: a host certifies a host, which certifies the user.
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
