package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/bundlename"
)

// findIssuers returns the function that looks up the issuer of a domain's addresses. The saver is nil
// if there is no network.
func (l *lookupCmd) findIssuers(c *cli.Call, names []string) (func(context.Context, string) lookedUp, saver, error) {
	for _, name := range names {
		if strings.Contains(name, domainQuery) {
			return nil, nil, c.UsageErrorf("%.100q: --evp takes domains of addresses only", name)
		}
	}
	bundle, err := l.TokenBundle(c, names[0])
	if err != nil {
		return nil, nil, err
	}
	v, err := l.TokenVerifier(c, &l.Network, evp.Config{Origins: []string{"https://none.invalid"}, Bundle: bundle})
	if err != nil {
		return nil, nil, err
	}
	source := func(ctx context.Context, name string) lookedUp { return newTokenLookup(v.Lookup(ctx, name)) }
	if bundle != nil {
		return source, nil, nil
	}
	return source, v, nil
}

// tokenLookup is the result of lookup --evp for a domain. The JSON form is for scripts. Times are
// milliseconds since 1970, and absent with --keys.
type tokenLookup struct {
	Domain      string        `json:"domain"`
	Status      string        `json:"status"`
	Reason      string        `json:"reason,omitempty"`
	Rule        string        `json:"rule,omitempty"`
	Records     []string      `json:"records,omitempty"` // of DNS
	Issuer      string        `json:"issuer,omitempty"`
	Metadata    *metadataView `json:"metadata,omitempty"`
	Keys        []keyInfo     `json:"keys,omitempty"`
	SkippedKeys []string      `json:"skippedKeys,omitempty"` // which, and why
	Profiles    []profileView `json:"profiles,omitempty"`
	Fetched     int64         `json:"fetched,omitempty"`
	Expires     int64         `json:"expires,omitempty"`
	Saved       string        `json:"saved,omitempty"` // by --save: added, changed or unchanged

	advice string // what to do about Reason
}

// metadataView is what the metadata of an issuer say.
type metadataView struct {
	Issuer           bool     `json:"issuer"` // they name the issuer
	IssuanceEndpoint string   `json:"issuanceEndpoint,omitempty"`
	KeySet           string   `json:"jwksUri"`
	Algorithms       []string `json:"algorithms,omitempty"`
	Private          bool     `json:"privateEmails"`
}

// profileView is what a profile says.
type profileView struct {
	Profile  string   `json:"profile"`
	Accepts  bool     `json:"accepts"`
	Problems []string `json:"problems,omitempty"`
}

func newTokenLookup(d *evp.Discovery) *tokenLookup {
	r := &tokenLookup{
		Domain: d.Domain, Status: supported, Records: d.Records, Issuer: d.Issuer, Fetched: millis(d.Fetched), Expires: millis(d.Expires),
	}
	if m := d.Metadata; m != nil {
		r.Metadata = &metadataView{
			Issuer: m.HasIssuer, IssuanceEndpoint: m.IssuanceEndpoint, KeySet: m.KeySetURL, Algorithms: m.Algorithms, Private: m.Private,
		}
	}
	for i, e := range d.Entries {
		if e.Key == nil {
			r.SkippedKeys = append(r.SkippedKeys, fmt.Sprintf("entry %d: %s", i+1, e.Skipped))
			continue
		}
		sum, _ := base64.RawURLEncoding.DecodeString(e.Key.Thumbprint())
		r.Keys = append(r.Keys, keyInfo{KeyID: e.Key.Kid(), Algorithm: e.Key.Algorithm(), Bits: e.Key.Bits(), Fingerprint: fmt.Sprintf("%x", sum)})
	}
	for _, p := range d.Profiles {
		r.Profiles = append(r.Profiles, profileView{p.Profile, p.Accepts, p.Problems})
	}
	r.fail(d.Err)
	return r
}

// fail sets the status and the reason of a lookup that failed.
func (r *tokenLookup) fail(err error) {
	if err == nil {
		return
	}
	r.Status, r.Reason = refused, err.Error()
	var e *evp.Error
	if errors.As(err, &e) {
		_, reason, _ := strings.Cut(e.Found, ": ") // after the domain
		r.Reason, r.Rule, r.advice = cmp.Or(reason, e.Reason), e.Rule, e.Advice
		if flag := settingFlags[e.Setting]; flag != "" {
			r.advice += " (" + flag + ")"
		}
	}
	switch {
	case errors.Is(err, assertion.ErrUndecided):
		r.Status = unknown
	case r.Rule == "8.no-issuer":
		r.Status = unsupported
	}
}

func (r *tokenLookup) status() cli.Status { return statusOf(r.Status) }

func (r *tokenLookup) entries() []string {
	names := []string{bundlename.TXTPrefix + r.Domain}
	if r.Metadata != nil {
		names = append(names, "https://"+r.Issuer+"/.well-known/email-verification", r.Metadata.KeySet)
	}
	return names
}

func (r *tokenLookup) setSaved(kind string) { r.Saved = kind }

// print prints the result for people.
func (r *tokenLookup) print(p *cli.Process) {
	now := p.Now()
	t := cli.Table{Indent: "  "}
	if r.Status == supported {
		fmt.Fprintln(p.Out, cli.Printable(r.Domain+" supports the Email Verification Protocol"))
	} else {
		fmt.Fprintln(p.Out, cli.Printable(r.Domain+": "+r.Status+": "+r.Reason))
	}
	if r.advice != "" {
		t.Row("what to do", r.advice)
	}
	if r.Rule != "" {
		t.Row("rule", r.Rule+" of docs/EVP.md")
	}
	for _, record := range r.Records {
		t.Row("TXT record", cli.Shorten(record, 200))
	}
	if r.Issuer != "" {
		t.Row("issuer", r.Issuer)
	}
	r.documentRows(&t)
	if r.Metadata != nil { // else no profile says more than the reason
		for _, profile := range r.Profiles {
			t.Row("profile "+profile.Profile, profile.String())
		}
	}
	if r.Status == supported {
		t.Row("fetched", whenOr(r.Fetched, now, "not: from --keys"))
		t.Row("cached until", whenOr(r.Expires, now, "always: from --keys"))
	}
	fmt.Fprint(p.Out, t.String())
}

// documentRows adds what the metadata and the key set say.
func (r *tokenLookup) documentRows(t *cli.Table) {
	if m := r.Metadata; m != nil {
		t.Row("key set", cli.Shorten(m.KeySet, 300))
		t.Row("issuance", cli.Shorten(orNone(m.IssuanceEndpoint), 300))
		t.Row("algorithms", cli.Shorten(orNone(strings.Join(m.Algorithms, ", ")), 300))
		if m.Private {
			t.Row("private emails", "supported")
		}
	}
	for _, k := range r.Keys {
		t.Row("key", k.String())
	}
	for _, skipped := range r.SkippedKeys {
		t.Row("key skipped", skipped)
	}
}

// String returns what the profile says, on one line.
func (p profileView) String() string {
	text := "accepts its tokens"
	if !p.Accepts {
		text = "accepts none of its tokens"
	}
	if len(p.Problems) > 0 {
		text += ": " + strings.Join(p.Problems, "; ")
	}
	return cli.Shorten(text, 1000)
}

// tokenChange returns what --save did to an entry for the Email Verification Protocol, and the
// differences for people.
func tokenChange(older, newer json.RawMessage) (kind string, details []string) {
	var a, b bytes.Buffer
	if json.Compact(&a, older) == nil && json.Compact(&b, newer) == nil && bytes.Equal(a.Bytes(), b.Bytes()) {
		return unchanged, nil
	}
	before, after := keysOfSet(older), keysOfSet(newer)
	if before == nil && after == nil {
		return changed, []string{"was: " + cli.Shorten(a.String(), 200), "is now: " + cli.Shorten(b.String(), 200)}
	}
	if details = describeKeyChange(before, after); details == nil {
		details = []string{"the same keys in another form"}
	}
	return changed, details
}

// keysOfSet returns the keys of a key set, each on one line, and nil for another document.
func keysOfSet(document json.RawMessage) map[string]bool {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(document, &set) != nil || set.Keys == nil {
		return nil
	}
	all := make(map[string]bool)
	for _, raw := range set.Keys {
		if key, err := describePublicJWK(raw); err == nil {
			all[key.String()] = true
		}
	}
	return all
}
