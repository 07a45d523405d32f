package discovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// describer is a Source that describes what it finds.
type describer interface {
	Describe(ctx context.Context, domain string) *discovery.Discovery
}

// sources returns a Network and a Bundle with the same records and documents.
func sources(t *testing.T, changes map[string]string) map[string]describer {
	values := complete(changes)
	n, s := newInternet(t), newSite()
	n.Serve(issuer, s.ServeHTTP)
	for path, name := range map[string]string{metadataPath: metadataURL, "/jwks": jwksURL} {
		s.set(path, answer{body: values[name]})
		if values[name] == "null" {
			s.set(path, answer{status: 404})
		}
	}
	var records []string
	for _, r := range strings.Split(strings.Trim(values[txtName], "[]"), ",") {
		if r != "null" {
			records = append(records, strings.Trim(r, `"`))
		}
	}
	n.setTXT(nil, records...)
	return map[string]describer{"network": open(t, n.config()), "bundle": bundle(t, values)}
}

func TestDescribe(t *testing.T) {
	eddsa := strings.Replace(ed25519Key, "{", `{"alg":"EdDSA",`, 1)
	noKid := strings.Replace(p256Key, `,"kid":"k2"`, "", 1)
	noIssuer := `{"jwks_uri":"` + jwksURL + `","signing_alg_values_supported":["EdDSA"]}`
	for name, c := range map[string]struct {
		changes          map[string]string
		rule             string // of the error
		records          int
		metadata         bool
		entries          int
		standard, draft  bool
		problems, drafts []string // parts of the problems
	}{
		"complete":    {map[string]string{jwksURL: keySet(ed25519Key, p256Key)}, "", 1, true, 2, true, true, nil, nil},
		"one skipped": {nil, "", 1, true, 2, true, true, []string{"entry 2 of the key set: not an object"}, []string{"entry 2"}},
		"as of Gmail": {map[string]string{metadataURL: noIssuer, jwksURL: keySet(eddsa)}, "", 1, true, 1, true, false,
			nil, []string{"no issuer", "supported has EdDSA", "alg EdDSA"}},
		"one for draft-02": {map[string]string{jwksURL: keySet(noKid, ed25519Key)}, "", 1, true, 2, true, true, nil, []string{"entry 1 of the key set has no kid"}},
		"no kid":           {map[string]string{jwksURL: keySet(noKid)}, "", 1, true, 1, true, false, nil, []string{"no kid"}},
		"no usable key":    {map[string]string{jwksURL: keySet(`{"kty":"oct"}`)}, "", 1, true, 1, false, false, []string{"entry 1", "no usable key"}, []string{"entry 1"}},
		"no record":        {map[string]string{txtName: "null"}, "8.no-issuer", 0, false, 0, false, false, []string{"no TXT record"}, []string{"no TXT record"}},
		"two records":      {map[string]string{txtName: `["` + record + `","other"]`}, "8.record", 2, false, 0, false, false, []string{"more than one"}, []string{"more than one"}},
		"no metadata":      {map[string]string{metadataURL: "null"}, "9.refused", 1, false, 0, false, false, []string{"metadata"}, []string{"metadata"}},
		"no key set":       {map[string]string{jwksURL: "null"}, "9.refused", 1, true, 0, false, false, []string{"key set"}, []string{"key set"}},
	} {
		for kind, source := range sources(t, c.changes) {
			d := source.Describe(t.Context(), mail)
			rule := ""
			if d.Err != nil {
				rule = checkError(t, name, d.Err, discovery.Refused, c.rule).Rule
			}
			if rule != c.rule || d.Domain != mail || len(d.Records) != c.records || (d.Metadata != nil) != c.metadata || len(d.Entries) != c.entries {
				t.Errorf("%s, %s: %+v", name, kind, d)
			}
			if rule == "" && (d.Issuer != issuer || (kind == "network") != (time.Until(d.Expires) > time.Minute) || d.Fetched.IsZero() != d.Expires.IsZero()) {
				t.Errorf("%s, %s: issuer %q, fetched %v, expires %v", name, kind, d.Issuer, d.Fetched, d.Expires)
			}
			for i, e := range d.Entries {
				if (e.Key != nil) != (e.Bits == 256) || (e.Key != nil) != (e.Algorithm != "") {
					t.Errorf("%s, %s: entry %d: %+v", name, kind, i+1, e)
				}
			}
			checkAssessment(t, name+", "+kind, d.Profiles, "default", c.standard, c.problems)
			checkAssessment(t, name+", "+kind, d.Profiles[1:], "draft-02", c.draft, c.drafts)
		}
	}
}

func checkAssessment(t *testing.T, name string, all []discovery.Assessment, profile string, accepts bool, problems []string) {
	t.Helper()
	a := all[0]
	if a.Profile != profile || a.Accepts != accepts || len(a.Problems) != len(problems) {
		t.Errorf("%s: %+v, want %s, %v, %q", name, a, profile, accepts, problems)
		return
	}
	for i, problem := range problems {
		if !strings.Contains(a.Problems[i], problem) || strings.Contains(a.Problems[i], "marker") {
			t.Errorf("%s: %q, want %q", name, a.Problems[i], problem)
		}
	}
}

// TestDescribeUnavailable checks a lookup of which nothing is known.
func TestDescribeUnavailable(t *testing.T) {
	n := newInternet(t)
	n.setTXT(errors.New("marker"))
	d := open(t, n.config()).Describe(t.Context(), mail)
	checkError(t, "TXT", d.Err, discovery.Unavailable, "8.unavailable")
	d = open(t, n.config()).Describe(t.Context(), "localhost")
	checkError(t, "not a domain", d.Err, discovery.Refused, "8.no-issuer")
	n.setTXT(nil, record)
	d = open(t, n.config()).Describe(t.Context(), mail)
	checkError(t, "issuer", d.Err, discovery.Unavailable, "9.unavailable")
	if d.Issuer != issuer || len(d.Profiles) != 2 {
		t.Errorf("%+v", d)
	}
}

func TestSave(t *testing.T) {
	n, s := newInternet(t), newSite()
	n.Serve(issuer, s.ServeHTTP)
	s.set(metadataPath, answer{body: metadata("https://" + issuer + ":443/jwks?a=1&b=<2>")})
	s.set("/jwks?a=1&b=%3C2%3E", answer{body: keySet(ed25519Key, `{"marker":"<&>"}`)})
	s.set("/jwks?a=1&b=<2>", answer{body: keySet(ed25519Key, `{"marker":"<&>"}`)})
	n.records["_email-verification.other.example"] = []string{record}
	source := open(t, n.config())
	save := func(domains ...string) string {
		t.Helper()
		var b bytes.Buffer
		if err := source.Save(t.Context(), &b, domains...); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := save(mail, "other.example", "none.example", mail)
	if text != save("none.example", mail, "other.example") || !strings.Contains(text, `"marker": "<&>"`) || !strings.Contains(text, `"_email-verification.none.example": null`) {
		t.Error(text)
	}
	b, err := discovery.ParseBundle([]byte(text))
	if err != nil || b.Len() != 5 {
		t.Fatalf("%v: %s", err, text)
	}
	if host, err := b.Issuer(t.Context(), "other.example"); err != nil || host != issuer {
		t.Errorf("%q, %v", host, err)
	}
	saved, err := b.Keys(t.Context(), issuer, mail, false)
	if err != nil {
		t.Fatal(err)
	}
	fetched, err := source.Keys(t.Context(), issuer, mail, false)
	if err != nil || len(saved.Keys) != 1 || fmt.Sprint(saved.Keys[0].Crypto(), saved.Skipped) != fmt.Sprint(fetched.Keys[0].Crypto(), fetched.Skipped) {
		t.Errorf("%+v, %+v, %v", saved, fetched, err)
	}
	if text := save(); text != "{}\n" {
		t.Errorf("of no domain: %q", text)
	}
}

// TestSaveFails checks that nothing is written unless all is known.
func TestSaveFails(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*internet, *site)
		domain  string
		outcome discovery.Outcome
		rule    string
	}{
		"TXT unknown":       {func(n *internet, _ *site) { n.setTXT(errors.New("marker")) }, mail, discovery.Unavailable, "8.unavailable"},
		"TXT malformed":     {func(n *internet, _ *site) { n.setTXT(nil, "marker") }, mail, discovery.Refused, "8.record"},
		"not a domain":      {func(*internet, *site) {}, "localhost", discovery.Refused, "8.no-issuer"},
		"metadata unknown":  {func(_ *internet, s *site) { s.set(metadataPath, answer{status: 503}) }, mail, discovery.Unavailable, "9.unavailable"},
		"no metadata":       {func(_ *internet, s *site) { s.set(metadataPath, answer{status: 404}) }, mail, discovery.Refused, "9.refused"},
		"key set unknown":   {func(_ *internet, s *site) { s.set("/jwks", answer{status: 503}) }, mail, discovery.Unavailable, "9.unavailable"},
		"key set malformed": {func(_ *internet, s *site) { s.set("/jwks", answer{body: "{}"}) }, mail, discovery.Refused, "9.key-set"},
	} {
		n, s := newInternet(t), newSite()
		n.Serve(issuer, s.ServeHTTP)
		n.records["_email-verification.good.example"] = []string{record}
		c.prepare(n, s)
		var b bytes.Buffer
		err := open(t, n.config()).Save(t.Context(), &b, c.domain)
		if checkError(t, name, err, c.outcome, c.rule); b.Len() != 0 {
			t.Errorf("%s: %q", name, &b)
		}
	}
	n, s := newInternet(t), newSite()
	n.Serve(issuer, s.ServeHTTP)
	broken := errors.New("no space")
	if err := open(t, n.config()).Save(t.Context(), failingWriter{broken}, mail); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestSavedNames checks the names of a saved bundle.
func TestSavedNames(t *testing.T) {
	n, s := newInternet(t), newSite()
	n.Serve(issuer, s.ServeHTTP)
	var b bytes.Buffer
	if err := open(t, n.config()).Save(t.Context(), &b, mail); err != nil {
		t.Fatal(err)
	}
	saved, err := discovery.ParseBundle(b.Bytes())
	if err != nil || !slices.Equal(saved.Names(), []string{txtName, metadataURL, jwksURL}) {
		t.Errorf("%v: %s", err, &b)
	}
}
