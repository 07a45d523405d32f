package vectors_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
)

const testdata = "../../../../testdata/vectors"

// file returns the vectors of a file.
func file(t *testing.T, path string) *vectors.File {
	t.Helper()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := vectors.Read(r)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

// cases returns all committed cases.
func cases(t *testing.T) []vectors.Case {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var all []vectors.Case
	for _, path := range paths {
		all = append(all, file(t, path).Cases...)
	}
	return all
}

func TestCommittedCasesPass(t *testing.T) {
	for _, c := range cases(t) {
		if err := c.Check(context.Background()); err != nil {
			t.Errorf("%s: %v (%s)", c.Name, err, c.Comment)
		}
	}
}

// TestCachesChangeNothing checks that every case has the same answer with the verifier's
// caches cold, warm and off.
func TestCachesChangeNothing(t *testing.T) {
	for _, c := range cases(t) {
		for _, size := range []int{0, -1} {
			v, err := c.Verifier(func(config *assertion.Config) { config.CertificateCache, config.KeyTables = size, size })
			if err != nil {
				t.Fatal(err)
			}
			for round := range 4 { // from the third on, keys have tables
				if err := c.CheckWith(t.Context(), v); err != nil {
					t.Errorf("%s, caches of size %d, round %d: %v", c.Name, size, round, err)
				}
			}
		}
	}
}

// TestOfflineCasesNeedNoHost runs the cases with hosts that do not answer. Cases that fail
// offline must fail as before. All others must be undecided.
func TestOfflineCasesNeedNoHost(t *testing.T) {
	offline := 0
	for _, c := range cases(t) {
		before := c.Expect
		c.Responses = map[string]vectors.Response{}
		for _, host := range append(names(c), "idp.example") {
			c.Responses[host] = vectors.Response{Timeout: true}
		}
		err := c.Check(context.Background())
		if before == vectors.Failure && err == nil {
			offline++
			continue
		}
		c.Expect, c.Answer, c.Reason = vectors.Undecided, nil, ""
		if err := c.Check(context.Background()); err != nil {
			t.Errorf("%s: with silent hosts: %v", c.Name, err)
		}
	}
	if offline < 100 {
		t.Errorf("only %d cases fail offline", offline)
	}
}

// names returns the hosts that a case may contact.
func names(c vectors.Case) []string {
	hosts := append([]string{c.Config.Fallback, "192.0.2.7"}, c.Config.TrustedIssuers...)
	for host := range c.Documents {
		hosts = append(hosts, host)
	}
	var answer struct{ Email, Issuer string }
	for name, into := range map[string]*string{"email": &answer.Email, "issuer": &answer.Issuer} {
		if raw, ok := c.Answer[name]; ok {
			_ = json.Unmarshal(raw, into) // null leaves it empty
		}
	}
	_, domain, _ := strings.Cut(answer.Email, "@")
	return append(hosts, domain, answer.Issuer)
}

// validCase returns a committed case of a valid assertion.
func validCase(t *testing.T) vectors.Case {
	t.Helper()
	return file(t, filepath.Join(testdata, "structure.json")).Cases[0]
}

// TestCheckReportsDifferences changes a case and checks the error.
func TestCheckReportsDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*vectors.Case)
		want   string // in the error
	}{
		"nothing":            {func(c *vectors.Case) {}, ""},
		"outcome":            {func(c *vectors.Case) { c.Expect = vectors.Failure }, "expected failure, got okay"},
		"undecided":          {func(c *vectors.Case) { c.Expect = vectors.Undecided }, "expected undecided, got okay"},
		"another failure":    {func(c *vectors.Case) { c.Assertion = "" }, "expected okay, got failure: no certificates provided"},
		"answer":             {func(c *vectors.Case) { c.Answer["email"] = json.RawMessage(`"bob@idp.example"`) }, "email is alice@idp.example"},
		"absent in answer":   {func(c *vectors.Case) { c.Answer["reason"] = json.RawMessage(`"x"`) }, "reason is absent"},
		"present in answer":  {func(c *vectors.Case) { c.Answer["email"] = json.RawMessage(`null`) }, "email is present"},
		"number and text":    {func(c *vectors.Case) { c.Answer["expires"] = json.RawMessage(`"1767225720000"`) }, "expires is 1767225720000"},
		"last digit":         {func(c *vectors.Case) { c.Answer["expires"] = json.RawMessage(`1767225720001`) }, "expires is 1767225720000"},
		"same number":        {func(c *vectors.Case) { c.Answer["expires"] = json.RawMessage(`1767225720000.0`) }, ""},
		"huge exponent":      {func(c *vectors.Case) { c.Answer["expires"] = json.RawMessage(`1e999999999`) }, "expires is 1767225720000"},
		"reason of an okay":  {func(c *vectors.Case) { c.Reason = "expired" }, `expected the reason "expired", got ""`},
		"impossible config":  {func(c *vectors.Case) { c.Config.Fallback = "https://x" }, "fallback"},
		"clock":              {func(c *vectors.Case) { *c.Now += 24 * 3600_000 }, "got failure: expired"},
		"audience":           {func(c *vectors.Case) { c.Audience = "https://other.example" }, "got failure: audience mismatch"},
		"no document":        {func(c *vectors.Case) { c.Documents = nil }, "got failure"},
		"silent host":        {func(c *vectors.Case) { c.Responses["idp.example"] = vectors.Response{Timeout: true} }, "got undecided"},
		"response over docs": {func(c *vectors.Case) { c.Responses["idp.example"] = vectors.Response{Status: 500} }, "got undecided"},
	} {
		t.Run(name, func(t *testing.T) {
			tested := validCase(t)
			tested.Responses = map[string]vectors.Response{}
			c.change(&tested)
			err := tested.Check(context.Background())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestReasonIsAPrefix checks that the expected reason is a prefix of the actual one.
func TestReasonIsAPrefix(t *testing.T) {
	for reason, want := range map[string]bool{"": true, "no cert": true, "no certificates provided": true, "certificates": false, "no certificates provided.": false} {
		c := validCase(t)
		c.Assertion, c.Expect, c.Answer, c.Reason = "x", vectors.Failure, nil, reason
		if err := c.Check(context.Background()); (err == nil) != want {
			t.Errorf("%q: %v", reason, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const body = `"name":"x","assertion":"","audience":"","now":0,"expect":"failure"`
	for name, text := range map[string]string{
		"no JSON":               ``,
		"an array":              `[]`,
		"no format":             `{"cases":[]}`,
		"another format":        `{"format":"vepverify-vectors/2","cases":[]}`,
		"unknown member":        `{"format":"vepverify-vectors/1","cases":[],"x":1}`,
		"text after it":         `{"format":"vepverify-vectors/1","cases":[]} x`,
		"unknown in a case":     `{"format":"vepverify-vectors/1","cases":[{` + body + `,"x":1}]}`,
		"unknown in config":     `{"format":"vepverify-vectors/1","cases":[{` + body + `,"config":{"x":1}}]}`,
		"unknown in a response": `{"format":"vepverify-vectors/1","cases":[{` + body + `,"responses":{"a":{"x":1}}}]}`,
		"no name":               `{"format":"vepverify-vectors/1","cases":[{"now":0,"expect":"okay"}]}`,
		"no now":                `{"format":"vepverify-vectors/1","cases":[{"name":"x","expect":"okay"}]}`,
		"no expect":             `{"format":"vepverify-vectors/1","cases":[{"name":"x","now":0}]}`,
		"unknown expect":        `{"format":"vepverify-vectors/1","cases":[{"name":"x","now":0,"expect":"ok"}]}`,
		"negative leeway":       `{"format":"vepverify-vectors/1","cases":[{` + body + `,"config":{"leeway":-1}}]}`,
		"now that is a string":  `{"format":"vepverify-vectors/1","cases":[{"name":"x","now":"0","expect":"okay"}]}`,
	} {
		if f, err := vectors.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%s: read as %+v", name, f)
		}
	}
	f, err := vectors.Read(strings.NewReader(`{"format":"vepverify-vectors/1","cases":[{` + body + `}]}` + "\n"))
	if err != nil || len(f.Cases) != 1 || *f.Cases[0].Now != 0 || f.Cases[0].Name != "x" {
		t.Errorf("a file of one case: %+v, %v", f, err)
	}
}
