package wellknown_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/wellknown"
)

func TestParseStatic(t *testing.T) {
	for text, ok := range map[string]bool{
		`{}`:                    true,
		`{"a.example":null}`:    true,
		`{"A.example" : null }`: true,
		`{"a.example":` + document(1) + `,"b.example":` + delegation("c.example") + `}`: true,
		``:                                     false,
		`null`:                                 false,
		`[]`:                                   false,
		`{"a.example":{}}`:                     false,
		`{"a.example":"x"}`:                    false,
		`{"a.example":false}`:                  false,
		`{"no domain":null}`:                   false,
		`{"https://a.example":0}`:              false,
		`{"https://a.example":null}`:           false,
		`{"https://a.example/":{}}`:            false,
		`{"https://a.example/jwks":0}`:         false,
		`{"_email-verification.a.example":{}}`: false,
		`{"_email-verification.a.example":"iss=i.example"}`:                                                                                    true,
		`{"https://a.example/.well-known/browserid":` + document(1) + `}`:                                                                      false,
		`{"_email-verification.a.example":["iss=i.example"],"https://i.example/jwks":{"keys":[]},"https://j.example/x":null,"a.example":null}`: true,
		`{"a.example":null,"a.example":null}`:                                                                                                  false,
		`{"a.example":null,"A.example":null}`:                                                                                                  false,
		`{"a.example":null,"a.example?domain=b.example":null,"a.example?domain=c.example":null}`:                                               true,
		`{"a.example?domain=b.example":null,"A.example?domain=B.example":null}`:                                                                false,
		`{"a.example?domain=":null}`:                                                                                                           false,
		`{"?domain=b.example":null}`:                                                                                                           false,
		`{"a.example?domain=no domain":null}`:                                                                                                  false,
		`{"a.example?domain=b.example&x":null}`:                                                                                                false,
		`{"a.example?domain=b.example":{}}`:                                                                                                    false,
		document(1):                                                                                                                            false,
	} {
		s, err := wellknown.ParseStatic([]byte(text))
		if (err == nil) != ok || (s == nil) == ok {
			t.Errorf("%.60s: %v", text, err)
		}
	}
	if s, err := wellknown.ParseStatic([]byte(`{"a.example":null,"b.example":` + document(1) + `}`)); err != nil || s.Len() != 2 {
		t.Errorf("two hosts: %v", err)
	}
	if s, err := wellknown.NewStatic(map[string]json.RawMessage{"a.example": json.RawMessage(``)}); err == nil {
		t.Errorf("an empty document is read as %v", s)
	}
}

func TestLoadStatic(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	file := write("all.json", `{"idp.example":`+document(1)+`,"null.example":null}`)
	write("good/IDP.example.json", "\n"+document(1)+"\n")
	write("good/null.example.json", "null\n")
	write("good/IDP.example?domain=user.example.json", delegation("absent.example"))
	write("good/README.md", "not a document")
	write("bad/idp.example.json", `{}`)
	write("name/no domain.json", `null`)
	write("none/README.md", "")
	for _, path := range []string{file, filepath.Join(dir, "good")} {
		s, err := wellknown.LoadStatic(path)
		if err != nil {
			t.Fatal(err)
		}
		for asked, want := range map[string]error{host: nil, "null.example": row3, "absent.example": row4} {
			if a, err := s.Authority(t.Context(), asked, asked); row(t, a, err) != want {
				t.Errorf("%s: %s: %v", path, asked, err)
			}
		}
	}
	for _, path := range []string{write("bad.json", "{"), write("empty.json", ""), filepath.Join(dir, "bad"), filepath.Join(dir, "name"), filepath.Join(dir, "none")} {
		if s, err := wellknown.LoadStatic(path); err == nil {
			t.Errorf("%s is read as %v", path, s)
		}
	}
	if _, err := wellknown.LoadStatic(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestStaticEmailDomain checks that an entry for one email domain is used for that one only,
// also after a delegation.
func TestStaticEmailDomain(t *testing.T) {
	s, err := wellknown.ParseStatic([]byte(`{
		"fallback.example": ` + document(1) + `,
		"fallback.example?domain=bridged.example": ` + delegation("bridge.example") + `,
		"fallback.example?domain=out.example": null,
		"only.example?domain=bridged.example": ` + document(2) + `,
		"bridge.example": ` + delegation("keys.example") + `,
		"keys.example?domain=bridged.example": ` + document(3) + `
	}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, emailDomain, authority string
		want                         error
	}{
		{"fallback.example", "fallback.example", "fallback.example", nil},
		{"fallback.example", "user.example", "fallback.example", nil},
		{"Fallback.example", "Bridged.example", "keys.example", nil},
		{"fallback.example", "out.example", "", row3},
		{"only.example", "bridged.example", "only.example", nil},
		{"only.example", "user.example", "", row4},
		{"only.example", "only.example", "", row4},
		{"bridge.example", "bridged.example", "keys.example", nil},
		{"bridge.example", "user.example", "", row4},
	} {
		a, err := s.Authority(t.Context(), c.host, c.emailDomain)
		if row(t, a, err) != c.want || a != nil && a.Domain != c.authority {
			t.Errorf("%s, %s: %+v, %v", c.host, c.emailDomain, a, err)
		}
	}
}

// TestSave checks that a saved bundle has the answers of the resolver that saved it.
func TestSave(t *testing.T) {
	documents := map[string]json.RawMessage{
		"self.example":     json.RawMessage(document(1)),
		"many.example":     json.RawMessage(`{"keys":[` + rsaKey(2048, 2) + `,` + rsaKey(512, 1) + `,` + dsaKey(dsaG) + `],"public-key":` + rsaKey(2048, 3) + `,` + paths + `}`),
		"empty.example":    json.RawMessage(several()),
		"one.example":      json.RawMessage(delegation("two.example")),
		"two.example":      json.RawMessage(delegation("self.example")),
		"circle.example":   json.RawMessage(delegation("circle.example")),
		"nowhere.example":  json.RawMessage(delegation("null.example")),
		"disabled.example": json.RawMessage(`{"disabled":true}`),
		"short.example":    json.RawMessage(`{"public-key":` + rsaKey(2048, 1) + `}`),
		"null.example":     nil,
	}
	r := resolver(t, wellknown.Config{InsecureTransport: serving(documents)})
	asked := names(documents)
	var saved, again bytes.Buffer
	if err := r.Save(t.Context(), &saved, asked...); err != nil {
		t.Fatal(err)
	}
	s, err := wellknown.ParseStatic(saved.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range asked {
		a, errA := r.Authority(t.Context(), name, name)
		b, errB := s.Authority(t.Context(), name, name)
		if row(t, a, errA) != row(t, b, errB) {
			t.Errorf("%s: %v, saved %v", name, errA, errB)
		}
		if diff := cmp.Diff(describe(t, a, errA), describe(t, b, errB)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if err := resolver(t, wellknown.Config{InsecureTransport: serving(documents)}).Save(t.Context(), &again, asked...); err != nil || again.String() != saved.String() {
		t.Errorf("saved again: %v\n%s\n%s", err, &saved, &again)
	}
	if !strings.HasPrefix(saved.String(), "{\n  \"circle.example\": {\n    \"authority\"") || !strings.HasSuffix(saved.String(), "\n}\n") {
		t.Errorf("saved %s", &saved)
	}
}

// describe returns a text that is equal for equal authorities. It does not have the times.
func describe(t *testing.T, a *wellknown.Authority, err error) string {
	var incomplete *wellknown.IncompleteError
	if errors.As(err, &incomplete) {
		a = incomplete.Authority
	}
	if a == nil {
		return ""
	}
	b := *a
	b.Fetched, b.Expires = start, start
	return mustJSON(t, b)
}

func TestSaveDelegates(t *testing.T) {
	r := resolver(t, wellknown.Config{InsecureTransport: serving(map[string]json.RawMessage{
		"one.example": json.RawMessage(delegation("two.example")),
		"two.example": json.RawMessage(document(1)),
	})})
	var saved bytes.Buffer
	if err := r.Save(t.Context(), &saved, "ONE.example"); err != nil {
		t.Fatal(err)
	}
	var hosts map[string]json.RawMessage
	if err := json.Unmarshal(saved.Bytes(), &hosts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one.example", "two.example"}, names(hosts)); diff != "" {
		t.Error(diff)
	}
}

// TestSaveEmailDomains checks the names of the entries of a bundle, and that it has the
// answers of the resolver.
func TestSaveEmailDomains(t *testing.T) {
	transport := roundTripper(func(q *http.Request) (*http.Response, error) {
		emailDomain := q.URL.Query().Get("domain")
		switch q.URL.Host {
		case "fallback.example":
			if emailDomain == "bridged.example" {
				return reply(200, delegation("bridge.example"))
			}
		case "a.example", "b.example":
			return reply(200, delegation("varying.example"))
		case "varying.example":
			return reply(200, `{"keys":[],"authentication":"/`+emailDomain+`","provisioning":"/"}`)
		case "bridged.example", "user.example":
			return reply(404, "")
		}
		return reply(200, document(1))
	})
	for _, c := range []struct{ saved, entries []string }{
		{[]string{"bridged.example", "fallback.example?domain=bridged.example"},
			[]string{"bridge.example", "bridged.example", "fallback.example?domain=bridged.example"}},
		{[]string{"Fallback.example", "Fallback.example?domain=Bridged.example"},
			[]string{"bridge.example", "fallback.example", "fallback.example?domain=bridged.example"}},
		{[]string{"fallback.example?domain=user.example"}, []string{"fallback.example?domain=user.example"}},
		{[]string{"fallback.example?domain=fallback.example"}, []string{"fallback.example"}},
		{[]string{"a.example"}, []string{"a.example", "varying.example"}},
		{[]string{"a.example", "b.example"},
			[]string{"a.example", "b.example", "varying.example?domain=a.example", "varying.example?domain=b.example"}},
		{[]string{"a.example", "varying.example"}, []string{"a.example", "varying.example", "varying.example?domain=a.example"}},
	} {
		r := resolver(t, wellknown.Config{InsecureTransport: transport})
		var saved bytes.Buffer
		if err := r.Save(t.Context(), &saved, c.saved...); err != nil {
			t.Fatal(err)
		}
		var bundle map[string]json.RawMessage
		if err := json.Unmarshal(saved.Bytes(), &bundle); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.entries, names(bundle)); diff != "" {
			t.Errorf("%s: %s", c.saved, diff)
		}
		s, err := wellknown.ParseStatic(saved.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.saved {
			host, emailDomain, found := strings.Cut(name, "?domain=")
			if !found {
				emailDomain = host
			}
			a, errA := r.Authority(t.Context(), host, emailDomain)
			b, errB := s.Authority(t.Context(), host, emailDomain)
			if row(t, a, errA) != row(t, b, errB) || describe(t, a, errA) != describe(t, b, errB) {
				t.Errorf("%s: %+v, %v; saved %+v, %v", name, a, errA, b, errB)
			}
		}
	}
}

// TestSaveRefuses checks that Save writes nothing if it returns an error.
func TestSaveRefuses(t *testing.T) {
	transport := roundTripper(func(q *http.Request) (*http.Response, error) {
		switch q.URL.Host {
		case "down.example":
			return reply(503, "")
		case "large.example":
			return reply(200, strings.Repeat(" ", bodyLimit+1))
		case "toDown.example", "todown.example":
			return reply(200, delegation("down.example"))
		}
		return reply(200, document(1))
	})
	for name, domains := range map[string][]string{
		"unavailable":          {host, "down.example"},
		"delegate unavailable": {"toDown.example"},
		"over the limit":       {"large.example"},
		"an address":           {"127.0.0.1"},
		"no domain":            {"no domain"},
		"no email domain":      {host + "?domain="},
		"for an email domain":  {"down.example?domain=" + host},
	} {
		var saved bytes.Buffer
		err := resolver(t, wellknown.Config{InsecureTransport: transport}).Save(t.Context(), &saved, domains...)
		if err == nil || saved.Len() > 0 {
			t.Errorf("%s: %v, saved %s", name, err, &saved)
		}
		if name == "unavailable" && (!errors.Is(err, row4) || !strings.Contains(err.Error(), "down.example")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := resolver(t, wellknown.Config{InsecureTransport: transport}).Save(t.Context(), brokenWriter{}, host); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("broken writer: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, fs.ErrClosed }
