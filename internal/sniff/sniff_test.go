package sniff_test

import (
	"encoding/base64"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/vepverify/vepverify/internal/sniff"
)

// assertion is the sample of the repository.
var assertion = func() string {
	text, err := os.ReadFile("../../testdata/sample/assertion.txt")
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(text))
}()

// utf16Text returns a text in UTF-16, with the byte of the higher half at index high.
func utf16Text(text string, high int) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		pair := [2]byte{}
		pair[high], pair[1-high] = byte(unit>>8), byte(unit)
		b = append(b, pair[:]...)
	}
	return string(b)
}

// token returns a token with this header.
func token(header string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.c2ln"
}

// inputs are texts of each kind.
func inputs() map[sniff.Kind][]string {
	cert, own, _ := strings.Cut(assertion, "~")
	i, j := len(assertion)/3, 2*len(assertion)/3
	idToken := "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://op.example","aud":"client","exp":1}`)) + ".c2ln"
	evt, kb := token(`{"alg":"EdDSA","typ":"evt+jwt"}`), token(`{"alg":"EdDSA","typ":"kb+jwt"}`)
	return map[sniff.Kind][]string{
		sniff.Unknown:           {"aaaa", "a.b", "some words", "~", "a~b", strings.Repeat("a", 100_000), "a\nb\nc"},
		sniff.Assertion:         {assertion, "a.b.c~d.e.f", cert + "~" + assertion},
		sniff.Empty:             {""},
		sniff.Blank:             {"\n", " \t\r\n"},
		sniff.UTF8BOM:           {"\xef\xbb\xbf" + assertion, "\xef\xbb\xbf{}"},
		sniff.UTF16:             {utf16Text(assertion, 1), utf16Text(assertion, 0), "\xff\xfe" + utf16Text(assertion+"\r\n", 1), "\xfe\xff" + utf16Text(assertion, 0), utf16Text(assertion, 1)[1:], "\xff\xfe", "\x00"},
		sniff.Compressed:        {"\x1f\x8b\x08\x00\x00", "PK\x03\x04xx"},
		sniff.Binary:            {"\x00\x01\x02abc", "abc\xff", "\x7fELF\x02\x01\x01\x00"},
		sniff.PEM:               {"-----BEGIN CERTIFICATE-----\nMIIB", "-----BEGIN PUBLIC KEY-----\nMIIB"},
		sniff.PEMPrivateKey:     {"-----BEGIN PRIVATE KEY-----\nMIIB", "\n-----BEGIN RSA PRIVATE KEY-----\r\nMIIB", "-----BEGIN OPENSSH PRIVATE KEY-----\nx", "Bag Attributes\n-----BEGIN PRIVATE KEY-----\n"},
		sniff.HTML:              {"<!DOCTYPE html><html>", "<html>\n<body>", "\n<?xml version=\"1.0\"?>"},
		sniff.Identity:          {`{"email":"a@b","certificate":"` + cert + `","privateKey":{}}`},
		sniff.PrivateKey:        {`{"algorithm":"DS","p":"1","x":"2"}`, `{"kty":"RSA","n":"1","e":"AQAB","d":"2"}`, `{"secretKey":{}}`, `{"keys":[{"kty":"OKP","d":"2"}]}`},
		sniff.PublicKey:         {`{"algorithm":"DS","p":"1","y":"2"}`, `{"kty":"RSA","n":"1","e":"AQAB"}`},
		sniff.PrivateCurveKey:   {`{"kty":"EC","crv":"P-256","x":"1","y":"2","d":"3"}`, `{"use":"sig","kty":"OKP","kid":"k","crv":"Ed25519","alg":"Ed25519","x":"1","d":"2"}`},
		sniff.PublicCurveKey:    {`{"kty":"EC","crv":"P-256","x":"1","y":"2"}`, `{"kty":"OKP","crv":"Ed25519","x":"1"}`},
		sniff.KeySet:            {`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"1"}]}`, `{ "keys" : [ {"kty":"RSA","n":"1","e":"AQAB"}, {"kty":"RSA"} ] }`},
		sniff.EVPMetadata:       {`{"issuer":"https://i.example","issuance_endpoint":"https://i.example/issue","jwks_uri":"https://i.example/jwks"}`},
		sniff.EVPBundle:         {`{"_email-verification.mail.example":["iss=i.example"]}`, `{"idp.example":null,"https://i.example/jwks":{"keys":[]}}`},
		sniff.SupportDocument:   {`{"public-key":{},"authentication":"/a","provisioning":"/b"}`, `{"disabled":true}`, `{"authority":"a.example"}`, `{"keys":[]}`, `{"keys":[{"kty":"RSA"}],"authentication":"/a"}`},
		sniff.Bundle:            {`{"idp.example":{"keys":[]},"x.example":null}`},
		sniff.Answer:            {`{"status":"okay","email":"a@b"}`, `{"verified":false,"certificates":[]}`},
		sniff.JSONAssertion:     {`{"assertion":"` + assertion + `","audience":"https://rp.example"}`, ` { "assertion" : 7 } `},
		sniff.JSONLines:         {"{\"assertion\":\"x\"}\n{\"assertion\":\"y\"}\n"},
		sniff.Claims:            {`{"iss":"idp.example","exp":1}`, `{"aud":"https://rp.example"}`},
		sniff.JSON:              {`{}`, `{"a":`, `[1]`, `{"a":1}`},
		sniff.Form:              {"assertion=" + assertion, "assertion=" + url.QueryEscape(assertion) + "&audience=x", "audience=x&assertion=" + assertion, "token=" + evt + "~" + kb, "email=a%40b.example&token=" + evt + "~" + kb},
		sniff.URL:               {"https://rp.example/?assertion=" + assertion, "http://rp.example"},
		sniff.Header:            {"Authorization: BrowserID " + assertion, "BrowserID " + assertion, "Bearer " + assertion, "authorization: Bearer " + cert, "X-Assertion: " + assertion, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + assertion},
		sniff.Variable:          {"$ASSERTION", "${ASSERTION}", "%ASSERTION%", "$env:ASSERTION", "<ASSERTION>", "<the assertion>", "YOUR_ASSERTION"},
		sniff.Null:              {"null", "undefined", "None\n", "[object Object]"},
		sniff.Message:           {"vepverify: cannot read x.txt: no such file", "Error: something", "bash: vepverify: command not found"},
		sniff.Percent:           {strings.ReplaceAll(assertion, "~", "%7E"), strings.ReplaceAll(assertion, "~", "%7e"), url.QueryEscape("x~") + "%7E", strings.ReplaceAll(assertion, "~", "%257E")},
		sniff.QuotedPrintable:   {strings.ReplaceAll(assertion, "~", "=7E"), assertion[:i] + "=\n" + assertion[i:], assertion[:i] + "=\r\n" + assertion[i:]},
		sniff.Base64:            {strings.NewReplacer("-", "+", "_", "/").Replace(assertion), assertion + "=="},
		sniff.DoubleBase64:      {base64.StdEncoding.EncodeToString([]byte(assertion))},
		sniff.Padded:            {assertion + "\n", " " + assertion, assertion + "\r", assertion + "\n\n"},
		sniff.Quoted:            {`"` + assertion + `"`, "'" + assertion + "'", "<" + assertion + ">", `["` + assertion + `"]`, assertion + ","},
		sniff.Folded:            {assertion[:i] + "\n" + assertion[i:], assertion[:i] + "\r\n " + assertion[i:j] + "\r\n " + assertion[j:], assertion[:i] + " " + assertion[i:]},
		sniff.Several:           {assertion + "\n" + assertion, assertion + "\r\n\r\n" + assertion + "\r\n", strings.Repeat(assertion+"\n", 10)},
		sniff.Abbreviated:       {assertion[:40] + "…", assertion[:40] + "..." + assertion[i:], "eyJ…"},
		sniff.Invisible:         {assertion[:i] + "\u200b" + assertion[i:], assertion + "\u2060", "“" + assertion + "”", assertion[:i] + "\x00" + assertion[i:], assertion[:i] + "\xff" + assertion[i+1:], "\u00ad" + assertion},
		sniff.Surrounded:        {"signed in with " + assertion + " today", "token=" + cert, "line\n" + assertion},
		sniff.Certificate:       {cert, cert + "~"},
		sniff.IdentityAssertion: {own, "~" + own},
		sniff.Reversed:          {own + "~" + cert},
		sniff.CutOff:            {assertion[:len(cert)+30], assertion[:i], cert + "~" + own[:40]},
		sniff.JWT:               {idToken, token(`{"alg":"RSA-OAEP","enc":"A128GCM"}`) + ".c2ln.c2ln"},
		sniff.SDJWT:             {token(`{"alg":"ES256","typ":"dc+sd-jwt"}`) + "~WyJhIl0~", token(`{"alg":"ES256"}`) + "~WyJhIl0~" + token(`{"alg":"ES256","typ":"kb+jwt"}`)},
		sniff.EVPToken: {
			evt + "~" + kb, evt + "~" + kb + "\n", evt + "~WyJhIl0~" + kb, evt + "~" + kb + "~", evt + "~" + strings.Repeat("a", 10_000), evt + "~x",
			evt + "~\n" + kb,
		},
		sniff.EVPHalf: {evt, evt + "~", kb, token(`{"typ":"evt+jwt"}`)},
		sniff.Email:   {"ada@idp.example"},
	}
}

// TestOf checks that each kind is recognized, and has a text.
func TestOf(t *testing.T) {
	all := inputs()
	for k := sniff.Unknown; k.String() != "" || k == sniff.Unknown; k++ {
		if len(all[k]) == 0 {
			t.Errorf("%d: %s: no input", k, k)
		}
		if k.IsOther() != (k.Advice() != "") {
			t.Errorf("%s: advice %q", k, k.Advice())
		}
		if k == sniff.Email { // the last
			break
		}
	}
	for want, texts := range all {
		for i, text := range texts {
			if got := sniff.Of(text); got != want {
				t.Errorf("input %d of %q is recognized as %q", i, want, got)
			}
		}
	}
}

// TestCorruptedAssertion checks that an assertion with one byte changed, added or missing is
// recognized as an assertion with that fault, or not at all.
func TestCorruptedAssertion(t *testing.T) {
	allowed := map[sniff.Kind]string{ // the bytes that may cause it; empty means all
		sniff.Unknown: "", sniff.Assertion: "", sniff.CutOff: "", sniff.Percent: "%", sniff.QuotedPrintable: "=",
		sniff.Padded: " \t\r\n", sniff.Folded: " \t\r\n\v\f", sniff.Quoted: "\"'`<>()[]{},;", sniff.Base64: "+/=",
	}
	check := func(text string, c byte) {
		k := sniff.Of(text)
		causes, ok := allowed[k]
		if !ok && k == sniff.Invisible {
			ok = c < ' ' || c > '~'
		}
		if !ok || causes != "" && !strings.Contains(causes, string(rune(c))) {
			t.Errorf("with byte %q: %v", c, k)
		}
	}
	for i := 4; i < len(assertion); i++ { // the first bytes tell that it is a token
		if i > 40 && i%11 > 0 && !strings.ContainsAny(assertion[i-2:min(i+3, len(assertion))], ".~") {
			continue
		}
		check(assertion[:i]+assertion[i+1:], 0)
		for _, c := range []byte("\x00\x07\t\n\r !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xc3\xef\xff") {
			check(assertion[:i]+string([]byte{c})+assertion[i:], c)
			check(assertion[:i]+string([]byte{c})+assertion[i+1:], c)
		}
	}
}

// TestHoldsToken checks that tokens are found in other text, and that names of files and
// domains are none.
func TestHoldsToken(t *testing.T) {
	cert, _, _ := strings.Cut(assertion, "~")
	for _, text := range []string{assertion, "x" + assertion, "--keys=" + cert, "a/b/" + assertion[:40], url.QueryEscape(assertion), "eyJ eyJ" + assertion} {
		if !sniff.HoldsToken(text) {
			t.Errorf("%.20q… holds none", text)
		}
	}
	for text, want := range map[string]sniff.Kind{
		assertion: sniff.Assertion, "x" + assertion: sniff.Assertion, assertion[:40]: sniff.CutOff, " {}": sniff.JSON, "-----BEGIN X": sniff.PEM,
		"http://rp.example/": sniff.URL, "a\nb": sniff.Text,
		"": 0, "assertion.txt": 0, "keys.2026.json": 0, "a b.c d.e f~old.tar.gz": 0, "token 1.txt": 0, "C:\\a: b.txt": 0, "ada@idp.example": 0, "$HOME": 0,
	} {
		if got := sniff.NotFileName(text); got != want {
			t.Errorf("%.20q as the name of a file is recognized as %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"", "assertion.txt", "keyJson.txt", "/home/eyJ/x", "privateKeyJar.json", "idp.example", "https://rp.example"} {
		if sniff.HoldsToken(text) {
			t.Errorf("%q holds one", text)
		}
	}
}

// FuzzOf checks that Of returns a kind with constant texts, whatever the input is.
func FuzzOf(f *testing.F) {
	for _, texts := range inputs() {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		k := sniff.Of(text)
		if k < sniff.Unknown || k > sniff.Text || k.IsOther() && (k.String() == "" || k.Advice() == "") {
			t.Errorf("%q: %d", text, k)
		}
		if other := sniff.NotFileName(text); other == sniff.Unknown && sniff.HoldsToken(text) {
			t.Errorf("%q may be the name of a file", text)
		}
	})
}
