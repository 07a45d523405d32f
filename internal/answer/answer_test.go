package answer_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vepverify/vepverify/internal/answer"
	"github.com/vepverify/vepverify/internal/answer/answertest"
)

var expires = time.UnixMilli(1767225720001)

// wire lists answers with their JSON, which is fixed to the byte.
var wire = []struct {
	value json.Marshaler
	text  string
}{
	{answer.Okay{Email: "alice@idp.example", Audience: "https://rp.example", Expires: expires, Issuer: "idp.example"},
		`{"status":"okay","email":"alice@idp.example","audience":"https://rp.example","expires":1767225720001,"issuer":"idp.example"}`},
	{answer.Okay{Email: "alice@idp.example", Audience: "https://rp.example", Expires: expires, Issuer: "idp.example", Private: true},
		`{"status":"okay","email":"alice@idp.example","audience":"https://rp.example","expires":1767225720001,"issuer":"idp.example","private":true}`},
	{answer.Okay{Audience: "https://rp.example", Expires: time.UnixMilli(0), Issuer: "idp.example"},
		`{"status":"okay","audience":"https://rp.example","expires":0,"issuer":"idp.example"}`},
	{answer.Okay{Expires: time.UnixMilli(-1)}, `{"status":"okay","audience":"","expires":-1,"issuer":""}`},
	{answer.Okay{Email: "a&b@idp.example", UnverifiedEmail: "x@y.example", Audience: "https://rp.example", Expires: expires, Issuer: "idp.example",
		IDPClaims: map[string]json.RawMessage{"b": json.RawMessage(`[1]`), "a": json.RawMessage(`"é"`)}, UserClaims: map[string]json.RawMessage{"c": json.RawMessage("null")}},
		`{"status":"okay","email":"a\u0026b@idp.example","unverified-email":"x@y.example","audience":"https://rp.example","expires":1767225720001,` +
			`"issuer":"idp.example","idpClaims":{"a":"é","b":[1]},"userClaims":{"c":null}}`},
	{answer.Okay{Expires: expires, IDPClaims: map[string]json.RawMessage{}}, `{"status":"okay","audience":"","expires":1767225720001,"issuer":""}`},
	{answer.Failure{Reason: "expired"}, `{"status":"failure","reason":"expired"}`},
	{answer.Failure{Reason: "undecided, <x>", Undecided: true}, `{"status":"failure","reason":"undecided, \u003cx\u003e","undecided":true}`},
	{answer.Failure{}, `{"status":"failure","reason":""}`},
}

func TestMarshal(t *testing.T) {
	for _, test := range wire {
		if text, err := json.Marshal(test.value); err != nil || string(text) != test.text {
			t.Errorf("%+v: %s, %v; want %s", test.value, text, err, test.text)
		}
		if f, ok := test.value.(answer.Failure); ok && string(f.JSON()) != test.text {
			t.Errorf("JSON returns %s, want %s", f.JSON(), test.text)
		}
	}
	bad := answer.Okay{IDPClaims: map[string]json.RawMessage{"a": json.RawMessage("{")}}
	if text, err := json.Marshal(bad); err == nil {
		t.Errorf("a claim that is not JSON: %s", text)
	}
}

// TestMarshalStrings compares with encoding/json, whatever the strings contain. The
// answer is concatenated for most of them.
func TestMarshalStrings(t *testing.T) {
	texts := []string{"", "alice@idp.example", "a&b@idp.example", "<>", `"`, `\`, "\x00", "\n", "\x7f", "\u00e9", "\u2028", "\xff", "~", " "}
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, email := range texts {
		for _, other := range texts {
			want := `{"status":"okay",`
			if email != "" {
				want += `"email":` + quoted(email) + ","
			}
			want += `"audience":` + quoted(other) + `,"expires":1767225720001,"issuer":` + quoted(other)
			for claims, value := range map[string]map[string]json.RawMessage{"": nil, " ": {}, `,"idpClaims":{"a":1}`: {"a": json.RawMessage("1")}} {
				want := want + strings.TrimSpace(claims) + "}"
				got, err := answer.Okay{Email: email, Audience: other, Expires: expires, Issuer: other, IDPClaims: value}.MarshalJSON()
				if err != nil || string(got) != want {
					t.Errorf("%s, %v; want %s", got, err, want)
				}
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, test := range wire {
		got, err := answertest.Parse([]byte(test.text))
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		var want answertest.Answer
		switch v := test.value.(type) {
		case answer.Okay:
			want.Okay = &v
		case answer.Failure:
			want.Failure = &v
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
	spaced := "\n{ \"id\": {}, \"reason\": \"r\", \"undecided\": false, \"status\": \"f\\u0061ilure\" } "
	if got, err := answertest.Parse([]byte(spaced)); err != nil || got.Okay != nil || got.Failure == nil || *got.Failure != (answer.Failure{Reason: "r"}) {
		t.Errorf("%s: %+v, %v", spaced, got, err)
	}
}

func TestParseErrors(t *testing.T) {
	const secret = "s3cret"
	for _, text := range []string{
		"", "null", "[]", `"okay"`, "{}", `{"status":null}`, `{"status":1}`, `{"status":"` + secret + `"}`, `{"status":"Okay"}`,
		`{"status":"failure"}`, `{"status":"failure","reason":null}`, `{"status":"failure","reason":["` + secret + `"]}`,
		`{"status":"failure","reason":"r","undecided":1}`, `{"status":"failure","reason":"r","undecided":null}`, `{"status":"failure","reason":"r"}x`,
		`{"status":"okay"}`, `{"status":"okay","audience":"","issuer":""}`, `{"status":"okay","expires":1,"issuer":""}`, `{"status":"okay","audience":"","expires":1}`,
		`{"status":"okay","audience":"","expires":"1","issuer":""}`, `{"status":"okay","audience":"","expires":1.5,"issuer":""}`,
		`{"status":"okay","audience":"","expires":9223372036854775808,"issuer":""}`, `{"status":"okay","audience":"","expires":1e3,"issuer":""}`,
		`{"status":"okay","audience":"","expires":1,"issuer":1}`, `{"status":"okay","email":null,"audience":"","expires":1,"issuer":""}`,
		`{"status":"okay","audience":"","expires":1,"issuer":"","idpClaims":["` + secret + `"]}`, `{"status":"okay","audience":"","expires":1,"issuer":"","userClaims":null}`,
		`{"status":"failure","reason":"r","reason":"` + secret + `"}`, "{\"status\":\"failure\",\"reason\":\"\xff\"}",
	} {
		got, err := answertest.Parse([]byte(text))
		if err == nil || got != (answertest.Answer{}) {
			t.Errorf("%s: %+v, %v; want an error", text, got, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error contains its text: %v", text, err)
		}
	}
}

// FuzzParse checks that what is read is the same to encoding/json, and the same
// when it is written and read again.
func FuzzParse(f *testing.F) {
	for _, test := range wire {
		f.Add([]byte(test.text))
	}
	f.Add([]byte(`{"status":"failure","reason":"\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := answertest.Parse(text)
		if err != nil {
			if got != (answertest.Answer{}) {
				t.Fatalf("an answer beside the error %v", err)
			}
			return
		}
		if (got.Okay == nil) == (got.Failure == nil) {
			t.Fatalf("%+v", got)
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		written := write(t, got, members)
		again, err := answertest.Parse(written)
		if err != nil {
			t.Fatalf("%s, written as %s: %v", text, written, err)
		}
		if rewritten := write(t, again, members); !bytes.Equal(written, rewritten) {
			t.Fatalf("%s, then %s", written, rewritten)
		}
	})
}

// write returns the JSON of an answer, after a comparison with the members that
// encoding/json found.
func write(t *testing.T, a answertest.Answer, members map[string]any) []byte {
	t.Helper()
	var value json.Marshaler
	if a.Okay != nil {
		value = a.Okay
		if members["status"] != "okay" || members["issuer"] != a.Okay.Issuer || members["audience"] != a.Okay.Audience {
			t.Fatalf("%+v is read from %v", a.Okay, members)
		}
	} else {
		value = a.Failure
		if members["status"] != "failure" || members["reason"] != a.Failure.Reason || (members["undecided"] == true) != a.Failure.Undecided {
			t.Fatalf("%+v is read from %v", a.Failure, members)
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
