package assertion_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
)

// TestOtherTexts checks that an error about a text that is not an assertion names what it is
// and what to do, that it repeats nothing of the text, and that the reasons of PROTOCOL §6
// remain.
func TestOtherTexts(t *testing.T) {
	a := spec{}.String()
	cert, own, _ := strings.Cut(a, "~")
	for name, c := range map[string]struct{ text, reason, found string }{
		"empty":               {"", "no certificates provided", "empty"},
		"byte order mark":     {"\xef\xbb\xbf" + a, "malformed assertion: in UTF-8 with a byte order mark", "BOM"},
		"UTF-16":              {"\xff\xfe" + strings.Join(strings.Split(a, ""), "\x00") + "\x00", "malformed assertion: in UTF-16", "UTF-16"},
		"percent-encoded":     {strings.Replace(a, "~", "%7E", 1), "no certificates provided", "%7E for ~"},
		"form":                {"assertion=" + a, "malformed assertion: a form body", "form body"},
		"header":              {"Authorization: BrowserID " + a, "malformed assertion: an HTTP header or message", "HTTP header"},
		"folded":              {a[:100] + "\n" + a[100:], "malformed assertion: an assertion with blanks or line breaks in it", "line breaks"},
		"blanks":              {" " + a, "malformed assertion: an assertion with blanks or line breaks around it", "around it"},
		"several":             {a + "\n" + a, "certificate chaining is not yet allowed", "several assertions"},
		"certificate":         {cert, "no certificates provided", "a certificate alone"},
		"identity assertion":  {own, "no certificates provided", "an identity assertion alone"},
		"JSON":                {`{"assertion":"` + a + `"}`, "malformed assertion: JSON around an assertion", "JSON"},
		"private key":         {`{"algorithm":"DS","p":"1","q":"1","g":"1","x":"1"}`, "no certificates provided", "a private key"},
		"large page":          {"<html>" + strings.Repeat("<p>~</p>", assertion.MaxSize), "malformed assertion: too large", "HTML page"},
		"encoded once more":   {base64.RawURLEncoding.EncodeToString([]byte(a)), "no certificates provided", "once more"},
		"parts, wrong order":  {own + "~" + cert, "malformed assertion: an assertion before its certificate", "wrong order"},
		"unknown text":        {"nonsense", "no certificates provided", "no '~'"},
		"malformed assertion": {"a.b.c~d.e.f", "malformed assertion: certificate 1: header", "certificate 1: header"},
	} {
		_, parseErr := assertion.Parse(c.text)
		_, verifyErr := verifier(t, assertion.Config{}).Verify(context.Background(), c.text, rp)
		if strings.Contains(c.reason, "chaining") {
			parseErr = verifyErr // Parse accepts chains
		}
		for _, err := range []error{parseErr, verifyErr} {
			var e *assertion.Error
			if !errors.As(err, &e) || !strings.HasPrefix(e.Reason, c.reason) || !strings.Contains(e.Found, c.found) {
				t.Errorf("%s: %v, found %q", name, err, e.Found)
			}
			if e.Expected == "" || e.Advice == "" {
				t.Errorf("%s: expected %q, advice %q", name, e.Expected, e.Advice)
			}
			checkAdvice(t, name, e)
			checkNoTextOf(t, c.text, e)
		}
	}
}

// checkNoTextOf checks that no part of an error repeats a part of an assertion.
func checkNoTextOf(t *testing.T, text string, e *assertion.Error) {
	t.Helper()
	for _, said := range []string{e.Reason, e.Found, e.Expected, e.Advice, e.Detail()} {
		for i := 0; i+16 <= len(text); i += 4 {
			if part := text[i : i+16]; strings.Contains(said, part) && strings.Trim(part, "aeb.,~ ") != "" {
				t.Errorf("%q repeats %q", said, part)
			}
		}
	}
}

// FuzzParseErrors checks that no error of Parse repeats the text, whatever it is.
func FuzzParseErrors(f *testing.F) {
	a := spec{}.String()
	for _, seed := range []string{
		a, "", "\xef\xbb\xbf" + a, "assertion=" + a, a + "\n", `{"assertion":"` + a + `"}`, a[:200], "~" + a, "<" + a + ">", strings.Replace(a, "~", "%7E", 1),
	} {
		f.Add(seed)
	}
	secret := base64.RawURLEncoding.EncodeToString([]byte(`{"s":"a marker that no text of ours has"}`))
	f.Fuzz(func(t *testing.T, text string) {
		for _, input := range []string{text, text + secret, secret + text, strings.Replace(text, ".", "."+secret, 1)} {
			_, err := assertion.Parse(input)
			var e *assertion.Error
			if err == nil {
				continue
			}
			if !errors.As(err, &e) || e.Found == "" || e.Advice == "" {
				t.Fatalf("%q: %v", input, err)
			}
			for _, said := range []string{e.Reason, e.Found, e.Expected, e.Advice, e.Detail()} {
				if strings.Contains(said, secret[4:20]) || strings.Contains(said, "marker that") {
					t.Errorf("%q repeats its input", said)
				}
			}
		}
	})
}

// fillTo returns start, as many copies of piece as fit in size bytes, and end.
func fillTo(size int, start, piece, end string) string {
	n := (size - len(start) - len(end)) / len(piece)
	return start + strings.Repeat(piece, n) + end
}

// malformedTexts returns texts of a size that are not assertions.
func malformedTexts(size int) map[string]string {
	return map[string]string{
		"garbage":     fillTo(size, "", "x", ""),
		"garbage~":    fillTo(size, "", "x", "~"),
		"spaces":      fillTo(size, "", " ", ""),
		"spaces-end":  fillTo(size, "", " ", "x"),
		"newlines":    fillTo(size, "", "\n", "x"),
		"unicode":     fillTo(size, "", "é", ""),
		"nbsp":        fillTo(size, "", "\u00a0", "x"),
		"quotes":      fillTo(size, "a.b.c~", "“", "d.e.f"),
		"zeros":       fillTo(size, "", "\x00x", ""),
		"invalid":     fillTo(size, "", "a", "\xff"),
		"pem":         fillTo(size, "", "-----BEGIN", ""),
		"eyJ":         fillTo(size, "", "eyJ", ""),
		"eyJ.":        fillTo(size, "", "eyJ.", ""),
		"ewoJeyJ":     fillTo(size, "", "eyJeyAiewogewoJ", "."),
		"object":      fillTo(size, `{`, `"a":1,`, `"b":1}`),
		"names":       fillTo(size, `{"a":[`, `{"b":0},`, `{}]}`),
		"nested":      strings.Repeat(`{"a":`, 900) + "1" + strings.Repeat("}", 900),
		"open":        fillTo(size, `{`, `"a`, ""),
		"lines":       fillTo(size, "", "{}\n", ""),
		"bundle":      fillTo(size, `{`, `"a.example":{},`, `"b.example":{}}`),
		"html":        fillTo(size, "<", "eyJ", ""),
		"tokens":      fillTo(size, "", "a.b.c~d.e.f\n", ""),
		"tildes":      fillTo(size, "", "~", ""),
		"a.b.c~":      fillTo(size, "", "a.b.c~", ""),
		"dots":        fillTo(size, "eyJhbGciOiJSUzI1NiJ9", "..", ""),
		"folded":      fillTo(size, "eyJhbGciOiJSUzI1NiJ9", " a.b.c~", "d.e.f"),
		"token":       fillTo(size, "eyJhbGciOiJSUzI1NiJ9.", "eyJh", ".a"),
		"token~token": fillTo(size/2, "eyJhbGciOiJSUzI1NiJ9.", "eyJh", ".a") + "~" + fillTo(size/2, "eyJhbGciOiJSUzI1NiJ9.", "eyJh", ".a"),
		"cut":         fillTo(size, "eyJhbGciOiJSUzI1NiJ9.", "eyJh", ""),
		"equal":       fillTo(size, "x=", "=", "~"),
		"plus":        fillTo(size, "a.b.c~d.e.", "+", ""),
		"percent":     fillTo(size, "", "%7", ""),
		"email":       fillTo(size, "a@", "b.", "example"),
		"name":        fillTo(size, "", "n", ": x"),
	}
}

// BenchmarkMalformed verifies texts that are not assertions. Recognizing what they are should
// cost a few microseconds, whatever they are.
func BenchmarkMalformed(b *testing.B) {
	v, err := assertion.NewVerifier(assertion.Config{Keys: mapSource{}})
	if err != nil {
		b.Fatal(err)
	}
	for _, kb := range []int{3, 10, 32} {
		for name, text := range malformedTexts(kb << 10) {
			b.Run(fmt.Sprintf("%d-KiB/%s", kb, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Verify(context.Background(), text, rp); err == nil {
						b.Fatal("a malformed text passed")
					}
				}
			})
		}
	}
}
