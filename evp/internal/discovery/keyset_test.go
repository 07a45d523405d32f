package discovery_test

import (
	"crypto"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// usable returns how many entries are usable, and checks that each other has a reason
// without remote text.
func usable(t *testing.T, entries []discovery.Entry) (n int) {
	t.Helper()
	for i, e := range entries {
		switch {
		case e.Key != nil && e.Skipped == "":
			n++
		case e.Key != nil || e.Skipped == "" || strings.Contains(e.Skipped, "marker"):
			t.Errorf("entry %d: %+v", i+1, e)
		}
	}
	return n
}

// TestEntries checks which entries of a key set are usable.
func TestEntries(t *testing.T) {
	with := func(key, member string) string { return strings.Replace(key, "{", "{"+member+",", 1) }
	without := func(key, member string) string { return strings.Replace(key, member, "", 1) }
	for name, c := range map[string]struct {
		entry string
		ok    bool
	}{
		"Ed25519":                 {ed25519Key, true},
		"P-256":                   {p256Key, true},
		"RSA-2048":                {rsaKey(2048, 1), true},
		"RSA-4096":                {rsaKey(4096, 1), true},
		"EdDSA":                   {with(ed25519Key, `"alg":"EdDSA"`), true},
		"alg":                     {with(ed25519Key, `"alg":"Ed25519"`), true},
		"for signatures":          {with(p256Key, `"use":"sig"`), true},
		"other members":           {with(p256Key, `"x5c":[],"marker":{},"key_ops":["verify"]`), true},
		"no kid":                  {without(ed25519Key, `,"kid":"k1"`), true},
		"empty kid":               {strings.Replace(ed25519Key, "k1", "", 1), true},
		"RSA-1024":                {rsaKey(1024, 1), false},
		"RSA-4097":                {rsaKey(4097, 1), false},
		"RSA-4104":                {rsaKey(4104, 1), false},
		"RSA with exponent 3":     {strings.Replace(rsaKey(2048, 1), "AQAB", "Aw", 1), false},
		"private":                 {with(ed25519Key, `"d":"marker"`), false},
		"private, null":           {with(ed25519Key, `"d":null`), false},
		"symmetric":               {`{"kty":"oct","k":"marker"}`, false},
		"for encryption":          {with(ed25519Key, `"use":"enc"`), false},
		"alg of another kind":     {with(ed25519Key, `"alg":"ES256"`), false},
		"alg RS512":               {with(rsaKey(2048, 1), `"alg":"RS512"`), false},
		"alg a number":            {with(ed25519Key, `"alg":1`), false},
		"alg empty":               {with(ed25519Key, `"alg":""`), false},
		"kid a number":            {strings.Replace(ed25519Key, `"k1"`, "1", 1), false},
		"X25519":                  {strings.Replace(ed25519Key, "Ed25519", "X25519", 1), false},
		"P-384":                   {strings.Replace(p256Key, "P-256", "P-384", 1), false},
		"not on the curve":        {strings.Replace(p256Key, `"y":"x_`, `"y":"y_`, 1), false},
		"31 bytes":                {strings.Replace(ed25519Key, "34nU", "34g", 1), false},
		"33 bytes":                {strings.Replace(ed25519Key, "34nU", "34nUAA", 1), false},
		"padding":                 {strings.Replace(ed25519Key, "34nU", "34nU=", 1), false},
		"unused bits":             {strings.Replace(ed25519Key, "34nU", "34nV", 1), false},
		"unknown kty":             {`{"kty":"marker"}`, false},
		"kty a number":            {`{"kty":1}`, false},
		"empty object":            {`{}`, false},
		"string":                  {`"marker"`, false},
		"number":                  {`1`, false},
		"null":                    {`null`, false},
		"array":                   {`[` + ed25519Key + `]`, false},
		"Ed25519 in capitals":     {strings.Replace(ed25519Key, "Ed25519", "ED25519", 1), false},
		"members in other places": {`{"marker":` + ed25519Key + `}`, false},
	} {
		entries, err := discovery.ParseEntries([]byte(keySet(p256Key, c.entry)))
		if err != nil || len(entries) != 2 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := usable(t, entries); entries[0].Key == nil || (n == 2) != c.ok {
			t.Errorf("%s: %+v", name, entries[1])
		}
	}
}

func TestMalformedKeySet(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		rule  string
		count int
	}{
		"none":                {keySet(), "", 0},
		"one":                 {keySet(ed25519Key), "", 1},
		"white space":         {"\r\n\t " + keySet(ed25519Key) + "\n", "", 1},
		"other members":       {`{"marker":1,"keys":[` + ed25519Key + `]}`, "", 1},
		"64 entries":          {keySet(repeat(ed25519Key, 64)), "", 64},
		"64 KiB":              {keySet(ed25519Key) + strings.Repeat(" ", 64<<10-len(keySet(ed25519Key))), "", 1},
		"over 64 KiB":         {keySet(ed25519Key) + strings.Repeat(" ", 64<<10), "9.refused", 0},
		"65 entries":          {keySet(repeat(ed25519Key, 65)), "9.key-set", 0},
		"65 unusable entries": {keySet(repeat("1", 65)), "9.key-set", 0},
		"2000 entries":        {keySet(repeat("1", 2000)), "9.key-set", 0},
		"20 000 entries":      {keySet(repeat("1", 20_000)), "9.refused", 0},
		"15 members each":     {keySet(repeat(strings.Replace(ed25519Key, "}", `,"marker":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":0}}`, 1), 64)), "", 64},
		"1001 members":        {strings.Replace(keySet(), "{", "{"+repeat(`"marker":{}`, 1001)+",", 1), "9.refused", 0},
		"no keys":             {`{"Keys":[]}`, "9.key-set", 0},
		"keys an object":      {`{"keys":` + ed25519Key + `}`, "9.key-set", 0},
		"keys null":           {`{"keys":null}`, "9.key-set", 0},
		"array":               {"[" + ed25519Key + "]", "9.refused", 0},
		"HTML":                {"<html>marker", "9.refused", 0},
		"empty":               {"", "9.refused", 0},
		"duplicate":           {`{"keys":[],"keys":[]}`, "9.refused", 0},
		"duplicate below":     {keySet(`{"kty":"OKP","kty":"marker"}`), "9.refused", 0},
		"text after it":       {keySet() + "marker", "9.refused", 0},
	} {
		entries, err := discovery.ParseEntries([]byte(c.text))
		switch {
		case c.rule != "":
			checkError(t, name, err, discovery.Refused, c.rule)
		case err != nil || usable(t, entries) != c.count:
			t.Errorf("%s: %d entries, %v", name, len(entries), err)
		}
	}
}

func TestGmailKeySet(t *testing.T) {
	entries, err := discovery.ParseEntries(readFile(t, "gmail-jwks.json"))
	if err != nil || len(entries) != 5 || usable(t, entries) != 5 {
		t.Fatalf("%+v, %v", entries, err)
	}
	for _, e := range entries {
		if e.Kty != "OKP" || e.Crv != "Ed25519" || e.Alg != "EdDSA" || e.Kid != "" {
			t.Errorf("%+v", e)
		}
	}
}

// FuzzKeySet checks that usable keys are also keys for go-jose, and the same.
func FuzzKeySet(f *testing.F) {
	f.Add([]byte(keySet(ed25519Key, p256Key, rsaKey(2048, 1), `"x"`, `{"kty":"oct"}`)))
	f.Add(readFile(f, "gmail-jwks.json"))
	f.Add([]byte(keySet(repeat("1", 65))))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := discovery.ParseEntries(data)
		if err != nil {
			if err.Outcome != discovery.Refused || !strings.HasPrefix(err.Rule, "9.") {
				t.Errorf("%+v", err)
			}
			return
		}
		if len(entries) > 64 {
			t.Errorf("%d entries", len(entries))
		}
		for i, e := range entries {
			if (e.Key == nil) == (e.Skipped == "") {
				t.Errorf("entry %d: %+v", i, e)
			}
			if e.Key != nil {
				checkOracle(t, e)
			}
		}
	})
}

// checkOracle checks that go-jose reads the same key.
func checkOracle(t *testing.T, e discovery.Entry) {
	var other jose.JSONWebKey
	if err := other.UnmarshalJSON([]byte(mustJSON(t, e.Key))); err != nil {
		t.Errorf("go-jose: %v", err)
		return
	}
	if equal, ok := e.Key.Crypto().(interface{ Equal(x crypto.PublicKey) bool }); !ok || !equal.Equal(other.Key) {
		t.Errorf("go-jose: %v", other.Key)
	}
	if !other.IsPublic() || other.KeyID != e.Kid {
		t.Errorf("go-jose: kid %q, want %q", other.KeyID, e.Kid)
	}
}
