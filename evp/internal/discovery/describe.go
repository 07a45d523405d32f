package discovery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vepverify/vepverify/evp/internal/jose"
)

// Discovery is what is known about the issuer of a domain's addresses, for people. Its
// texts are remote text, except for those of Err and Profiles.
type Discovery struct {
	Domain string // of the addresses

	// Records are the TXT records of the domain: at most 16, each cut to 512 bytes.
	Records []string

	// Issuer is the host of the issuer. Empty means that the records do not name one.
	Issuer string

	// Metadata are those of the issuer. Nil means that they are not known.
	Metadata *Metadata

	// Entries are those of its key set. Nil means that it is not known.
	Entries []Entry

	// Fetched is when the documents were fetched, and Expires until when they are used.
	// Both are zero without documents, and for documents from a bundle.
	Fetched, Expires time.Time

	// Err is the error of the first step that failed. Nil means that all succeeded.
	Err error

	// Profiles tells what each profile of the verifier says about the above.
	Profiles []Assessment
}

// Assessment is what a profile says about what an issuer publishes.
type Assessment struct {
	Profile  string   // "default" or "draft-02"
	Accepts  bool     // it accepts tokens of at least one of the keys
	Problems []string // what it does not accept
}

// Describe looks up what is known about the issuer of a domain.
func (n *Network) Describe(ctx context.Context, domain string) *Discovery {
	d := &Discovery{Domain: domain}
	host, err := n.Issuer(ctx, domain)
	if err != nil {
		return d.fail(err)
	}
	d.Records, d.Issuer = []string{recordPrefix + host}, host
	found, problem := n.documents(ctx, host, domain, false)
	if problem != nil {
		return d.fail(problem.at(host))
	}
	d.Metadata, d.Fetched, d.Expires = found.metadata, found.fetched, found.expires
	d.Entries, _ = ParseEntries(found.keysText) // it was parsed before
	return d.assess()
}

// Describe looks up what the bundle has about the issuer of a domain.
func (b *Bundle) Describe(ctx context.Context, domain string) *Discovery {
	d := &Discovery{Domain: domain, Records: b.records[domain]}
	host, err := b.Issuer(ctx, domain)
	if err != nil {
		return d.fail(err)
	}
	d.Issuer, d.Metadata = host, b.metadata[host]
	_, entries, problem := b.documents(host)
	if problem != nil {
		return d.fail(problem.at(host))
	}
	d.Entries = entries
	return d.assess()
}

// fail sets the error, and what was found before it.
func (d *Discovery) fail(err error) *Discovery {
	d.Err = err
	var e *Error
	if !errors.As(err, &e) {
		return d.assess()
	}
	if e.records != nil {
		d.Records = e.records
	}
	if e.found != nil {
		d.Metadata = e.found.metadata
	}
	return d.assess()
}

// assess sets the assessments of the profiles.
func (d *Discovery) assess() *Discovery {
	standard := Assessment{Profile: "default"}
	draft := Assessment{Profile: "draft-02"}
	if d.Err != nil {
		standard.add("%v", d.Err)
		draft.add("%v", d.Err)
	}
	if d.Metadata != nil {
		draft.assessMetadata(d.Metadata)
	}
	for i, e := range d.Entries {
		if e.Key == nil {
			standard.add("entry %d of the key set: %s", i+1, e.Skipped)
			draft.add("entry %d of the key set: %s", i+1, e.Skipped)
			continue
		}
		standard.Accepts = true
		draft.assessKey(i+1, e.Key, d.Metadata)
	}
	if d.Err == nil && !standard.Accepts {
		standard.add("no usable key")
	}
	d.Profiles = []Assessment{standard, draft}
	return d
}

func (a *Assessment) add(format string, args ...any) {
	a.Problems = append(a.Problems, fmt.Sprintf(format, args...))
}

// assessMetadata adds what draft-02 says about metadata.
func (a *Assessment) assessMetadata(m *Metadata) {
	if !m.HasIssuer {
		a.add("the metadata has no issuer")
	}
	for _, alg := range m.Algorithms {
		if alg == jose.EdDSA {
			a.add("signing_alg_values_supported has EdDSA, and not Ed25519")
		}
	}
}

// assessKey adds what draft-02 says about a key, which is an entry of the key set.
func (a *Assessment) assessKey(entry int, k *jose.PublicKey, m *Metadata) {
	usable := m.HasIssuer
	if k.Kid() == "" {
		a.add("entry %d of the key set has no kid", entry)
		usable = false
	}
	if k.Alg() == jose.EdDSA {
		a.add("entry %d of the key set has alg EdDSA, and not Ed25519", entry)
		usable = false
	}
	a.Accepts = a.Accepts || usable
}

// Save looks up domains and writes a bundle of their TXT records and of the documents of
// their issuers, which [ParseBundle] reads. A domain without a TXT record is written as
// null. The text is the same for the same documents.
//
// Save returns an error and writes nothing if something cannot be fetched, or if a
// document is not valid.
func (n *Network) Save(ctx context.Context, w io.Writer, domains ...string) error {
	values := make(map[string]any)
	for _, domain := range domains {
		if err := n.record(ctx, values, domain); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // of documents
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(values); err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	if _, err := ParseBundle(text.Bytes()); err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	return nil
}

// record adds what a bundle has about one domain.
func (n *Network) record(ctx context.Context, values map[string]any, domain string) error {
	host, err := n.Issuer(ctx, domain)
	var problem *Error
	switch {
	case errors.As(err, &problem) && problem.Rule == "8.no-issuer" && IsHost(domain):
		values[TXTPrefix+domain] = nil
		return nil
	case err != nil:
		return err
	}
	values[TXTPrefix+domain] = []string{recordPrefix + host}
	d, problem := n.documents(ctx, host, domain, false)
	if problem != nil {
		return problem.at(host)
	}
	values[MetadataURL(host)] = json.RawMessage(d.metadataText)
	values[d.metadata.KeySetURL] = json.RawMessage(d.keysText)
	return nil
}
