package discovery_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Names of bundles.
const (
	txtName     = "_email-verification." + mail
	metadataURL = "https://" + issuer + "/.well-known/email-verification"
)

// bundleText returns a bundle with these values by their names.
func bundleText(values map[string]string) []byte {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		members = append(members, fmt.Sprintf("%q:%s", name, values[name]))
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// complete returns the values of a bundle of one domain and its issuer, with changes. An
// empty value removes a name.
func complete(changes map[string]string) map[string]string {
	values := map[string]string{txtName: `["` + record + `"]`, metadataURL: metadata(jwksURL), jwksURL: keySet(ed25519Key, `"marker"`)}
	for name, value := range changes {
		values[name] = value
		if value == "" {
			delete(values, name)
		}
	}
	return values
}

func bundle(t testing.TB, values map[string]string) *discovery.Bundle {
	t.Helper()
	b, err := discovery.ParseBundle(bundleText(values))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBundle(t *testing.T) {
	b := bundle(t, complete(nil))
	host, err := b.Issuer(t.Context(), mail)
	if err != nil || host != issuer {
		t.Errorf("%q, %v", host, err)
	}
	keys, err := b.Keys(t.Context(), issuer, mail, true)
	if err != nil || len(keys.Keys) != 1 || keys.Keys[0].Kid() != "k1" || keys.Skipped != 1 || !keys.HasIssuer || !keys.Fetched.IsZero() {
		t.Errorf("%+v, %v", keys, err)
	}
	if want := []string{txtName, metadataURL, jwksURL}; b.Len() != 3 || !slices.Equal(b.Names(), want) {
		t.Errorf("%d, %q", b.Len(), b.Names())
	}
}

// TestBundleOutcomes checks what is said about records and documents that are not in a
// bundle, or recorded as absent.
func TestBundleOutcomes(t *testing.T) {
	const refused, unavailable = discovery.Refused, discovery.Unavailable
	for name, c := range map[string]struct {
		changes map[string]string
		keys    bool // it is an error of the keys
		outcome discovery.Outcome
		rule    string
		setting string
	}{
		"no record":               {map[string]string{txtName: "null"}, false, refused, "8.no-issuer", ""},
		"no record in the list":   {map[string]string{txtName: "[]"}, false, refused, "8.no-issuer", ""},
		"two records":             {map[string]string{txtName: `["` + record + `","marker"]`}, false, refused, "8.record", ""},
		"malformed record":        {map[string]string{txtName: `["iss=Marker.example"]`}, false, refused, "8.record", ""},
		"record unknown":          {map[string]string{txtName: ""}, false, unavailable, "8.unavailable", "Bundle"},
		"no metadata":             {map[string]string{metadataURL: "null"}, true, refused, "9.refused", "Bundle"},
		"metadata unknown":        {map[string]string{metadataURL: ""}, true, unavailable, "9.unavailable", "Bundle"},
		"no key set":              {map[string]string{jwksURL: "null"}, true, refused, "9.refused", "Bundle"},
		"key set unknown":         {map[string]string{jwksURL: ""}, true, unavailable, "9.unavailable", "Bundle"},
		"key set of another host": {map[string]string{metadataURL: metadata("https://other.example/jwks")}, true, unavailable, "9.unavailable", "Bundle"},
	} {
		b := bundle(t, complete(c.changes))
		host, err := b.Issuer(t.Context(), mail)
		domain := mail
		if c.keys {
			if err != nil || host != issuer {
				t.Errorf("%s: %q, %v", name, host, err)
			}
			domain = issuer
			_, err = b.Keys(t.Context(), issuer, mail, false)
		}
		if e := checkError(t, name, err, c.outcome, c.rule); e.Domain != domain || e.Setting != c.setting {
			t.Errorf("%s: domain %q, setting %q", name, e.Domain, e.Setting)
		}
	}
}

// TestCanonicalNames checks that a bundle may write URLs in another form.
func TestCanonicalNames(t *testing.T) {
	b := bundle(t, map[string]string{
		"https://Accounts.Issuer.example:443/.well-known/email-verification": metadata("https://" + issuer + ":443/jwks"),
		"https://ACCOUNTS.issuer.example/jwks":                               keySet(ed25519Key),
	})
	if keys, err := b.Keys(t.Context(), issuer, mail, false); err != nil || len(keys.Keys) != 1 {
		t.Errorf("%+v, %v", keys, err)
	}
	if want := []string{metadataURL, jwksURL}; !slices.Equal(b.Names(), want) {
		t.Errorf("%q", b.Names())
	}
}

// TestMalformedBundle checks that an error names the member and the problem.
func TestMalformedBundle(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not an object":       {`[]`, "object expected"},
		"duplicate":           {`{"` + jwksURL + `":null,"` + jwksURL + `":null}`, "duplicate member name"},
		"duplicate URL":       {`{"` + jwksURL + `":null,"https://` + issuer + `:443/jwks":null}`, "the same name twice"},
		"duplicate metadata":  {`{"` + metadataURL + `":null,"https://` + issuer + `:443/.well-known/email-verification":null}`, "the same name twice"},
		"a domain":            {`{"idp.example":null}`, `"idp.example": neither`},
		"http":                {`{"http://` + issuer + `/jwks":null}`, "neither"},
		"URL with a user":     {`{"https://u@` + issuer + `/jwks":null}`, "user information"},
		"URL with a port":     {`{"https://` + issuer + `:8443/jwks":null}`, "another port"},
		"URL of an address":   {`{"https://127.0.0.1/jwks":null}`, "a host that is not a name"},
		"TXT, no domain":      {`{"_email-verification.":null}`, "want _email-verification. and a domain"},
		"TXT, capitals":       {`{"_email-verification.Mail.example":null}`, "want _email-verification. and a domain"},
		"TXT, final dot":      {`{"` + txtName + `.":null}`, "want _email-verification. and a domain"},
		"TXT, a string":       {`{"` + txtName + `":"` + record + `"}`, "not an array of strings"},
		"TXT, numbers":        {`{"` + txtName + `":[1]}`, "not an array of strings"},
		"TXT, object":         {`{"` + txtName + `":{}}`, "not an array of strings"},
		"metadata malformed":  {`{"` + metadataURL + `":[]}`, `"` + metadataURL + `": malformed metadata`},
		"metadata, no URL":    {`{"` + metadataURL + `":{}}`, "without jwks_uri"},
		"metadata, issuer":    {`{"https://other.example/.well-known/email-verification":` + metadata(jwksURL) + `}`, "another issuer (the member \"issuer\""},
		"key set malformed":   {`{"` + jwksURL + `":"x"}`, "malformed key set"},
		"key set, no keys":    {`{"` + jwksURL + `":{}}`, "without the array keys"},
		"key set, 65 entries": {`{"` + jwksURL + `":` + keySet(repeat("1", 65)) + `}`, "more than 64 entries"},
	} {
		b, err := discovery.ParseBundle([]byte(c.text))
		if err == nil || b != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestSplit checks that one file may have the documents of both protocols.
func TestSplit(t *testing.T) {
	values := complete(map[string]string{
		"idp.example":                    `{"authority":"other.example"}`,
		"https.example":                  `null`,
		"fallback.example?domain=a.test": `{}`,
		"_email-verification.idp.test":   `{"authority":"other.example"}`,
	})
	object, err := strictjson.ParseObject(bundleText(values))
	if err != nil {
		t.Fatal(err)
	}
	ours, others := discovery.Split(object)
	b, err := discovery.NewBundle(ours)
	if err != nil || b.Len() != 3 || len(others) != 4 {
		t.Errorf("%d of ours, %d others, %v", len(ours), len(others), err)
	}
	object, err = strictjson.ParseObject([]byte(`{"` + txtName + `":"` + record + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	if ours, _ = discovery.Split(object); len(ours) != 1 {
		t.Error("a record without its array is not ours")
	}
	if ours, others = discovery.Split(nil); len(ours)+len(others) != 0 {
		t.Errorf("%v, %v of nothing", ours, others)
	}
}

func FuzzBundle(f *testing.F) {
	f.Add(bundleText(complete(nil)))
	for name := range keySetURLs {
		f.Add([]byte(`{` + mustJSON(f, name) + `:null}`))
	}
	f.Add([]byte(`{"` + txtName + `":null,"_email-verification.":[],"idp.example":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if object, err := strictjson.ParseObject(data); err == nil {
			ours, others := discovery.Split(object)
			if len(ours)+len(others) != len(object) {
				t.Errorf("%d and %d of %d", len(ours), len(others), len(object))
			}
		}
		b, err := discovery.ParseBundle(data)
		if err != nil {
			return
		}
		if len(b.Names()) != b.Len() || !slices.IsSorted(b.Names()) {
			t.Errorf("%d names, %q", b.Len(), b.Names())
		}
		for _, name := range b.Names() {
			domain, isTXT := strings.CutPrefix(name, "_email-verification.")
			if host, err := b.Issuer(t.Context(), domain); isTXT && err == nil && !discovery.IsHost(host) {
				t.Errorf("%q names %q", domain, host)
			}
			host, ok := strings.CutSuffix(strings.TrimPrefix(name, "https://"), "/.well-known/email-verification")
			if keys, err := b.Keys(t.Context(), host, mail, false); ok && (keys == nil) == (err == nil) {
				t.Errorf("%q: %v, %v", host, keys, err)
			}
		}
	})
}

// TestBundleImpossibleNames checks that a bundle, like the network, refuses a domain that
// cannot have a record, whether or not it has an entry for it.
func TestBundleImpossibleNames(t *testing.T) {
	b := bundle(t, complete(nil))
	network := open(t, discovery.Config{Resolver: txtFunc(func(context.Context, string) ([]string, error) {
		t.Error("a name was looked up that cannot exist")
		return nil, nil
	})})
	for _, domain := range []string{"", "localhost", "Mail.example", "127.0.0.1", host253, strings.TrimPrefix(host253, strings.Repeat("a", 18))} {
		for name, source := range map[string]discovery.Source{"bundle": b, "network": network} {
			_, err := source.Issuer(t.Context(), domain)
			if e := checkError(t, name+" "+domain, err, discovery.Refused, "8.no-issuer"); e.Domain != domain {
				t.Errorf("%s: domain %q", name, e.Domain)
			}
		}
	}
}
