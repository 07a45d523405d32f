package assertion_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// failed verifies an assertion that must fail, and returns the error.
func failed(t *testing.T, c assertion.Config, a string) *assertion.Error {
	t.Helper()
	_, err := verifier(t, c).Verify(context.Background(), a, rp)
	var e *assertion.Error
	if !errors.As(err, &e) {
		t.Fatalf("no *Error: %v", err)
	}
	return e
}

// publishedBy returns the keys of an idp.example that publishes these entries of "keys".
func publishedBy(t *testing.T, entries ...string) assertion.KeySource {
	t.Helper()
	d := `{"keys":[` + strings.Join(entries, ",") + `],"authentication":"/a","provisioning":"/p"}`
	s, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": json.RawMessage(d)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func entry(k keys.PrivateKey) string {
	text, err := k.Public().MarshalJSON()
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestUnusableKeysAreNamed checks that an error about the published keys names those that
// are not used, their owner and, if there is one, the setting. The reason is interface.
func TestUnusableKeysAreNamed(t *testing.T) {
	large := `{"kty":"RSA","n":"` + strings.Repeat("_", 1000) + `","e":"AQAB"}`
	weak1023 := idptest.Key("RS128-1023")
	for name, c := range map[string]struct {
		published []string
		signer    keys.PrivateKey
		reason    string
		found     []string
		setting   string
	}{
		"weak, 1023 bits":     {[]string{entry(weak1023)}, weak1023, "algorithms do not match", []string{"idp.example", "RS128 of 1023 bits", "weak"}, "InsecureWeakKeys"},
		"weak, 512 bits":      {[]string{entry(weakRSA)}, weakRSA, "algorithms do not match", []string{"idp.example", "RS64 of 512 bits", "weak"}, "InsecureWeakKeys"},
		"weak beside others":  {[]string{entry(idpKey), entry(weak1023)}, weak1023, "algorithms do not match", []string{"RS128 of 1023 bits", "weak"}, "InsecureWeakKeys"},
		"weak and a strong":   {[]string{entry(idptest.Key("RS128")), entry(weak1023)}, weak1023, "invalid signature", []string{"RS128 of 1024 bits", "RS128 of 1023 bits", "weak and not used"}, ""},
		"empty list":          {nil, idpKey, "algorithms do not match", []string{"idp.example publishes no usable key"}, ""},
		"weak, another alg":   {[]string{entry(weakRSA)}, idpKey, "algorithms do not match", []string{"publishes no usable key", "RS64 of 512 bits"}, ""},
		"too large":           {[]string{large}, idpKey, "algorithms do not match", []string{"publishes no usable key", "entry 1 of keys: key too large"}, ""},
		"unknown kty":         {[]string{entry(idpDSA), `{"kty":"EC","crv":"P-256"}`}, idpKey, "algorithms do not match", []string{"only keys for other algorithms: DS128 of 1024 bits", "entry 2 of keys: unknown key type"}, ""},
		"use":                 {[]string{strings.Replace(entry(idpKey), "{", `{"use":"enc",`, 1)}, idpKey, "algorithms do not match", []string{"publishes no usable key", "entry 1 of keys: use is not sig"}, ""},
		"other algorithms":    {[]string{entry(otherDS256), entry(idpDSA)}, idpKey, "algorithms do not match", []string{"alg RS256", "DS256 of 2048 bits, DS128 of 1024 bits"}, ""},
		"skipped and another": {[]string{entry(otherRSA), large}, idpKey, "invalid signature", []string{"RS256 of 2047 bits", "entry 2 of keys: key too large"}, ""},
		"fifth DSA key": {
			[]string{entry(otherDSA), entry(otherDSA), entry(otherDSA), entry(otherDSA), entry(idpDSA)}, idpDSA, "invalid signature",
			[]string{"entry 5 of keys: more than 4 DSA keys"}, "",
		},
		"fifth candidate": {
			[]string{entry(otherRSA), entry(otherRSA), entry(otherRSA), entry(otherRSA), entry(idpKey)}, idpKey, "invalid signature",
			[]string{"5 keys of this algorithm are published, of which only the first 4 were tried"}, "",
		},
	} {
		e := failed(t, assertion.Config{Keys: publishedBy(t, c.published...)}, spec{issuerKey: c.signer}.String())
		if e.Reason != c.reason || e.Setting != c.setting || e.Domain != "idp.example" {
			t.Errorf("%s: %q, setting %q, domain %q", name, e.Reason, e.Setting, e.Domain)
		}
		for _, want := range c.found {
			if !strings.Contains(e.Found, want) || !strings.Contains(e.Detail(), want) {
				t.Errorf("%s: found %q, detail %q, want %q", name, e.Found, e.Detail(), want)
			}
		}
		if errors.Is(e, keys.ErrWeak) != (c.setting != "") {
			t.Errorf("%s: matches ErrWeak: %v", name, errors.Is(e, keys.ErrWeak))
		}
		checkAdvice(t, name, e)
		if c.setting != "" {
			v := verifier(t, assertion.Config{Keys: publishedBy(t, c.published...), InsecureWeakKeys: true})
			if _, err := v.Verify(context.Background(), spec{issuerKey: c.signer}.String(), rp); err != nil {
				t.Errorf("%s, with weak keys allowed: %v", name, err)
			}
		}
	}
}

// TestAudienceWithoutScheme checks that the advice names a missing scheme, which means http.
func TestAudienceWithoutScheme(t *testing.T) {
	for audience, want := range map[string]string{"rp.example": "means http", "http://rp.example": "another site", "https://b.example": "another site"} {
		_, err := verifier(t, assertion.Config{}).Verify(context.Background(), spec{}.String(), audience)
		var e *assertion.Error
		if !errors.Is(err, assertion.ErrAudience) || !errors.As(err, &e) || !strings.Contains(e.Advice, want) {
			t.Errorf("%s: %v, want advice with %q", audience, err, want)
		}
	}
}

// TestCausesOfInvalidSignatures checks that the advice begins with the usual cause, and
// that it differs for the certificate, the assertion and a link of a chain.
func TestCausesOfInvalidSignatures(t *testing.T) {
	fresh := &variableSource{authority("idp.example", otherRSA.Public())}
	fresh.answer.Fetched = now
	archive := &variableSource{authority("idp.example", otherRSA.Public())}
	archive.answer.Fetched = now.AddDate(10, 0, 0)
	host := sign(map[string]any{
		"iss": "idp.example", "exp": now.Add(time.Hour).UnixMilli(), "public-key": userRSA.Public(), "principal": map[string]any{"host": "sub.example"},
	}, idpKey)
	stale := &variableSource{authority("idp.example", otherRSA.Public())}
	stale.answer.Fetched = now.Add(-72 * time.Hour)
	advice := make(map[string]bool)
	for name, c := range map[string]struct {
		config assertion.Config
		a      string
		found  string
		advice string
		domain string
	}{
		"rotated":         {assertion.Config{Keys: stale}, spec{}.String(), "document fetched 2023-11-11 22:13:20 UTC (3 days ago)", "keys known here are old", "idp.example"},
		"other key":       {assertion.Config{}, spec{signingKey: otherDSA}.String(), "not signed by the certified key", "another key than the certificate is about", ""},
		"just fetched":    {assertion.Config{Keys: fresh}, spec{}.String(), "document fetched 2023", "has changed its key since it signed the certificate: the user needs a new one", "idp.example"},
		"archive":         {assertion.Config{Keys: archive}, spec{}.String(), "document fetched 2033-11-14 22:13:20 UTC; certificate issued", "has changed its key", "idp.example"},
		"keys of a file":  {assertion.Config{}, spec{issuerKey: otherRSA}.String(), "tried: RS256", "keys known here are old", "idp.example"},
		"link of a chain": {assertion.Config{MaxChain: 2}, host + "~" + spec{issuer: "sub.example", issuerKey: otherRSA}.String(), "certificate 2: not signed by the key that certificate 1 is about", "sub.example has changed its key", ""},
	} {
		e := failed(t, c.config, c.a)
		before, last, _ := strings.Cut(e.Advice, "; else")
		if e.Reason != "invalid signature" || !strings.Contains(e.Found, c.found) || !strings.Contains(before, c.advice) || !strings.Contains(last, "forged") || e.Domain != c.domain {
			t.Errorf("%s: %q, found %q, advice %q, domain %q", name, e.Reason, e.Found, e.Advice, e.Domain)
		}
		if !strings.Contains(e.Detail(), c.found) {
			t.Errorf("%s: detail %q", name, e.Detail())
		}
		advice[e.Advice] = true
	}
	if len(advice) != 4 {
		t.Errorf("the causes do not differ: %v", advice)
	}
}
