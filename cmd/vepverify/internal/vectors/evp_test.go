package vectors_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
)

// TestEVPVectors runs the test vectors of the Email Verification Protocol of the repository.
func TestEVPVectors(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "testdata", "evp", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := vectors.ReadTests(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(tests) < 270 {
		t.Errorf("%d cases", len(tests))
	}
	for _, c := range tests {
		if err := c.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", c.ID(), err)
		}
	}
}

// evpCase is a case whose token is malformed.
const evpCase = `{"name":"x","token":"x","audience":"https://rp.example","nonce":"n","now":0,"profile":"default","expect":"failure"`

// TestEVPFormat checks which files can be read, and that a wrong expectation is found.
func TestEVPFormat(t *testing.T) {
	for text, ok := range map[string]bool{
		evpCase + `}`: true,
		evpCase + `,"audience":["https://rp.example","x"],"more":1}`:                                  true,
		evpCase + `,"txt":{"a":{"error":"servfail"}},"http":{"https://a.example/":{"timeout":true}}}`: true,
		evpCase + `,"txt":{"a":{"error":"refused"}}}`:                                                 false,
		strings.Replace(evpCase, `"default"`, `"draft-03"`, 1) + `}`:                                  false,
		strings.Replace(evpCase, `"now":0,`, ``, 1) + `}`:                                             false,
		strings.Replace(evpCase, `"failure"`, `"refused"`, 1) + `}`:                                   false,
		strings.Replace(evpCase, `"audience":"https://rp.example"`, `"audience":7`, 1) + `}`:          false,
		strings.Replace(evpCase, `"audience":"https://rp.example",`, ``, 1) + `}`:                     false,
		`null`: false,
	} {
		_, err := vectors.ReadTests(strings.NewReader(`{"format":"vepverify-evp-vectors/1","cases":[` + text + `]}`))
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, expect := range []string{`"okay"`, `"undecided"`, `"failure","rule":"2.typ"`} {
		text := strings.Replace(evpCase, `"failure"`, expect, 1)
		tests, err := vectors.ReadTests(strings.NewReader(`{"format":"vepverify-evp-vectors/1","cases":[` + text + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := tests[0].Check(t.Context()); err == nil {
			t.Errorf("%s passes", expect)
		}
	}
	// Files of the other format cannot be read as a File of generated cases.
	if _, err := vectors.Read(strings.NewReader(`{"format":"vepverify-evp-vectors/1","cases":[]}`)); err == nil {
		t.Error("Read accepts the other format")
	}
}

// TestEVPAnswer checks that the answer has exactly the members that a case has.
func TestEVPAnswer(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "testdata", "evp", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	for answer, ok := range map[string]bool{
		``:   true,
		`{}`: false,
		`{"email":"alice@mail.example","issuer":"accounts.issuer.example","audience":"https://rp.example"}`:                                        false,
		`{"email":"alice@mail.example","issuer":"accounts.issuer.example","audience":"https://rp.example","expires":1795987808000}`:                true,
		`{"email":"alice@mail.example","issuer":"accounts.issuer.example","audience":"https://rp.example","expires":1795987808000,"private":true}`: false,
		`{"email":"alice@mail.example","issuer":"accounts.issuer.example","audience":"https://rp.example","expires":1795987808000,"private":null}`: true,
		`{"email":"alice@mail.example","issuer":"https://accounts.issuer.example","audience":"https://rp.example","expires":1795987808000}`:        false,
	} {
		tests, err := vectors.ReadTests(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		c := tests[0].(*vectors.EVPCase)
		c.Answer = nil
		if answer != "" {
			if err := json.Unmarshal([]byte(answer), &c.Answer); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Check(t.Context()); (err == nil) != ok {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestEVPURLs checks that the URLs of responses may be written in several ways.
func TestEVPURLs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "testdata", "evp", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	for written, ok := range map[string]bool{
		"https://accounts.issuer.example/jwks": true, "https://accounts.issuer.example:443/jwks": true,
		"HTTPS://Accounts.Issuer.example/jwks": true, "https://accounts.issuer.example/JWKS": false,
		"https://accounts.issuer.example/jwks?x": false, "http://accounts.issuer.example/jwks": false, "%": false,
	} {
		text := strings.ReplaceAll(string(data), `"https://accounts.issuer.example/jwks":`, `"`+written+`":`)
		tests, err := vectors.ReadTests(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := tests[0].Check(t.Context()); (err == nil) != ok {
			t.Errorf("%s, %s: %v", tests[0].ID(), written, err)
		}
	}
}

// TestEVPEmptyNonce checks that a case without an expected nonce is a failure.
func TestEVPEmptyNonce(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "testdata", "evp", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := vectors.ReadTests(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tests {
		test := c.(*vectors.EVPCase)
		test.Nonce, test.Expect, test.Answer, test.Rule = "", vectors.Failure, nil, ""
		if err := test.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", test.Name, err)
		}
	}
}
