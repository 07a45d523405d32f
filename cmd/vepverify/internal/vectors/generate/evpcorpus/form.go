package evpcorpus

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/evp/evptest"
)

// form has the rules of section 1.
func form() []group {
	return []group{{"1.size", sizes()}, {"1.form", forms()}, {"1.base64", join(encodings(), insertions())},
		{"1.json", join(jsonTexts(), duplicates(), jsonValues())}}
}

func sizes() []vector {
	return []vector{
		okay("16384 bytes", "As long as a token may be.", sized(16384)),
		failure("16385 bytes", "One byte too long.", sized(16385)),
		failure("64 KiB", "Far too long.", evtClaim("padding", strings.Repeat("x", 48<<10))),
		failure("16385 bytes, DNS down", "Too long, whatever DNS says.", sized(16385), silent),
	}
}

func evtClaim(name string, value any) edit { return part(evt).with(name, value) }
func kbClaim(name string, value any) edit  { return part(kb).with(name, value) }

// sized returns an edit that adds claims until the token has that many bytes.
func sized(size int) edit {
	return func(s *scenario) {
		for extra := range 8 {
			kbClaim("padding", strings.Repeat("y", extra))(s)
			for n := (size - 1500) * 3 / 4; n < size; n++ {
				evtClaim("padding", strings.Repeat("x", n))(s)
				if got := len(s.pair.String()); got == size {
					return
				} else if got > size {
					break
				}
			}
		}
		panic(fmt.Sprint("no token of this size: ", size))
	}
}

// halves returns an edit of the token's text by its two parts.
func halves(f func(evt, kb string) string) edit {
	return rewrite(func(token string) string { return f(evptest.Split(token)) })
}

func forms() []vector {
	text := func(name, comment, text string) vector {
		return failure(name, comment, rewrite(func(string) string { return text }))
	}
	table := []vector{
		okay("good", "The valid token with which all others begin."),
		okay("ES256", "P-256 issuer and holder.", issuer(key("ES256")), holder(evptest.TestKey("ES256-2"))),
		okay("RS256", "RSA issuer and holder.", issuer(key("RS256")), holder(evptest.TestKey("RS256-2"))),
		text("empty", "No token at all.", ""), text("tilde", "A tilde alone.", "~"), text("dots", "Dots and a tilde.", "..~.."),
		text("JSON", "A JSON object.", `{"token":"x"}`), text("null", "The word null.", "null"),
		failure("EVT alone", "Neither tilde nor KB-JWT.", halves(func(evt, _ string) string { return evt })),
		failure("EVT and tilde", "As the issuer gave it to the browser.", halves(func(evt,
			_ string) string {
			return evt + "~"
		})),
		failure("KB alone", "Only the browser's part.", halves(func(_, kb string) string { return kb })),
		failure("tilde and KB", "No EVT.", halves(func(_, kb string) string { return "~" + kb })),
		failure("no tilde", "The two parts without tilde.", halves(func(evt, kb string) string { return evt + kb })),
		failure("dot for tilde", "A dot between the parts.", halves(func(evt, kb string) string { return evt + "." + kb })),
		failure("escaped tilde", "The tilde in percent encoding.", halves(func(evt,
			kb string) string {
			return evt + "%7E" + kb
		})),
		failure("two tildes", "An empty disclosure.", halves(func(evt, kb string) string { return evt + "~~" + kb })),
		failure("tilde before", "A tilde before the token.", rewrite(func(s string) string { return "~" + s })),
		failure("tilde after", "A tilde after the token.", rewrite(func(s string) string { return s + "~" })),
		failure("parts exchanged", "The KB-JWT first.", broken("2.typ"), halves(func(evt,
			kb string) string {
			return kb + "~" + evt
		})),
		failure("EVT twice", "The EVT in place of the KB-JWT.", broken("2.typ"), halves(func(evt,
			_ string) string {
			return evt + "~" + evt
		})),
		failure("KB twice", "The KB-JWT in place of the EVT.", broken("2.typ"), halves(func(_,
			kb string) string {
			return kb + "~" + kb
		})),
		failure("token twice", "Two tokens, one after the other.", rewrite(func(s string) string { return s + s })),
		failure("quoted", "In quotes.", broken("1.base64"), rewrite(func(s string) string { return `"` + s + `"` })),
		failure("Bearer", "With an authentication scheme.", broken("1.base64"),
			rewrite(func(s string) string { return "Bearer " + s })),
		failure("disclosure", "A disclosure, covered by sd_hash. Browsers let it through.", fault(evptest.Disclosure)),
		failure("JSON serialization", "The EVT as a flattened JWS in JSON, covered by sd_hash.", part(evt).text(flattened)),
		failure("capitals", "All letters in capitals.", broken(anyRule), rewrite(strings.ToUpper)),
		failure("last byte off", "The last byte is missing.", broken(anyRule),
			rewrite(func(s string) string { return s[:len(s)-1] })),
	}
	return append(table, partCounts()...)
}

// flattened returns the flattened JSON serialization of a compact JWS.
func flattened(jws string) string {
	s := strings.Split(jws, ".")
	data, err := json.Marshal(map[string]string{"protected": s[0], "payload": s[1], "signature": s[2]})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// text returns an edit of the text of a part. The sd_hash covers that of the EVT.
func (p part) text(f func(string) string) edit {
	return p(func(j evptest.JWS) evptest.JWS { j.Rewrite = f; return j })
}

func partCounts() []vector {
	var table []vector
	for _, p := range parts {
		edited := func(name, comment string, f func(header, claims, signature string) string) vector {
			return failure(p.name+" "+name, comment, p.edit.text(func(jws string) string {
				s := strings.Split(jws, ".")
				return f(s[0], s[1], s[2])
			}))
		}
		table = append(table,
			edited("of one part", "Only the header.", func(h, c, s string) string { return h }),
			edited("of two parts", "No signature, and no dot for it.", func(h, c, s string) string { return h + "." + c }),
			edited("of four parts", "An empty fourth part.", func(h, c, s string) string { return h + "." + c + "." + s + "." }),
			edited("of five parts", "As many as a JWE has.", func(h, c,
				s string) string {
				return h + "." + c + "." + s + ".AA.AA"
			}),
			edited("without header", "An empty first part.", func(h, c, s string) string { return "." + c + "." + s }),
			edited("without claims", "An empty second part.", func(h, c, s string) string { return h + ".." + s }),
			edited("without signature", "An empty third part.", func(h, c, s string) string { return h + "." + c + "." }),
			edited("of dots", "Only the dots.", func(h, c, s string) string { return ".." }),
		)
	}
	return table
}

// strays are characters that do not belong into a token, one of each class.
var strays = []struct{ name, text string }{
	{"space", " "}, {"tab", "\t"}, {"line feed", "\n"}, {"carriage return", "\r"}, {"NUL", "\x00"}, {"DEL", "\x7f"},
	{"plus", "+"}, {"slash", "/"}, {"equals sign", "="}, {"comma", ","}, {"quote", `"`}, {"percent", "%"}, {"hash", "#"},
	{"backslash", `\`}, {"e acute", "é"}, {"no-break space", "\u00a0"}, {"full-width dot", "\uff0e"},
	{"zero-width space", "\u200b"},
	{"byte order mark", "\ufeff"}, {"emoji", "😀"},
}

// segments are the six parts of a token that are base64url.
var segments = []struct {
	name   string
	encode func(func([]byte) string) edit
}{
	{"EVT header", func(f func([]byte) string) edit {
		return evt(func(j evptest.JWS) evptest.JWS { j.EncodeHeader = f; return j })
	}},
	{"EVT claims", func(f func([]byte) string) edit {
		return evt(func(j evptest.JWS) evptest.JWS { j.EncodeClaims = f; return j })
	}},
	{"EVT signature", func(f func([]byte) string) edit {
		return evt(func(j evptest.JWS) evptest.JWS { j.EncodeSignature = f; return j })
	}},
	{"KB header", func(f func([]byte) string) edit {
		return kb(func(j evptest.JWS) evptest.JWS { j.EncodeHeader = f; return j })
	}},
	{"KB claims", func(f func([]byte) string) edit {
		return kb(func(j evptest.JWS) evptest.JWS { j.EncodeClaims = f; return j })
	}},
	{"KB signature", func(f func([]byte) string) edit {
		return kb(func(j evptest.JWS) evptest.JWS { j.EncodeSignature = f; return j })
	}},
}

// insertions has each stray character at each place. Inside the token, the signatures and
// the sd_hash cover it, so that only its presence is wrong.
func insertions() []vector {
	var table []vector
	for i, c := range strays {
		table = append(table,
			failure(c.name+" before", "Nothing is trimmed.", rewrite(func(s string) string { return c.text + s })),
			failure(c.name+" after", "Nothing is trimmed.", rewrite(func(s string) string { return s + c.text })))
		for k, s := range segments {
			if (i+k)%3 != 0 { // a third of all pairs
				continue
			}
			table = append(table,
				failure(c.name+" in "+s.name, "In the middle, covered by what follows.", s.encode(inserted(c.text))))
		}
	}
	return table
}

func base64url(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// inserted returns base64url with text in its middle.
func inserted(text string) func([]byte) string {
	return func(data []byte) string {
		s := base64url(data)
		return s[:len(s)/2] + text + s[len(s)/2:]
	}
}

func encodings() []vector {
	table := []vector{
		okay("both special characters", "A KB signature with both - and _.", until(func(kb string) bool {
			return strings.Contains(kb, "-") && strings.Contains(kb, "_")
		})),
	}
	for _, s := range segments {
		encoded := func(name, comment string, f func([]byte) string) vector {
			return failure(s.name+" "+name, comment, misfit, s.encode(f))
		}
		table = append(table,
			encoded("padded", "With =, covered by what follows.", base64.URLEncoding.EncodeToString),
			encoded("with unused bits",
				"The unused bits of the last character are not zero; a lenient decoder sees the same bytes.", looseBits),
			encoded("of length 4n+1", "A length that base64url cannot have.",
				func(data []byte) string { return impossible(base64url(data)) }),
			encoded("not encoded", "The bytes as they are, without dots.",
				func(data []byte) string { return strings.ReplaceAll(fmt.Sprintf("%+q", data), ".", "") }),
			failure(s.name+" in hexadecimal", "Another encoding, whose characters base64url has.", broken(anyRule),
				s.encode(func(data []byte) string { return fmt.Sprintf("%x", data) })),
		)
	}
	for _, s := range segments {
		if strings.HasSuffix(s.name, "signature") {
			table = append(table, failure(s.name+" in base64", "With + and / in place of - and _.",
				s.encode(base64.RawStdEncoding.EncodeToString), special(s.name)))
		}
	}
	return table
}

// misfit lengthens headers and claims until none has a multiple of three bytes, so that
// each can be padded.
func misfit(s *scenario) {
	fit := func(value any) bool { return len(text(value))%3 == 0 }
	for n := 1; fit(s.pair.EVT.Header); n++ {
		part(evt).header("x", strings.Repeat("x", n))(s)
	}
	for n := 1; fit(s.pair.EVT.Claims); n++ {
		evtClaim("x", strings.Repeat("x", n))(s)
	}
	for n := 1; fit(s.pair.KB.Header); n++ {
		part(kb).header("x", strings.Repeat("x", n))(s)
	}
	hash := strings.Repeat("h", 43)
	sized := func() any { return object(s.pair.KB.Claims).With("sd_hash", hash) }
	for n := 1; fit(sized()); n++ {
		kbClaim("x", strings.Repeat("x", n))(s)
	}
}

func object(value any) evptest.Object { return value.(evptest.Object) }

// text returns the JSON text of a value.
func text(value any) []byte {
	if raw, ok := value.(evptest.Raw); ok {
		return []byte(raw)
	}
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}

// looseBits is base64url with the unused bits of the last character set.
func looseBits(data []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	s := base64url(data)
	unused := [...]int{0, 0, 0b1111, 0b11}[len(s)%4]
	if unused == 0 {
		panic("no unused bits")
	}
	return s[:len(s)-1] + alphabet[strings.IndexByte(alphabet, s[len(s)-1])|unused:][:1]
}

// impossible adds characters until the length is 4n+1.
func impossible(s string) string {
	for len(s)%4 != 1 {
		s += "A"
	}
	return s
}

// until returns an edit that sets a claim of the KB-JWT, which verifiers ignore, until the
// KB-JWT's signature is as wanted.
func until(wanted func(signature string) bool) edit {
	return untilToken(func(token string) bool { return wanted(token[strings.LastIndexByte(token, '.')+1:]) })
}

func untilToken(wanted func(token string) bool) edit {
	return func(s *scenario) {
		for try := 0; !wanted(s.pair.String()); try++ {
			if try == 100_000 {
				panic("no wanted signature in 100,000 tries")
			}
			s.pair = s.pair.EditEVT(func(j evptest.JWS) evptest.JWS { return j.With("jti", fmt.Sprint(try)) })
		}
	}
}

// special returns an edit that searches for a token with + or / in a signature that is in
// base64.
func special(segment string) edit {
	return untilToken(func(token string) bool {
		evt, kb := evptest.Split(token)
		if segment == "EVT signature" {
			return strings.ContainsAny(evt, "+/")
		}
		return strings.ContainsAny(kb, "+/")
	})
}

// wholes are edits of the four JSON texts of a token.
var wholes = []struct {
	name string
	edit func(func(text string) string) edit
}{
	{"EVT header", func(f func(string) string) edit {
		return evt(func(j evptest.JWS) evptest.JWS { j.Header = raw(f, j.Header); return j })
	}},
	{"EVT claims", func(f func(string) string) edit {
		return evt(func(j evptest.JWS) evptest.JWS { j.Claims = raw(f, j.Claims); return j })
	}},
	{"KB header", func(f func(string) string) edit {
		return kb(func(j evptest.JWS) evptest.JWS { j.Header = raw(f, j.Header); return j })
	}},
	{"KB claims", func(f func(string) string) edit {
		return kb(func(j evptest.JWS) evptest.JWS { j.Claims = raw(f, j.Claims); return j })
	}},
}

func raw(f func(string) string, value any) evptest.Raw { return evptest.Raw(f(string(text(value)))) }

// member returns a function that adds the text of a member to an object's text.
func member(text string) func(string) string {
	return func(object string) string { return object[:len(object)-1] + "," + text + "}" }
}

func jsonTexts() []vector {
	var table []vector
	for _, w := range wholes {
		refused := func(name, comment string, f func(string) string) vector {
			return failure(w.name+" "+name, comment, w.edit(f))
		}
		table = append(table,
			okay(w.name+" with white space", "JSON's white space around and inside.", w.edit(func(s string) string {
				return " \t\r\n" + strings.ReplaceAll(s, `":`, "\" :\n ") + "\n "
			})),
			failure(w.name+" empty text", "No bytes; base64url of nothing.", broken("1.form"),
				w.edit(func(string) string { return "" })),
			refused("cut", "Without its last byte.", func(s string) string { return s[:len(s)-1] }),
			refused("and more", "Text after the object.", func(s string) string { return s + "x" }),
			refused("twice", "Two objects.", func(s string) string { return s + s }),
			refused("after a byte order mark", "U+FEFF before the object.", func(s string) string { return "\ufeff" + s }),
			refused("with a comma at the end", "JavaScript allows it.", func(s string) string { return s[:len(s)-1] + ",}" }),
			refused("with a comment", "JSON has none.", func(s string) string { return "/**/" + s }),
			refused("not UTF-8", "A byte of Latin-1 in a string.", member("\"x\":\"\xe9\"")),
			refused("with half a surrogate pair", "An escape that is no character.", member(`"x":"\ud800"`)),
			refused("with a raw line feed", "Control characters must be escaped.", member("\"x\":\"\n\"")),
			refused("with NaN", "Not JSON.", member(`"x":NaN`)),
			refused("with a leading zero", "Not a number of JSON.", member(`"x":01`)),
			refused("with single quotes", "JSON has none.", member(`'x':1`)),
		)
		for _, value := range []string{"null", "true", "1", `"x"`, "[]", "[{}]"} {
			table = append(table, refused("is "+value, "Not an object.", func(string) string { return value }))
		}
	}
	return table
}

// duplicates repeats each member of each object.
func duplicates() []vector {
	names := map[string][]string{
		"EVT header": {"alg", "kid", "typ"}, "EVT claims": {"iss", "iat", "cnf", "email", "email_verified"},
		"KB header": {"alg", "typ"}, "KB claims": {"aud", "iat", "nonce", "sd_hash"},
	}
	var table []vector
	for _, w := range wholes {
		for _, name := range names[w.name] {
			table = append(table,
				failure(w.name+" "+name+" twice", "The same value twice. Some parsers take the first, some the last.",
					w.edit(func(s string) string {
						var members map[string]json.RawMessage
						if err := json.Unmarshal([]byte(s), &members); err != nil {
							panic(err)
						}
						return member(fmt.Sprintf("%q:%s", name, members[name]))(s)
					})))
		}
	}
	claims := wholes[1].edit
	return append(table,
		failure("EVT claims email twice, another first", "Chromium takes the last, which is the submitted one.",
			claims(func(s string) string { return `{"email":"bob@mail.example",` + s[1:] })),
		failure("EVT claims email twice, escaped", "Names are compared after unescaping.",
			claims(member(`"e\u006dail":"alice@mail.example"`))),
		failure("cnf.jwk x twice", "In a nested object.", jwkRaw(func(s string) string { return `{"x":"AA",` + s[1:] })),
		failure("cnf jwk twice", "In a nested object.", claims(func(s string) string {
			return strings.Replace(s, `"cnf":{`,
				`"cnf":{"jwk":{},`, 1)
		})),
		failure("other claim, member twice", "At any depth, in a claim that is ignored too.",
			claims(member(`"x":[{"a":1,"a":1}]`))),
		okay("EVT claims Email and email", "Names in another case are other names.",
			claims(member(`"Email":"bob@mail.example","EMAIL_VERIFIED":false`))),
		okay("same name in two objects", "Only within one object.", claims(member(`"x":{"email":1},"y":{"email":2}`))),
	)
}

// jwkRaw returns an edit of the text of cnf.jwk.
func jwkRaw(f func(string) string) edit {
	return evt(func(j evptest.JWS) evptest.JWS {
		key := string(text(object(object(j.Claim("cnf"))["jwk"])))
		claims := strings.Replace(string(text(j.Claims)), key, f(key), 1)
		j.Claims = evptest.Raw(claims)
		return j
	})
}

func jsonValues() []vector {
	claims := wholes[1].edit
	return []vector{
		okay("escaped name", "A name may be escaped.", claims(func(s string) string {
			return strings.Replace(s, `"email"`,
				`"\u0065mail"`, 1)
		})),
		okay("escaped value", "A value may be escaped.", claims(func(s string) string {
			return strings.Replace(s, `"alice@`,
				`"\u0061lice\u0040`, 1)
		})),
		okay("escaped slash", "iss with escaped slashes.", claims(func(s string) string {
			return strings.Replace(s,
				`https://`, `https:\/\/`, 1)
		})),
		okay("other members in order", "The order of members does not matter.", claims(func(s string) string {
			return `{"z":0,"email_verified":true,` + strings.Replace(s[1:], `"email_verified":true,`, "", 1)
		})),
		okay("nested 50 deep", "In a claim that is ignored.", claims(member(`"x":`+strings.Repeat("[", 50)+strings.Repeat("]",
			50)))),
		okay("nested 1000 deep", "As deep as JSON may be.", claims(member(`"x":`+strings.Repeat("[", 999)+strings.Repeat("]", 999)))),
		failure("nested 1001 deep", "One level too deep.", claims(member(`"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)))),
		okay("large numbers", "In a claim that is ignored.", claims(member(`"x":[1e400,-0,123456789012345678901234567890]`))),
		okay("text of all planes", "In a claim that is ignored.", claims(member(`"name":"Älice 😀 \ud83d\ude00 \u0000 \u2028"`))),
		failure("proto", "A member named __proto__ brings no claims.", broken("3.email-verified"), claims(func(s string) string {
			return strings.Replace(s, `"email_verified":true`, `"__proto__":{"email_verified":true}`, 1)
		})),
	}
}
