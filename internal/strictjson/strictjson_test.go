package strictjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	josejson "github.com/go-jose/go-jose/v4/json"

	"github.com/vepverify/vepverify/internal/strictjson"
)

func TestParseObjectAccepts(t *testing.T) {
	for _, text := range []string{
		`{}`,
		" \t\r\n{ } \n",
		`{"a":1,"A":2}`,
		`{"a":{"b":1},"b":1,"c":[{"a":1},{"a":1}]}`,
		`{"a":-0.5e+3,"b":0,"c":1E9,"d":true,"e":false,"f":null,"g":"","h":[]}`,
		`{"":1}`,
		`{"a":"\"\\\/\b\f\n\r\t\u00e9é"}`,
		`{"a":"\ud83d\ude00"}`,
		`{"a":[1 , 2 ,3]}`,
		`{"\u0061":1,"b":2}`,
		deep(strictjson.MaxDepth),
		many(100, -1),
		wide(40, many(60, -1), -1),
		wide(40, wide(20, many(3000, -1), -1), -1),
		`{"a":[` + many(17, -1) + `,` + many(17, -1) + `,` + many(18, -1) + `]}`,
	} {
		if _, err := strictjson.ParseObject([]byte(text)); err != nil {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestParseObjectRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                ``,
		"array":                `[]`,
		"string":               `"a"`,
		"number":               `7`,
		"null":                 `null`,
		"second object":        `{}{}`,
		"garbage at the end":   `{} x`,
		"byte order mark":      "\ufeff{}",
		"duplicate":            `{"a":1,"a":1}`,
		"escaped duplicate":    `{"a":1,"\u0061":2}`,
		"surrogate duplicate":  `{"😀":1,"\ud83d\ude00":2}`,
		"nested duplicate":     `{"x":[{"a":1,"a":2}]}`,
		"late duplicate":       many(100, 3),
		"duplicate at 17":      many(17, 0),
		"duplicate of last":    many(200, 198),
		"outer duplicate":      wide(40, many(60, -1), 5),
		"inner duplicate":      wide(40, many(60, 30), -1),
		"invalid UTF-8":        "{\"a\":\"\xff\"}",
		"invalid UTF-8 name":   "{\"\xc3\x28\":1}",
		"overlong":             "{\"a\":\"\xc0\x80\"}",
		"UTF-8 surrogate":      "{\"a\":\"\xed\xa0\x80\"}",
		"half a pair":          `{"a":"\ud83d"}`,
		"low half first":       `{"a":"\ude00\ud83d"}`,
		"pair of highs":        `{"a":"\ud83d\ud83d"}`,
		"too deep":             deep(strictjson.MaxDepth + 1),
		"trailing comma":       `{"a":1,}`,
		"trailing in array":    `{"a":[1,]}`,
		"leading comma":        `{,"a":1}`,
		"no comma":             `{"a":1 "b":2}`,
		"no colon":             `{"a" 1}`,
		"no value":             `{"a":}`,
		"bare name":            `{a:1}`,
		"leading zero":         `{"a":01}`,
		"plus":                 `{"a":+1}`,
		"dot first":            `{"a":.5}`,
		"dot last":             `{"a":5.}`,
		"empty exponent":       `{"a":5e}`,
		"minus alone":          `{"a":-}`,
		"hex":                  `{"a":0x1}`,
		"NaN":                  `{"a":NaN}`,
		"capital literal":      `{"a":True}`,
		"newline in string":    "{\"a\":\"\n\"}",
		"zero byte":            "{\"a\":\"\x00\"}",
		"zero byte at the end": "{}\x00",
		"unknown escape":       `{"a":"\x41"}`,
		"short escape":         `{"a":"\u00e"}`,
		"open string":          `{"a":"b`,
		"open escape":          `{"a":"\`,
		"open object":          `{"a":1`,
		"comment":              `{"a":1/**/}`,
		"form feed":            "{\f}",
	} {
		o, err := strictjson.ParseObject([]byte(text))
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if o != nil {
			t.Errorf("%s: an object with an error", name)
		}
	}
}

func TestValues(t *testing.T) {
	o, err := strictjson.ParseObject([]byte(`{"s":"a\u0062","n":12345678901234567890,"a":[ 1, "x" ,{}],"e":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	raw, ok := o.Get("s")
	if s, isString := strictjson.String(raw); !ok || !isString || s != "ab" {
		t.Errorf("s = %q %v", s, isString)
	}
	if raw, _ = o.Get("n"); string(raw) != "12345678901234567890" {
		t.Errorf("n = %s", raw)
	}
	if _, isString := strictjson.String(raw); isString {
		t.Error("a number is a string")
	}
	raw, _ = o.Get("a")
	elements, isArray := strictjson.Array(raw)
	if !isArray || len(elements) != 3 || string(elements[0]) != "1" || string(elements[1]) != `"x"` || string(elements[2]) != "{}" {
		t.Errorf("a = %q", elements)
	}
	raw, _ = o.Get("e")
	if elements, isArray = strictjson.Array(raw); !isArray || len(elements) != 0 {
		t.Errorf("e = %q", elements)
	}
	if _, isArray = strictjson.Array([]byte(`{}`)); isArray {
		t.Error("an object is an array")
	}
	if _, ok = o.Get("S"); ok {
		t.Error("names are compared without case")
	}
}

// FuzzParseObject checks that go-jose's JSON reader accepts what ParseObject accepts,
// with the same content, and that every value is valid JSON.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"b":[true,null,"x\u00e9\ud83d\ude00"],"c":{"d":-1.5e3}}`,
		`{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"a":"\ud83d"}`, ` {"a" : [ ] } `, `{"exp":1700000000000,"aud":"https://rp.example"}`,
		many(20, -1), many(20, 3), wide(18, many(18, -1), -1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := strictjson.ParseObject(data)
		if err != nil {
			return
		}
		var oracle map[string]josejson.RawMessage
		if err := josejson.Unmarshal(data, &oracle); err != nil {
			t.Fatalf("accepted, but go-jose says: %v", err)
		}
		if len(oracle) != len(o) {
			t.Fatalf("%d members, go-jose reads %d", len(o), len(oracle))
		}
		for _, m := range o {
			if !bytes.Equal(bytes.TrimSpace(oracle[m.Name]), m.Value) {
				t.Fatalf("member %q = %q, go-jose reads %q", m.Name, m.Value, oracle[m.Name])
			}
			if !json.Valid(m.Value) {
				t.Fatalf("member %q is not valid JSON", m.Name)
			}
		}
	})
}

// wide returns an object of n members and one with the value inner in their middle. The
// last member repeats the name of member number again, unless that is negative.
func wide(n int, inner string, again int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"m%d":%d,`, i, i)
		if i == n/2 {
			b.WriteString(`"inner":` + inner + `,`)
		}
	}
	if again >= 0 {
		fmt.Fprintf(&b, `"m%d":0}`, again)
	} else {
		b.WriteString(`"last":0}`)
	}
	return b.String()
}

// deep returns an object in which objects and arrays nest n deep.
func deep(n int) string {
	return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
}

// many returns an object of n members. The last member repeats the name of member number
// dup, unless that is negative.
func many(n, dup int) string {
	var b strings.Builder
	for i := range n {
		name := i
		if i == n-1 && dup >= 0 {
			name = dup
		}
		fmt.Fprintf(&b, `,"m%d":%d`, name, i)
	}
	return "{" + b.String()[1:] + "}"
}

// BenchmarkParseObject parses the claims of a certificate like those of real ones.
func BenchmarkParseObject(b *testing.B) {
	data := []byte(`{"public-key":{"algorithm":"DS","y":"6a557a631950177f6a8aeed3e19ed02b0964326c3abacd5b39d32c6f2f50b8ef8b37360b1cf7491f489b42c4b28b6478c4255ec4b4bd94c65728c50c369ff2d5e1d2ae73a4bf28325cac7bea9614216be4b901188c94c015c74d303573b22673c5c0e0005e8428946d74897c03bab4c1e383f589f73ac25d46f1438956307f5e","p":"ff600483db6abfc5b45eab78594b3533d550d9f1bf2a992a7a8daa6dc34f8045ad4e6e0c429d334eeeaaefd7e23d4810be00e4cc1492cba325ba81ff2d5a5b305a8d17eb3bf4a06a349d392e00d329744a5179380344e82a18c47933438f891e22aeef812d69c8f75e326cb70ea000c3f776dfdbd604638c2ef717fc26d02e17","q":"e21e04f911d1ed7991008ecaab3bf775984309c3","g":"c52a4a0ff3b7e61fdf1867ce84138369a6154f4afa92966e3c827e25cfa6cf508b90e5de419e1337e07a2e9e2a3cd5dea704d175f8ebf6af397d69e110b96afb17c7a03259329e4829b0d03bbc7896b15b4ade53e130858cc34d96269aa89041f409136c7242a38895c9d5bccad4f389af1d7a4bd1398bd072dffa896233397a"},"principal":{"email":"alice@idp.example"},"iat":1699999940000,"exp":1700003600000,"iss":"idp.example"}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.ParseObject(data); err != nil {
			b.Fatal(err)
		}
	}
}
