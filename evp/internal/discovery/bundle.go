package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/internal/bundlename"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Bundle is a [Source] of TXT records and documents that are known beforehand. It is
// immutable.
type Bundle struct {
	records  map[string][]string  // by email domain; empty means no record
	metadata map[string]*Metadata // by issuer; nil means no metadata
	keySets  map[string]*[]Entry  // by canonical URL; nil means no key set
	usable   map[string]*KeySet   // by issuer, if all its documents are there
}

// ParseBundle parses a bundle: one JSON object, whose members are
//
//	"_email-verification.mail.example": ["iss=accounts.issuer.example"],
//	"https://accounts.issuer.example/.well-known/email-verification": {metadata},
//	"https://accounts.issuer.example/jwks": {key set}
//
// The value null means that there is no TXT record, or no document. Documents must be
// valid, and names must not repeat. What is not in the bundle is unavailable.
func ParseBundle(data []byte) (*Bundle, error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	return NewBundle(object)
}

// NewBundle returns the bundle that has the members of an object.
func NewBundle(o strictjson.Object) (*Bundle, error) {
	b := &Bundle{
		records: make(map[string][]string), metadata: make(map[string]*Metadata), keySets: make(map[string]*[]Entry),
		usable: make(map[string]*KeySet),
	}
	for _, m := range o {
		if err := b.add(m.Name, m.Value); err != nil {
			return nil, fmt.Errorf("%.300q: %w%s", m.Name, err, adviceOf(err))
		}
	}
	for issuer := range b.metadata {
		if m, entries, err := b.documents(issuer); err == nil {
			b.usable[issuer] = newKeySet(m, entries)
		}
	}
	return b, nil
}

// adviceOf returns what to do about an error of a document in brackets, "" if that is not known.
func adviceOf(err error) string {
	var e *Error
	if !errors.As(err, &e) || e.Advice == "" {
		return ""
	}
	return " (" + e.Advice + ")"
}

// Split divides the members of an object into those of a bundle and all others, such as
// the support documents of BrowserID. It decides by names alone, except that an object is not
// the value of a TXT record.
func Split(o strictjson.Object) (bundle, others strictjson.Object) {
	for _, m := range o {
		if bundlename.EntryForTokens(m) {
			bundle = append(bundle, m)
		} else {
			others = append(others, m)
		}
	}
	return bundle, others
}

func isNull(value json.RawMessage) bool { return string(value) == "null" }

// Errors of the members of a bundle.
var (
	errName   = errors.New("neither the name of a TXT record, which begins with " + TXTPrefix + ", nor an https URL")
	errDomain = errors.New("not the name of a TXT record: want " + TXTPrefix + " and a domain in lower case")
	errArray  = errors.New("not an array of strings, or null")
	errTwice  = errors.New("the same name twice")
)

func (b *Bundle) add(name string, value json.RawMessage) error {
	domain, isTXT := strings.CutPrefix(name, TXTPrefix)
	switch {
	case isTXT:
		return b.addRecords(domain, value)
	case !strings.HasPrefix(name, "https://"):
		return errName
	}
	location, err := parseURL(name)
	if err != nil {
		return err
	}
	if issuer, ok := issuerOf(location); ok {
		return b.addMetadata(issuer, value)
	}
	return b.addKeySet(location, value)
}

// issuerOf returns the issuer whose metadata are at a canonical URL. It returns false if
// the URL is not one of metadata.
func issuerOf(location string) (issuer string, ok bool) {
	issuer, ok = strings.CutSuffix(strings.TrimPrefix(location, "https://"), metadataPath)
	return issuer, ok && IsHost(issuer)
}

func (b *Bundle) addRecords(domain string, value json.RawMessage) error {
	if !IsHost(domain) {
		return errDomain
	}
	if _, found := b.records[domain]; found {
		return errTwice
	}
	elements, ok := strictjson.Array(value)
	if !ok && !isNull(value) {
		return errArray
	}
	records := make([]string, len(elements))
	for i, raw := range elements {
		if records[i], ok = strictjson.String(raw); !ok {
			return errArray
		}
	}
	b.records[domain] = records
	return nil
}

func (b *Bundle) addMetadata(issuer string, value json.RawMessage) error {
	if _, found := b.metadata[issuer]; found {
		return errTwice
	}
	b.metadata[issuer] = nil
	if isNull(value) {
		return nil
	}
	m, err := ParseMetadata(value, issuer)
	if err != nil {
		return err
	}
	b.metadata[issuer] = m
	return nil
}

func (b *Bundle) addKeySet(location string, value json.RawMessage) error {
	if _, found := b.keySets[location]; found {
		return errTwice
	}
	b.keySets[location] = nil
	if isNull(value) {
		return nil
	}
	entries, err := ParseEntries(value)
	if err != nil {
		return err
	}
	b.keySets[location] = &entries
	return nil
}

// Len returns the number of names in the bundle.
func (b *Bundle) Len() int { return len(b.records) + len(b.metadata) + len(b.keySets) }

// Names returns the names in the bundle in canonical form, sorted.
func (b *Bundle) Names() []string {
	names := slices.Collect(maps.Keys(b.keySets))
	for domain := range b.records {
		names = append(names, TXTPrefix+domain)
	}
	for issuer := range b.metadata {
		names = append(names, MetadataURL(issuer))
	}
	slices.Sort(names)
	return names
}

// Issuer implements [Source].
func (b *Bundle) Issuer(_ context.Context, emailDomain string) (string, error) {
	if err := checkDomain(emailDomain); err != nil {
		return "", err
	}
	records, err := b.txt(emailDomain)
	if err != nil {
		return "", err.at(emailDomain)
	}
	host, err := ParseRecords(records)
	if err != nil {
		return "", err.at(emailDomain)
	}
	return host, nil
}

// Keys implements [Source].
func (b *Bundle) Keys(_ context.Context, issuer, _ string, _ bool) (*KeySet, error) {
	if set := b.usable[issuer]; set != nil {
		return set, nil
	}
	m, _, err := b.documents(issuer)
	err = err.at(issuer)
	err.found = &documents{metadata: m}
	return nil, err
}

// documents returns the metadata of an issuer, and the entries of its key set.
func (b *Bundle) documents(issuer string) (*Metadata, []Entry, *Error) {
	m, err := b.metadataOf(issuer)
	if err != nil {
		return nil, nil, err
	}
	entries, err := b.entriesAt(m.KeySetURL)
	return m, entries, err
}

// txt returns the TXT records of an email domain.
func (b *Bundle) txt(emailDomain string) ([]string, *Error) {
	records, found := b.records[emailDomain]
	if !found {
		return nil, notInBundle("8.unavailable", "no TXT record of this domain is known",
			"add the TXT record to the bundle, or null if there is none")
	}
	return records, nil
}

// metadataOf returns the metadata of an issuer.
func (b *Bundle) metadataOf(issuer string) (*Metadata, *Error) {
	m, found := b.metadata[issuer]
	switch {
	case !found:
		return nil, notInBundle("9.unavailable", "no metadata of this issuer are known", "add its metadata to the bundle")
	case m == nil:
		return nil, refused("9.refused", "recorded as an issuer without metadata").advise(adviceMetadata, "Bundle")
	}
	return m, nil
}

// entriesAt returns the entries of the key set at a canonical URL.
func (b *Bundle) entriesAt(location string) ([]Entry, *Error) {
	set, found := b.keySets[location]
	switch {
	case !found:
		return nil, notInBundle("9.unavailable", "no key set of this issuer is known", "add the document at its jwks_uri to the bundle")
	case set == nil:
		return nil, refused("9.refused", "recorded as an issuer without key set").advise(adviceKeySet, "Bundle")
	}
	return *set, nil
}

func notInBundle(rule, reason, advice string) *Error {
	return unavailable(rule, reason, nil).advise(advice, "Bundle")
}
