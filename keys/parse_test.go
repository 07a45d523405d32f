package keys_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/keys"
)

// TestForms checks that all forms of a key have the same canonical text.
func TestForms(t *testing.T) {
	r, ds := rsaOf(2048), dsaKeys()[0]
	groups := map[string][]object{
		"RS256": {
			{"algorithm": "RS", "n": r.n.String(), "e": r.e.String()},
			{"algorithm": "RS", "n": "000" + r.n.String(), "e": "00" + r.e.String()},
			{"algorithm": "RS", "n": r.n.String(), "e": r.e.String(), "kid": 1, "use": nil, "version": "2012.08.15", "d": true},
			{"kty": "RSA", "n": b64(r.n), "e": b64(r.e)},
			{"kty": "RSA", "n": "AAAA" + b64(r.n), "e": "AAAA" + b64(r.e)},
			{"kty": "RSA", "n": b64(r.n) + "==", "e": "AQAB", "alg": "none", "use": "enc", "p": "?"},
			{"kty": "RSA", "n": b64(r.n) + "=", "e": "AQAB="},
		},
		"DS128": {
			ds.public(),
			ds.public().with("p", strings.ToUpper(ds.p.Text(16)), "y", "0"+strings.ToUpper(ds.y.Text(16))),
			{"kty": "DSA", "p": b64(ds.p), "q": b64(ds.q), "g": b64(ds.g), "y": b64(ds.y)},
			{"kty": "DSA", "p": b64(ds.p) + "=", "q": b64(ds.q) + "=", "g": b64(ds.g) + "=", "y": b64(ds.y) + "=", "x": 7},
		},
	}
	for name, forms := range groups {
		want := mustPublic(t, forms[0]).Canonical()
		for _, form := range forms {
			k, err := keys.ParsePublicKey(form.json())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if k.Algorithm() != name || k.Weak() || !bytes.Equal(k.Canonical(), want) {
				t.Errorf("%s: read as %s", form.json(), k.Canonical())
			}
		}
	}
}

// TestRSASizes checks the sizes and ranges of PROTOCOL §2.
func TestRSASizes(t *testing.T) {
	type result struct {
		name string
		weak bool
	}
	good := map[int]result{
		511: {"RS64", true}, 512: {"RS64", true}, 1023: {"RS128", true}, 1024: {"RS128", false},
		2047: {"RS256", false}, 2048: {"RS256", false}, 3072: {"RS256", false}, 4095: {"RS256", false}, 4096: {"RS256", false},
	}
	for _, bits := range []int{1, 2, 64, 510, 511, 512, 513, 768, 1022, 1023, 1024, 1025, 1536, 2046, 2047, 2048, 3072, 4095, 4096} {
		legacy := object{"algorithm": "RS", "n": oddOf(bits).String(), "e": "65537"}
		jwk := object{"kty": "RSA", "n": b64(oddOf(bits)), "e": "AQAB"}
		for _, o := range []object{legacy, jwk} {
			k, err := keys.InsecureParsePublicKey(o.json())
			want, ok := good[bits]
			if !ok {
				if k != nil || !errors.Is(err, keys.ErrMalformed) {
					t.Errorf("%d bits: %v", bits, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%d bits: %v", bits, err)
				continue
			}
			if got := (result{k.Algorithm(), k.Weak()}); got != want {
				t.Errorf("%d bits: got %v, want %v", bits, got, want)
			}
			k, err = keys.ParsePublicKey(o.json())
			if want.weak != errors.Is(err, keys.ErrWeak) || (k == nil) != (err != nil) || errors.Is(err, keys.ErrMalformed) {
				t.Errorf("%d bits: %v", bits, err)
			}
		}
	}
}

// TestRSATooLarge tests keys that are refused only for their size, and the largest that are
// accepted. The error does not match ErrMalformed: a document with such a key is valid.
func TestRSATooLarge(t *testing.T) {
	absurd := new(big.Int).Lsh(big.NewInt(1), 4096)
	for name, c := range map[string]struct {
		n, e  *big.Int
		class error // nil if the key is usable
	}{
		"4096 bits":                {oddOf(4096), big.NewInt(65537), nil},
		"4097 bits":                {oddOf(4097), big.NewInt(65537), keys.ErrTooLarge},
		"4097 bits, even":          {plus(oddOf(4097), 1), big.NewInt(65537), keys.ErrTooLarge},
		"4100 bits":                {oddOf(4100), big.NewInt(3), keys.ErrTooLarge},
		"8192 bits":                {oddOf(8192), big.NewInt(65537), keys.ErrTooLarge},
		"8192 bits, e is 2":        {oddOf(8192), big.NewInt(2), keys.ErrTooLarge},
		"8193 bits":                {oddOf(8193), big.NewInt(65537), keys.ErrTooLarge},
		"100 000 bits":             {oddOf(100_000), big.NewInt(65537), keys.ErrTooLarge},
		"2048 bits, large e":       {oddOf(2048), big.NewInt(1<<31 - 1), nil},
		"2048 bits, larger e":      {oddOf(2048), big.NewInt(1<<31 + 1), keys.ErrMalformed},
		"2048 bits, e of 4096":     {oddOf(2048), plus(absurd, -1), keys.ErrMalformed},
		"2048 bits, e of 4097":     {oddOf(2048), plus(absurd, 1), keys.ErrTooLarge},
		"512 bits, e of 4097":      {oddOf(512), plus(absurd, 1), keys.ErrTooLarge},
		"1536 bits, large e":       {oddOf(1536), big.NewInt(1<<31 - 1), keys.ErrMalformed},
		"2049 bits, large e":       {oddOf(2049), big.NewInt(1<<31 - 1), keys.ErrTooLarge},
		"2049 bits, e of 65537":    {oddOf(2049), big.NewInt(65537), nil},
		"2049 bits, e of 65539":    {oddOf(2049), big.NewInt(65539), keys.ErrTooLarge},
		"3072 bits, larger e":      {oddOf(3072), big.NewInt(1<<31 + 1), keys.ErrTooLarge},
		"4096 bits, all ones in e": {oddOf(4096), big.NewInt(65535), nil},
	} {
		legacy := object{"algorithm": "RS", "n": c.n.String(), "e": c.e.String(), "d": "5"}
		jwk := object{"kty": "RSA", "n": b64(c.n), "e": b64(c.e), "d": "BQ"}
		padded := jwk.with("n", "AAAAAAAA"+b64(c.n)+"=")
		zeros := legacy.with("n", strings.Repeat("0", 5000)+c.n.String(), "e", strings.Repeat("0", 5000)+c.e.String())
		for form, o := range map[string]object{"legacy": legacy, "JWK": jwk, "JWK, zeros": padded, "legacy, zeros": zeros} {
			for what, parse := range parsers {
				k, err := parse(o.json())
				private := strings.Contains(what, "private")
				switch {
				case c.class != nil:
					if k != nil || !errors.Is(err, c.class) || errors.Is(err, keys.ErrMalformed) != (c.class == keys.ErrMalformed) {
						t.Errorf("%s: %s: %s: %v", name, form, what, err)
					}
				case private && !errors.Is(err, keys.ErrMalformed), !private && err != nil: // d does not fit
					t.Errorf("%s: %s: %s: %v", name, form, what, err)
				}
			}
		}
	}
}

// TestRSATooLargeFirst checks the order of the checks: the notation of the numbers, then
// their size, then everything else.
func TestRSATooLargeFirst(t *testing.T) {
	long := strings.Repeat("7", 5000)
	for text, class := range map[string]error{
		`{"algorithm":"RS","n":"` + long + `x","e":"3"}`: keys.ErrMalformed,
		`{"algorithm":"RS","n":7,"e":"` + long + `"}`:    keys.ErrMalformed,
		`{"algorithm":"RS","n":"9","e":"` + long + `"}`:  keys.ErrTooLarge,
		`{"kty":"RSA","n":"` + long + `!","e":"AQAB"}`:   keys.ErrMalformed,
		`{"kty":"RSA","n":"` + long + `","e":"AQAB"}`:    keys.ErrTooLarge,
	} {
		if k, err := keys.InsecureParsePublicKey([]byte(text)); k != nil || !errors.Is(err, class) {
			t.Errorf("%.40s…: %v", text, err)
		}
	}
}

func TestRSAExponent(t *testing.T) {
	for e, ok := range map[string]bool{
		"0": false, "1": false, "2": false, "3": true, "4": false, "5": true, "65536": false, "65537": true,
		"2147483645": true, "2147483646": false, "2147483647": true, "2147483648": false, "2147483649": false,
		"4294967297": false, "18446744073709551617": false,
	} {
		for _, bits := range []int{512, 2048} {
			k, err := keys.InsecureParsePublicKey(object{"algorithm": "RS", "n": oddOf(bits).String(), "e": e}.json())
			if ok != (err == nil) || ok != (k != nil) || !ok && !errors.Is(err, keys.ErrMalformed) {
				t.Errorf("e = %s: %v", e, err)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	r, ds, big256 := rsaOf(2048), dsaKeys()[0], dsaKeys()[1]
	legacy := object{"algorithm": "RS", "n": r.n.String(), "e": "65537"}
	jwk := object{"kty": "RSA", "n": b64(r.n), "e": "AQAB"}
	dsa := ds.public()
	for name, o := range map[string]object{
		"no kind":            {"n": r.n.String(), "e": "65537"},
		"both kinds":         legacy.with("kty", "RSA"),
		"both kinds, agreed": dsa.with("kty", "DS"),
		"kty a number":       jwk.with("kty", 1),
		"algorithm null":     {"algorithm": nil, "n": "1", "e": "3"},
		"algorithm an array": legacy.with("algorithm", []string{"RS"}),

		"no n":          legacy.with("n", nil),
		"no e":          legacy.with("e", nil),
		"n a number":    legacy.with("n", 12345),
		"e a number":    legacy.with("e", 65537),
		"e an object":   jwk.with("e", object{}),
		"names' case":   legacy.with("n", nil, "N", r.n.String()),
		"n even":        legacy.with("n", plus(r.n, 1).String()),
		"n even, weak":  legacy.with("n", plus(oddOf(512), 1).String()),
		"n hexadecimal": legacy.with("n", r.n.Text(16)),

		"decimal, empty":      legacy.with("e", ""),
		"decimal, plus":       legacy.with("e", "+65537"),
		"decimal, minus":      legacy.with("e", "-65537"),
		"decimal, space":      legacy.with("e", " 65537"),
		"decimal, newline":    legacy.with("e", "65537\n"),
		"decimal, underscore": legacy.with("e", "65_537"),
		"decimal, prefix":     legacy.with("e", "0x10001"),
		"decimal, exponent":   legacy.with("e", "3e0"),
		"decimal, fraction":   legacy.with("e", "3.0"),
		"decimal, Arabic":     legacy.with("e", "٣"),
		"decimal, NUL":        legacy.with("e", "3\x00"),

		"base64url, empty":           jwk.with("e", ""),
		"base64url, padding only":    jwk.with("e", "===="),
		"base64url, one digit":       jwk.with("e", "A"),
		"base64url, five digits":     jwk.with("e", "AQABA"),
		"base64url, standard":        jwk.with("n", strings.NewReplacer("-", "+", "_", "/").Replace(b64(r.n))),
		"base64url, newline":         jwk.with("e", "AQ\nAB"),
		"base64url, newline at end":  jwk.with("e", "AQAB\n"),
		"base64url, carriage return": jwk.with("e", "\rAQAB"),
		"base64url, space":           jwk.with("e", "AQAB "),
		"base64url, unused bits":     jwk.with("e", "Ax"), // 3 and a bit
		"base64url, needless ====":   jwk.with("e", "AQAB===="),
		"base64url, too much":        jwk.with("e", "Aw==="),
		"base64url, = inside":        jwk.with("e", "Aw==AAAA"),
		"base64url, decimal":         jwk.with("n", r.n.String()),

		"hexadecimal, empty":      dsa.with("g", ""),
		"hexadecimal, prefix":     dsa.with("g", "0x"+ds.g.Text(16)),
		"hexadecimal, minus":      dsa.with("g", "-"+ds.g.Text(16)),
		"hexadecimal, letter g":   dsa.with("g", "g"+ds.g.Text(16)),
		"hexadecimal, underscore": dsa.with("g", "1_2"),

		"DSA, no p":          dsa.with("p", nil),
		"DSA, no q":          dsa.with("q", nil),
		"DSA, no g":          dsa.with("g", nil),
		"DSA, no y":          dsa.with("y", nil),
		"DSA, x for y":       dsa.with("y", nil, "x", "0"),
		"DSA, p even":        dsa.with("p", plus(ds.p, 1).Text(16)),
		"DSA, q even":        dsa.with("q", plus(ds.q, 1).Text(16)),
		"DSA, p 1023":        dsa.with("p", oddOf(1023).Text(16), "g", "2", "y", "2"),
		"DSA, p 1025":        dsa.with("p", oddOf(1025).Text(16)),
		"DSA, p 0":           dsa.with("p", "0"),
		"DSA, q 159":         dsa.with("q", oddOf(159).Text(16)),
		"DSA, q 161":         dsa.with("q", oddOf(161).Text(16)),
		"DSA, q 1":           dsa.with("q", "1"),
		"DSA, p 1024, q 256": dsa.with("q", big256.q.Text(16)),
		"DSA, p 2048, q 160": big256.public().with("q", ds.q.Text(16)),
		"DSA, p 2048, q 224": big256.public().with("q", oddOf(224).Text(16)),
		"DSA, p 3072, q 256": big256.public().with("p", oddOf(3072).Text(16)),
		"DSA, g 0":           dsa.with("g", "0"),
		"DSA, g 1":           dsa.with("g", "1"),
		"DSA, g p":           dsa.with("g", ds.p.Text(16)),
		"DSA, g p+1":         dsa.with("g", plus(ds.p, 1).Text(16)),
		"DSA, y 0":           dsa.with("y", "0"),
		"DSA, y 1":           dsa.with("y", "01"),
		"DSA, y p":           dsa.with("y", ds.p.Text(16)),
		"DSA, y p+2":         dsa.with("y", plus(ds.p, 2).Text(16)),
	} {
		for what, parse := range parsers {
			if k, err := parse(o.json()); k != nil || !errors.Is(err, keys.ErrMalformed) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
	}
	for name, o := range map[string]object{
		"g 2":   dsa.with("g", "2"),
		"g p-1": dsa.with("g", plus(ds.p, -1).Text(16)),
		"y 2":   dsa.with("y", "2"),
		"y p-1": dsa.with("y", plus(ds.p, -1).Text(16)),
	} {
		k, err := keys.ParsePublicKey(o.json())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := k.Validate(); !errors.Is(err, keys.ErrMalformed) {
			t.Errorf("%s is in the group: %v", name, err)
		}
	}
}

// parsers are the functions to test. Their keys are nil only if the interface is nil, so
// that a typed nil pointer fails the tests.
var parsers = map[string]func([]byte) (any, error){
	"public":           func(b []byte) (any, error) { return anyOf(keys.ParsePublicKey(b)) },
	"insecure":         func(b []byte) (any, error) { return anyOf(keys.InsecureParsePublicKey(b)) },
	"private":          func(b []byte) (any, error) { return anyOf(keys.ParsePrivateKey(b)) },
	"insecure private": func(b []byte) (any, error) { return anyOf(keys.InsecureParsePrivateKey(b)) },
}

func anyOf[K comparable](k K, err error) (any, error) {
	var none K
	if k == none {
		return nil, err
	}
	return k, err
}

func TestNotStrictJSON(t *testing.T) {
	for _, text := range []string{
		``, `null`, `[]`, `"RS"`, `{`, `{}`, `{"algorithm":"RS"`, `{"algorithm":"RS","n":"1","e":"3"}x`,
		`{"algorithm":"RS","algorithm":"RS","n":"1","e":"3"}`, `{"algorithm":"RS","n":"1","\u006e":"1","e":"3"}`,
		"{\"algorithm\":\"\xff\"}", `{"kid":{"a":1,"a":2},"kty":"EC"}`,
	} {
		for what, parse := range parsers {
			if k, err := parse([]byte(text)); k != nil || !errors.Is(err, keys.ErrMalformed) {
				t.Errorf("%q: %s: %v", text, what, err)
			}
		}
	}
}

func TestUnknownType(t *testing.T) {
	for _, text := range []string{
		`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, `{"kty":"oct","k":"AA"}`, `{"kty":"RS"}`, `{"kty":"rsa"}`, `{"kty":"DS"}`, `{"kty":""}`,
		`{"algorithm":"RSA"}`, `{"algorithm":"DSA"}`, `{"algorithm":"RS256"}`, `{"algorithm":"rs"}`, `{"algorithm":""}`,
	} {
		for what, parse := range parsers {
			if k, err := parse([]byte(text)); k != nil || !errors.Is(err, keys.ErrUnknownType) || errors.Is(err, keys.ErrMalformed) {
				t.Errorf("%s: %s: %v", text, what, err)
			}
		}
	}
}

// TestEscapes checks that names and values are compared after unescaping.
func TestEscapes(t *testing.T) {
	text := fmt.Sprintf(`{"\u0061lgorithm":"\u0052S","n":"%d","e":"\u0033"}`, rsaOf(2048).n)
	if _, err := keys.ParsePublicKey([]byte(text)); err != nil {
		t.Error(err)
	}
}

// TestLongNumbers checks that long numbers are refused before they are converted, because
// the time of a conversion is not linear. Leading zeros do not count.
func TestLongNumbers(t *testing.T) {
	start := time.Now()
	long := strings.Repeat("7", 8<<20)
	if _, err := keys.InsecureParsePublicKey([]byte(`{"algorithm":"RS","e":"3","n":"` + long + `"}`)); !errors.Is(err, keys.ErrTooLarge) {
		t.Error(err)
	}
	if d := time.Since(start); d > 20*time.Second { // a conversion takes minutes
		t.Errorf("took %v", d)
	}

	long = strings.Repeat("7", 32<<10)
	for _, c := range []struct {
		kind  object
		class error
	}{
		{object{"algorithm": "RS"}, keys.ErrTooLarge}, {object{"kty": "RSA"}, keys.ErrTooLarge},
		{object{"algorithm": "DS"}, keys.ErrMalformed}, {object{"kty": "DSA"}, keys.ErrMalformed},
	} {
		o := c.kind.with("n", long, "e", long, "p", long, "q", long, "g", long, "y", long)
		if _, err := keys.InsecureParsePublicKey(o.json()); !errors.Is(err, c.class) {
			t.Errorf("%v: %v", c.kind, err)
		}
	}
	zeros := strings.Repeat("0", 32<<10)
	if _, err := keys.ParsePublicKey(object{"algorithm": "RS", "n": zeros + rsaOf(2048).n.String(), "e": zeros + "3"}.json()); err != nil {
		t.Error(err)
	}
}

func TestPublicRoundTrip(t *testing.T) {
	var all []keys.PublicKey
	for _, k := range usable() {
		all = append(all, k.public(t))
	}
	for _, k := range dsaKeys() {
		all = append(all, mustPublic(t, k.public()))
	}
	for _, k := range all {
		for form, write := range map[string]func() ([]byte, error){"legacy": k.MarshalJSON, "JWK": k.MarshalJWK} {
			data, err := write()
			if err != nil {
				t.Fatal(err)
			}
			again, err := keys.InsecureParsePublicKey(data)
			if err != nil {
				t.Errorf("%s: %s: %v", k.Algorithm(), form, err)
				continue
			}
			if !bytes.Equal(again.Canonical(), k.Canonical()) {
				t.Errorf("%s: %s: another key was read", k.Algorithm(), form)
			}
		}
	}
}

// TestWritten checks the exact text of keys, which other implementations parse.
func TestWritten(t *testing.T) {
	n := oddOf(512)
	k := mustPublic(t, object{"algorithm": "RS", "n": n.String(), "e": "3"})
	ds := dsaKeys()[0]
	d := mustPublic(t, ds.public())
	for _, c := range []struct {
		write func() ([]byte, error)
		want  string
	}{
		{k.MarshalJSON, fmt.Sprintf(`{"algorithm":"RS","n":"%d","e":"3"}`, n)},
		{k.MarshalJWK, fmt.Sprintf(`{"kty":"RSA","n":"%s","e":"Aw"}`, b64(n))},
		{d.MarshalJSON, fmt.Sprintf(`{"algorithm":"DS","p":"%x","q":"%x","g":"%x","y":"%x"}`, ds.p, ds.q, ds.g, ds.y)},
		{d.MarshalJWK, fmt.Sprintf(`{"kty":"DSA","p":"%s","q":"%s","g":"%s","y":"%s"}`, b64(ds.p), b64(ds.q), b64(ds.g), b64(ds.y))},
	} {
		got, err := c.write()
		if err != nil || string(got) != c.want {
			t.Errorf("got  %s\nwant %s (%v)", got, c.want, err)
		}
	}
	if got, want := string(k.Canonical()), fmt.Sprintf("RS64:%x:3", n); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCanonicalDiffers(t *testing.T) {
	r, ds := rsaOf(2048), dsaKeys()[0]
	seen := map[string]bool{}
	for _, o := range []object{
		{"algorithm": "RS", "n": r.n.String(), "e": "3"},
		{"algorithm": "RS", "n": r.n.String(), "e": "5"},
		{"algorithm": "RS", "n": plus(r.n, 2).String(), "e": "3"},
		ds.public(),
		ds.public().with("y", new(big.Int).Sub(ds.p, ds.y).Text(16)),
		ds.public().with("g", ds.y.Text(16)),
		ds.public().with("q", plus(ds.q, 2).Text(16)),
		ds.public().with("p", plus(ds.p, 2).Text(16)),
	} {
		text := string(mustPublic(t, o).Canonical())
		if seen[text] {
			t.Errorf("%s: two keys have this text", text)
		}
		seen[text] = true
	}
}

// TestDecimal compares the parser of decimal numbers of all lengths with math/big.
func TestDecimal(t *testing.T) {
	digits := strings.Repeat("9081726354000000000000000000012345678909", 62)[:2466]
	for size := 600; size <= len(digits); size += 7 {
		n, ok := new(big.Int).SetString(digits[:size], 10)
		if !ok {
			t.Fatal("not a number")
		}
		n.SetBit(n, 0, 1)
		k, err := keys.InsecureParsePublicKey([]byte(`{"algorithm":"RS","n":"` + n.String() + `","e":"3"}`))
		if err != nil {
			if bits := n.BitLen(); bits >= 2047 && bits <= 4096 {
				t.Errorf("%d digits: %v", size, err)
			}
			continue
		}
		if want := "RS256:" + n.Text(16) + ":3"; string(k.Canonical()) != want {
			t.Errorf("%d digits: %s, want %s", size, k.Canonical(), want)
		}
	}
}

// BenchmarkParseRSA parses a key. That of 4096 bits is not prepared for verification.
func BenchmarkParseRSA(b *testing.B) {
	for _, bits := range []int{1024, 2048, 4096} {
		legacy := object{"algorithm": "RS", "n": oddOf(bits).String(), "e": "65537"}.json()
		jwk := object{"kty": "RSA", "n": b64(oddOf(bits)), "e": "AQAB"}.json()
		for form, text := range map[string][]byte{"legacy": legacy, "JWK": jwk} {
			b.Run(fmt.Sprintf("%d/%s", bits, form), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := keys.ParsePublicKey(text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestDecimalDigits replaces digits of a number by each ASCII character. Only digits are
// accepted.
func TestDecimalDigits(t *testing.T) {
	digits := oddOf(2048).String()
	for at := 0; at < len(digits); at += 1 + at/40 {
		for c := range 128 {
			text := fmt.Sprintf(`{"algorithm":"RS","e":"3","n":"%s\u%04x%s"}`, digits[:at], c, digits[at+1:])
			_, err := keys.InsecureParsePublicKey([]byte(text))
			changed := digits[:at] + string(rune(c)) + digits[at+1:]
			n, ok := new(big.Int).SetString(changed, 10)
			ok = ok && '0' <= c && c <= '9' && n.Bit(0) == 1 && n.BitLen() >= 2047
			if ok != (err == nil) || err != nil && !errors.Is(err, keys.ErrMalformed) {
				t.Fatalf("byte %#x at %d: %v", c, at, err)
			}
		}
	}
}

// FuzzDecimal compares the modulus of a key with that of math/big.
func FuzzDecimal(f *testing.F) {
	for _, bits := range []int{2047, 2048, 4095, 4096, 4097} {
		f.Add(oddOf(bits).String())
		f.Add(plus(oddOf(bits+1), -2).String())
	}
	f.Fuzz(func(t *testing.T, digits string) {
		if digits == "" || strings.Trim(digits, "0123456789") != "" || len(digits) > 5000 {
			t.Skip("not digits")
		}
		n, _ := new(big.Int).SetString(digits, 10)
		k, err := keys.ParsePublicKey([]byte(`{"algorithm":"RS","n":"` + digits + `","e":"3"}`))
		if tooLarge := n.BitLen() > 4096; tooLarge != errors.Is(err, keys.ErrTooLarge) {
			t.Fatalf("%d bits: %v", n.BitLen(), err)
		}
		if err == nil && !bytes.Contains(k.Canonical(), n.Append([]byte(":"), 16)) {
			t.Fatalf("read as %s, want %x", k.Canonical(), n)
		}
	})
}
