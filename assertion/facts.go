package assertion

import (
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
)

// The functions below tell what each step looked at. They run after the step,
// whether it passed or not, and only for Explain.

func (r *run) describeShape() []Fact {
	return []Fact{
		{"size", fmt.Sprintf("%d bytes", len(r.text))},
		{"certificates", fmt.Sprint(strings.Count(r.text, "~"))},
	}
}

func (r *run) describeForm() (facts []Fact) {
	for i, c := range r.chain {
		facts = append(facts, Fact{r.certificateName(i), fmt.Sprintf("issued by %s, alg %.16q", c.Issuer, c.Algorithm)})
	}
	if r.assertion != nil {
		facts = append(facts, Fact{"assertion", fmt.Sprintf("alg %.16q", r.assertion.Algorithm)})
	}
	return facts
}

func (r *run) describeKeys() (facts []Fact) {
	for _, name := range algorithms(r.certified) {
		facts = append(facts, Fact{"certified key", name})
	}
	return facts
}

func (r *run) describeAudience() []Fact {
	return []Fact{
		{"signed", fmt.Sprintf("%.200q", r.audience)},
		{"accepted", fmt.Sprintf("%.200q", r.accepted)},
	}
}

func (r *run) describeTimes() (facts []Fact) {
	facts = append(facts, Fact{"now", describeTime(r.at.UnixMilli())})
	for i, c := range r.chain {
		facts = append(facts, Fact{r.certificateName(i), describeValidity(c.Validity)})
	}
	return append(facts, Fact{"assertion", describeValidity(r.assertion.Validity)})
}

func (r *run) describePrincipal() []Fact {
	if r.email == "" {
		return []Fact{{"email", "none"}}
	}
	return []Fact{{"email domain", r.emailDomain}}
}

func (r *run) describeSignature() []Fact {
	return []Fact{{"key", "the certified one, " + r.certified[len(r.certified)-1].Algorithm()}}
}

func (r *run) describeAuthority() []Fact {
	facts := []Fact{{"issuer", r.issuer()}}
	if r.trusted[r.issuer()] {
		facts = append(facts, Fact{"trusted", "by configuration"})
	}
	a := r.authority
	if a == nil {
		return facts
	}
	if r.noPrimary != nil {
		facts = append(facts, Fact{"email domain", r.noPrimary.Error()})
	}
	facts = append(facts, Fact{"authority", a.Domain})
	if len(a.Delegations) > 0 {
		facts = append(facts, Fact{"delegated by", strings.Join(a.Delegations, ", ")})
	}
	facts = append(facts, Fact{"keys published", strings.Join(append(algorithms(a.Keys), weak(algorithms(a.WeakKeys))...), ", ")})
	if !a.Fetched.IsZero() { // a document from a file was not
		facts = append(facts, Fact{"document fetched", describeTime(a.Fetched.UnixMilli())})
	}
	return facts
}

func (r *run) describeCertificates() []Fact {
	return []Fact{{"keys of", r.authority.Domain}}
}

func algorithms(published []keys.PublicKey) (names []string) {
	for _, key := range published {
		names = append(names, key.Algorithm())
	}
	return names
}

func weak(names []string) []string {
	for i, name := range names {
		names[i] = name + " (weak)"
	}
	return names
}

func describeValidity(v certchain.Validity) string {
	var s string
	if !v.IssuedAt.IsZero() {
		s += "issued " + describeTime(v.IssuedAt.UnixMilli()) + ", "
	}
	if !v.NotBefore.IsZero() {
		s += "not before " + describeTime(v.NotBefore.UnixMilli()) + ", "
	}
	return s + "expires " + describeTime(v.Expires.UnixMilli())
}

func describeTime(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// describeSpan tells how long so many milliseconds are; a time.Duration ends
// at 292 years.
func describeSpan(ms int64) string {
	const year = 365 * 24 * 3600 * 1000
	if ms > 10*year {
		return fmt.Sprintf("%d years", ms/year)
	}
	return (time.Duration(ms) * time.Millisecond).String()
}
