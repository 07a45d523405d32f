package certchain_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
)

// compareJOSE checks that go-jose accepts what ParseToken accepts, with the same algorithm,
// claims, signature and signed text.
func compareJOSE(t *testing.T, s string) {
	t.Helper()
	tok, err := certchain.ParseToken(s)
	if (tok == nil) != (err != nil) {
		t.Fatalf("%v with %v", tok, err)
	}
	if err != nil {
		return
	}
	jws, err := jose.ParseSignedCompact(s, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tok.Algorithm)})
	if err != nil {
		t.Fatalf("%.200q is accepted, and go-jose says: %v", s, err)
	}
	var claims map[string]josejson.RawMessage
	if err := josejson.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claims); err != nil {
		t.Fatalf("%.200q is accepted, and go-jose says of its claims: %v", s, err)
	}
	if len(claims) != len(tok.Claims.Names()) {
		t.Fatalf("%d claims, go-jose reads %d", len(tok.Claims.Names()), len(claims))
	}
	for name, want := range claims {
		if got, _ := tok.Claims.Get(name); !bytes.Equal(got, bytes.TrimSpace(want)) {
			t.Fatalf("claim %q is %q, go-jose reads %q", name, got, want)
		}
	}
	var ours, theirs recorder
	_ = tok.Verify(&recorderKey{recorder: &ours, alg: tok.Algorithm})
	_, _ = jws.Verify(&theirs)
	if ours.message != theirs.message || ours.signature != theirs.signature {
		t.Fatalf("of %.200q the signature %q is checked over %q, by go-jose %q over %q",
			s, ours.signature, ours.message, theirs.signature, theirs.message)
	}
}

// recorder records a signature and the signed text. Its verification always fails.
type recorder struct{ message, signature string }

func (s *recorder) VerifyPayload(message, signature []byte, _ jose.SignatureAlgorithm) error {
	s.message, s.signature = string(message), string(signature)
	return keys.ErrSignature
}

// recorderKey is a key of the algorithm alg with a recorder.
type recorderKey struct {
	keys.PublicKey // nil: other methods are not called
	recorder       *recorder
	alg            string
}

func (k *recorderKey) Algorithm() string { return k.alg }

func (k *recorderKey) Verify(message, signature []byte) error {
	return k.recorder.VerifyPayload(message, signature, "")
}

// tokens returns the tokens of all test vectors.
func tokens(tb testing.TB) (all []string) {
	tb.Helper()
	files, err := filepath.Glob("../testdata/vectors/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatal(err, files)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		var f struct{ Cases []struct{ Assertion string } }
		if err := json.Unmarshal(data, &f); err != nil {
			tb.Fatal(err)
		}
		for _, c := range f.Cases {
			all = append(all, strings.Split(c.Assertion, "~")...)
		}
	}
	return all
}

func TestOracle(t *testing.T) {
	accepted := 0
	for _, s := range tokens(t) {
		compareJOSE(t, s)
		if _, err := certchain.ParseToken(s); err == nil {
			accepted++
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d tokens of the vectors are accepted: the test checks little", accepted)
	}
}

// TestOracleMutants changes, inserts and removes each character of a token like one of a
// browser.
func TestOracleMutants(t *testing.T) {
	s, err := certchain.Sign(map[string]any{"aud": "https://rp.example", "exp": int64(1700000120000), "iat": int64(1700000000000), "x": "\"\\\u00e9"}, nil, userKey)
	if err != nil {
		t.Fatal(err)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~=+/\n\r "
	for i := range len(s) {
		for _, c := range alphabet {
			compareJOSE(t, s[:i]+string(c)+s[i+1:])
			compareJOSE(t, s[:i]+string(c)+s[i:])
		}
		compareJOSE(t, s[:i]+s[i+1:])
		compareJOSE(t, s[:i])
	}
}

// FuzzToken does the same with any text.
func FuzzToken(f *testing.F) {
	for i, s := range tokens(f) {
		if i%16 == 0 {
			f.Add(s)
		}
	}
	f.Add(token(`{"alg":"RS256"}`, `{"exp":"1313971280961"}`))
	f.Add(token(` {"kid":"\u0041","alg":"x"} `, `{"exp":1e3,"a":{"b":[1,2.5e-7,null]}}`))
	f.Fuzz(compareJOSE)
}
