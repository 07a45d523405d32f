package wellknown_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/wellknown"
)

// The group of all known DSA keys of that size (PROTOCOL §2).
const (
	dsaP = "ff600483db6abfc5b45eab78594b3533d550d9f1bf2a992a7a8daa6dc34f8045ad4e6e0c429d334eeeaaefd7e23d4810be00e4cc1492cba325ba81ff2d5a5b305a8d17eb3bf4a06a349d392e00d329744a5179380344e82a18c47933438f891e22aeef812d69c8f75e326cb70ea000c3f776dfdbd604638c2ef717fc26d02e17"
	dsaQ = "e21e04f911d1ed7991008ecaab3bf775984309c3"
	dsaG = "c52a4a0ff3b7e61fdf1867ce84138369a6154f4afa92966e3c827e25cfa6cf508b90e5de419e1337e07a2e9e2a3cd5dea704d175f8ebf6af397d69e110b96afb17c7a03259329e4829b0d03bbc7896b15b4ade53e130858cc34d96269aa89041f409136c7242a38895c9d5bccad4f389af1d7a4bd1398bd072dffa896233397a"
)

func dsaKey(y string) string {
	return fmt.Sprintf(`{"algorithm":"DS","p":%q,"q":%q,"g":%q,"y":%q}`, dsaP, dsaQ, dsaG, y)
}

// used returns an entry of "keys" with that use.
func used(key, use string) string { return strings.TrimSuffix(key, "}") + `,"use":` + use + "}" }

// paths are the members that a document with keys needs besides.
const paths = `"authentication":"/auth","provisioning":"/prov"`

func several(entries ...string) string {
	return `{"keys":[` + strings.Join(entries, ",") + `],` + paths + `}`
}

// members returns n members of an object.
func members(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `,"%x":0`, i)
	}
	return s.String()[1:]
}

func TestParseDocument(t *testing.T) {
	rs, weak, ds, large := rsaKey(2048, 1), rsaKey(512, 1), dsaKey(dsaG), rsaKey(4097, 1)
	bad := dsaKey("2") // y is not in the group
	times := func(n int, key string) []string { return slices.Repeat([]string{key}, n) }
	for name, c := range map[string]struct {
		text string
		want string // algorithms of public-key and keys, disabled, or → and a host
	}{
		"public-key":               {`{"public-key":` + rs + `,` + paths + `}`, "RS256"},
		"keys":                     {several(rs, ds), "RS256 DS128"},
		"both":                     {`{"keys":[` + rs + `],"public-key":` + ds + `,` + paths + `}`, "DS128 RS256"},
		"keys for signatures":      {several(used(rs, `"sig"`), used(ds, `"sig"`)), "RS256 DS128"},
		"JWK":                      {several(`{"kty":"RSA","n":"` + strings.Repeat("_", 341) + `w","e":"AQAB","use":"sig"}`), "RS256"},
		"keys for encryption":      {several(used(rs, `"enc"`), ds), "DS128"},
		"odd use":                  {several(used(rs, `7`), used(rs, `null`), used(rs, `["sig"]`), used(rs, `"SIG"`), ds), "DS128"},
		"malformed, but not ours":  {several(`{"use":"enc"}`), ""},
		"unknown kty":              {several(`{"kty":"EC","crv":"P-256","x":"","y":""}`, ds), "DS128"},
		"no keys":                  {several(), ""},
		"weak in keys":             {several(weak, rs), "RS64 RS256"},
		"weak public-key":          {`{"public-key":` + weak + `,` + paths + `}`, "RS64"},
		"sixteen keys":             {several(strings.Split(strings.Repeat(" "+used(rs, `"enc"`), 16), " ")[1:]...), ""},
		"too large in keys":        {several(large, rs), "RS256"},
		"too large JWK":            {several(`{"kty":"RSA","n":"`+strings.Repeat("_", 1024)+`","e":"AQAB"}`, rs), "RS256"},
		"too large public-key":     {`{"public-key":` + large + `,` + paths + `}`, ""},
		"too large and another":    {`{"public-key":` + large + `,"keys":[` + rs + `],` + paths + `}`, "RS256"},
		"4096 bits":                {several(rsaKey(4096, 1)), "RS256"},
		"four DSA keys":            {several(times(4, ds)...), strings.Repeat("DS128 ", 3) + "DS128"},
		"five DSA keys":            {several(append(times(5, ds), rs)...), strings.Repeat("DS128 ", 4) + "RS256"},
		"fifth DSA key bad":        {several(append(times(4, ds), bad, `{"kty":"DSA"}`)...), strings.Repeat("DS128 ", 3) + "DS128"},
		"fourth DSA key bad":       {several(append(times(3, ds), bad)...), "malformed"},
		"DSA public-key counts":    {`{"public-key":` + ds + `,"keys":[` + strings.Join(append(times(3, ds), bad), ",") + `],` + paths + `}`, strings.Repeat("DS128 ", 3) + "DS128"},
		"only for signatures":      {several(append(times(8, used(ds, `"enc"`)), bad)...), "malformed"},
		"without paths":            {`{"public-key":` + rs + `}`, "RS256"},
		"disabled":                 {`{"disabled":true}`, "disabled"},
		"disabled, all else wrong": {`{"disabled":true,"authority":7,"keys":7}`, "disabled"},
		"not disabled":             {`{"disabled":false,"public-key":` + rs + `,` + paths + `}`, "RS256"},
		"delegation":               {`{"authority":"A.example"}`, "→a.example"},
		"delegation, port":         {`{"authority":"a.example:8443"}`, "→a.example:8443"},
		"delegation before keys":   {`{"authority":"a.example","public-key":7,"authentication":7}`, "→a.example"},
		"unknown members":          {`{"x":{"y":[]},"public-key":` + rs + `,` + paths + `}`, "RS256"},

		"most members":               {`{"keys":[],` + paths + `,"x":{` + members(996) + `}}`, ""},
		"delegation, largest":        {`{"authority":"a.example"` + strings.Repeat(" ", 4096-25) + `}`, "→a.example"},
		"delegation, too large":      {`{"authority":"a.example"` + strings.Repeat(" ", 4097-25) + `}`, "malformed"},
		"too many members":           {`{"keys":[],` + paths + `,"x":{` + members(997) + `}}`, "malformed"},
		"nothing":                    {``, "malformed"},
		"no object":                  {`[]`, "malformed"},
		"empty object":               {`{}`, "malformed"},
		"paths only":                 {`{` + paths + `}`, "malformed"},
		"byte order mark":            {"\ufeff" + several(rs), "malformed"},
		"twice":                      {`{"keys":[],"keys":[],` + paths + `}`, "malformed"},
		"twice in a key":             {several(`{"algorithm":"RS","n":"1","n":"1","e":"3"}`), "malformed"},
		"case":                       {`{"Keys":[],` + paths + `}`, "malformed"},
		"text behind":                {several(rs) + "x", "malformed"},
		"disabled: string":           {`{"disabled":"true"}`, "malformed"},
		"disabled: number":           {`{"disabled":1}`, "malformed"},
		"disabled: null":             {`{"disabled":null,"authority":"a.example"}`, "malformed"},
		"authority: null":            {`{"authority":null}`, "malformed"},
		"authority: object":          {`{"authority":{}}`, "malformed"},
		"authority: empty":           {`{"authority":""}`, "malformed"},
		"authority: URL":             {`{"authority":"https://a.example"}`, "malformed"},
		"authority: user":            {`{"authority":"user@a.example"}`, "malformed"},
		"authority: path":            {`{"authority":"a.example/x"}`, "malformed"},
		"authority: dot":             {`{"authority":"a.example."}`, "malformed"},
		"authority: IPv6":            {`{"authority":"[::1]"}`, "malformed"},
		"authority: Unicode":         {`{"authority":"bücher.example"}`, "malformed"},
		"public-key: null":           {`{"public-key":null,` + paths + `}`, "malformed"},
		"public-key: string":         {`{"public-key":"x",` + paths + `}`, "malformed"},
		"keys: unknown algorithm":    {several(`{"algorithm":"XX","n":"1"}`, ds), "malformed"},
		"public-key: unknown":        {`{"public-key":{"kty":"EC"},` + paths + `}`, "malformed"},
		"public-key: size":           {`{"public-key":` + rsaKey(1536, 1) + `,` + paths + `}`, "malformed"},
		"public-key: bad, good keys": {`{"public-key":{},"keys":[` + rs + `],` + paths + `}`, "malformed"},
		"keys: null":                 {`{"keys":null,"public-key":` + rs + `,` + paths + `}`, "malformed"},
		"keys: object":               {`{"keys":{},` + paths + `}`, "malformed"},
		"keys: seventeen":            {several(strings.Split(strings.Repeat(" "+used(rs, `"enc"`), 17), " ")[1:]...), "malformed"},
		"keys: null in it":           {several(rs, `null`), "malformed"},
		"keys: empty in it":          {several(rs, `{}`), "malformed"},
		"keys: broken in it":         {several(rs, `{"algorithm":"RS","n":"x","e":"3"}`), "malformed"},
		"keys: even modulus":         {several(`{"algorithm":"RS","n":"` + "2" + strings.Repeat("0", 616) + `","e":"65537"}`), "malformed"},
		"keys: y outside the group":  {several(dsaKey("2")), "malformed"},
		"authentication: null":       {`{"keys":[],"authentication":null,"provisioning":"/"}`, "malformed"},
		"authentication: empty":      {`{"keys":[],"authentication":"","provisioning":"/"}`, "malformed"},
		"authentication: URL":        {`{"keys":[],"authentication":"https://a.example/","provisioning":"/"}`, "malformed"},
		"authentication: query":      {`{"keys":[],"authentication":"/a?b","provisioning":"/"}`, "malformed"},
		"authentication: escaped ?":  {`{"keys":[],"authentication":"/a\u003fb","provisioning":"/"}`, "malformed"},
		"authentication: too long":   {`{"keys":[],"authentication":"/` + strings.Repeat("a", 1<<14) + `","provisioning":"/"}`, "malformed"},
		"provisioning: fragment":     {`{"keys":[],"authentication":"/","provisioning":"/#"}`, "malformed"},
		"provisioning: number":       {`{"keys":[],"authentication":"/","provisioning":7}`, "malformed"},
		"provisioning: bad, alone":   {`{"keys":[],"provisioning":"x"}`, "malformed"},
	} {
		d, err := wellknown.ParseDocument([]byte(c.text))
		if got := outline(d, err); got != c.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, c.want, err)
		}
	}
}

func outline(d *wellknown.Document, err error) string {
	switch {
	case err != nil:
		return "malformed"
	case d.Disabled:
		return "disabled"
	case d.Authority != "":
		return "→" + d.Authority
	}
	var algorithms []string
	if d.PublicKey != nil {
		algorithms = append(algorithms, d.PublicKey.Algorithm())
	}
	for _, key := range d.Keys {
		algorithms = append(algorithms, key.Algorithm())
	}
	return strings.Join(algorithms, " ")
}

// TestWeakKeys checks that an Authority has weak keys separately.
func TestWeakKeys(t *testing.T) {
	s, err := wellknown.NewStatic(map[string]json.RawMessage{
		host: json.RawMessage(`{"public-key":` + rsaKey(512, 1) + `,"keys":[` + rsaKey(2048, 1) + `,` + rsaKey(1023, 1) + `,` + dsaKey(dsaG) + `],` + paths + `}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Authority(t.Context(), host, host)
	if err != nil {
		t.Fatal(err)
	}
	var usable, weak []string
	for _, k := range a.Keys {
		usable = append(usable, k.Algorithm())
	}
	for _, k := range a.WeakKeys {
		weak = append(weak, k.Algorithm())
	}
	if diff := cmp.Diff([][]string{{"RS256", "DS128"}, {"RS64", "RS128"}}, [][]string{usable, weak}); diff != "" {
		t.Error(diff)
	}
}

// TestSkippedKeys checks that a document and an Authority tell which keys are skipped, and
// nothing of their text.
func TestSkippedKeys(t *testing.T) {
	large := `{"kty":"RSA","n":"` + strings.Repeat("_", 1000) + `","e":"AQAB"}`
	text := `{"public-key":` + large + `,"keys":[` + strings.Join([]string{
		dsaKey(dsaG), used(rsaKey(2048, 1), `"enc"`), `{"kty":"hostile","x":"hostile"}`, rsaKey(512, 1), large,
		dsaKey(dsaG), dsaKey(dsaG), dsaKey(dsaG), dsaKey(dsaG),
	}, ",") + `],` + paths + `}`
	want := map[int]string{0: "too large", 2: "use", 3: "unknown key type", 5: "too large", 9: "more than 4 DSA keys"}
	s, err := wellknown.NewStatic(map[string]json.RawMessage{host: json.RawMessage(text)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the answers share nothing
		a, err := s.Authority(t.Context(), host, host)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.SkippedKeys) != len(want) {
			t.Errorf("skipped: %v", a.SkippedKeys)
		}
		for i, k := range a.SkippedKeys {
			if want[k.Entry] == "" || !strings.Contains(k.Reason, want[k.Entry]) || strings.Contains(k.String(), "hostile") {
				t.Errorf("entry %d: %q", k.Entry, k)
			}
			a.SkippedKeys[i].Reason = "changed"
		}
	}
}

// TestDocumentJSON checks that a Document is marshaled from a value as from a pointer, and
// that json.Unmarshal is as strict as ParseDocument.
func TestDocumentJSON(t *testing.T) {
	for _, text := range []string{
		`{"disabled":true}`, delegation("a.example"), document(1), several(used(rsaKey(2048, 1), `"sig"`)), several(),
	} {
		d, err := wellknown.ParseDocument([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		written := mustJSON(t, *d)
		if written != mustJSON(t, d) || mustJSON(t, []wellknown.Document{*d}) != "["+written+"]" {
			t.Errorf("a value is written as %s", written)
		}
		var read struct{ D wellknown.Document }
		if err := json.Unmarshal([]byte(`{"D":`+text+`}`), &read); err != nil || mustJSON(t, read.D) != written {
			t.Errorf("%s: read as %s, %v", text, mustJSON(t, read.D), err)
		}
	}
	for _, text := range []string{`null`, `{}`, `[]`, `{"Disabled":true}`, `{"disabled":true,"disabled":true}`, `{"authority":7}`} {
		d := wellknown.Document{Authority: "kept.example"}
		if err := json.Unmarshal([]byte(text), &d); err == nil || d.Authority != "kept.example" {
			t.Errorf("%s: read as %+v, %v", text, d, err)
		}
	}
}

// FuzzParseDocument checks that there is a document or an error, that a document has no
// invalid host or path, and that it is equal after it was written and parsed again.
func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{
		document(1), several(used(rsaKey(2048, 1), `"sig"`), dsaKey(dsaG)), several(), delegation("a.example:1"), `{"disabled":true}`,
		`{"disabled":false,"keys":[{"kty":"EC","use":"sig"}],"provisioning":"/p\u2028<&>"}`, several(rsaKey(512, 3), rsaKey(1023, 1)),
		`{"authority":"https://a.example"}`, `{"public-key":{}}`, `{"keys":[null]}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := wellknown.ParseDocument(data)
		if (d == nil) == (err == nil) {
			t.Fatalf("%v with error %v", d, err)
		}
		if err != nil {
			return
		}
		if strings.ContainsAny(d.Authority, "/@[]#? ") || strings.ContainsAny(d.Authentication+d.Provisioning, "?#") {
			t.Fatalf("%+v", d)
		}
		written := mustJSON(t, d)
		again, err := wellknown.ParseDocument([]byte(written))
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if twice := mustJSON(t, again); twice != written || (again.Keys == nil) != (d.Keys == nil) || outline(again, nil) != outline(d, nil) {
			t.Fatalf("%s\nreads as\n%s", written, twice)
		}
	})
}
