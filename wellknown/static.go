package wellknown

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/bundlename"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/fetch"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Static answers lookups from a fixed set of documents, without a network. It is safe for
// concurrent use. A zero Static has no documents. The lookups of a nil one, and those with a nil
// context, return errors. All these match ErrUnavailable.
type Static struct {
	entries map[question]*entry // for all email domains if emailDomain is empty
}

// NewStatic returns a Static with the support documents of domains. A document that is nil
// or JSON's null means that the domain does not support BrowserID. A domain that is not in
// the map is [ErrUnavailable]. A malformed document is an error, not a domain without
// support.
//
// The name of an entry is a domain, or a domain and the email domain for which the document
// is, as in the URL of the request: "fallback.example?domain=idp.example". Such an entry is
// used for that email domain only, and has precedence over the domain's other entry.
func NewStatic(documents map[string]json.RawMessage) (*Static, error) {
	s := newStatic(len(documents))
	for name, document := range documents {
		if err := s.add(name, document); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ParseStatic returns a Static with the documents of a bundle, which is the JSON form of
// [NewStatic]'s map:
//
//	{
//	  "idp.example": {document},
//	  "other.example": null,
//	  "fallback.example?domain=other.example": {document}
//	}
//
// Members for the Email Verification Protocol, which package evp reads, are ignored.
func ParseStatic(data []byte) (*Static, error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	s := newStatic(len(object))
	for _, m := range object {
		if isForTokens(m) {
			continue
		}
		if err := s.add(m.Name, m.Value); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// isForTokens reports whether a member of a bundle is one for the Email Verification Protocol
// (evp.ParseBundle), and not a mistake: the URL of a host or of its support document, or a URL
// with another value than an object or null.
func isForTokens(m strictjson.Member) bool {
	switch {
	case !bundlename.EntryForTokens(m):
		return false
	case bundlename.IsTXT(m.Name):
		return true
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(m.Name, "https://"), "/")
	isDocument := m.Value[0] == '{' || string(m.Value) == "null"
	return isDocument && path != "" && path != ".well-known/browserid"
}

// LoadStatic reads the bundle in the file at path, as ParseStatic does. If path is a
// directory, it reads the document of each file <name>.json in it, where name is that of an
// entry of a bundle, and ignores other files.
func LoadStatic(path string) (*Static, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return loadDir(path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ParseStatic(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func loadDir(dir string) (*Static, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	s := newStatic(len(files))
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".json")
		if !ok {
			continue
		}
		document, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return nil, err
		}
		if err := s.add(name, document); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	if len(s.entries) == 0 {
		return nil, fmt.Errorf("%s: no .json file in this folder", dir)
	}
	return s, nil
}

// Len returns the number of entries of s: documents, and domains that do not support
// BrowserID.
func (s *Static) Len() int {
	if s == nil {
		return 0
	}
	return len(s.entries)
}

func newStatic(size int) *Static { return &Static{entries: make(map[question]*entry, size)} }

func (s *Static) add(name string, document json.RawMessage) error {
	q, ok := parseEntryName(name)
	if !ok {
		return fmt.Errorf("%q is not a domain", name)
	}
	if s.entries[q] != nil {
		return fmt.Errorf("%s: more than one document", entryName(q))
	}
	e := &entry{Question: q}
	s.entries[q] = e
	if document == nil || string(bytes.TrimSpace(document)) == "null" {
		e.Fault = fetch.Unsupported.Fault("recorded as not supporting BrowserID", nil)
		return nil
	}
	d, err := ParseDocument(document)
	if err != nil {
		return fmt.Errorf("%s: %w", entryName(q), err)
	}
	if d.Disabled {
		e.Fault = fetch.Unsupported.Fault("disabled", nil)
		return nil
	}
	e.Document = answer{d, d.soleAuthority(q.Host, time.Time{}, time.Time{})}
	return nil
}

// domainQuery is between the two domains in the name of an entry.
const domainQuery = "?domain="

// parseEntryName parses the name of an entry of a bundle. The emailDomain is empty if the
// name has none.
func parseEntryName(name string) (q question, ok bool) {
	host, emailDomain, found := strings.Cut(name, domainQuery)
	if !found {
		q.Host, ok = domain.Parse(name)
		return q, ok
	}
	return parseQuestion(host, emailDomain)
}

// entryName is the inverse of parseEntryName.
func entryName(q question) string {
	if q.For == "" {
		return q.Host
	}
	return q.Host + domainQuery + q.For
}

// Authority is [Resolver.Authority] without the network.
func (s *Static) Authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	a, err := s.authority(ctx, host, emailDomain)
	hooksOf(ctx).done(true, err)
	return a, err
}

func (s *Static) authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	q, ok := parseQuestion(host, emailDomain)
	if !ok {
		return nil, notDomain()
	}
	switch {
	case s == nil:
		return nil, notMade("Static", "NewStatic", q.Host)
	case ctx == nil:
		return nil, nilContext(q.Host)
	}
	e := s.entry(ctx, q)
	if e.Document.authority != nil {
		return e.Document.authority.clone(), nil
	}
	return follow(ctx, s, q, e, time.Time{})
}

// entry implements source.
func (s *Static) entry(_ context.Context, q question) *entry {
	for _, known := range []question{q, {Host: q.Host}} {
		if e := s.entries[known]; e != nil {
			return e
		}
	}
	return &entry{Question: q, Fault: fetch.Unavailable.Fault("no document of this host is known", nil).
		Advise("add the host's document to those that are configured", "Keys")}
}

// Save looks up domains and writes a bundle, which [ParseStatic] reads: the documents of
// the domains and of the hosts to which they delegate, and null for hosts that do not
// support BrowserID. The text is the same for the same documents.
//
// A name is a domain, for its own emails, or that of an entry of a bundle, such as
// "fallback.example?domain=idp.example", for the emails of another domain.
//
// Save returns an error and writes nothing if one of the documents cannot be fetched.
func (r *Resolver) Save(ctx context.Context, w io.Writer, names ...string) error {
	rec := &recorder{documents: make(map[question]json.RawMessage), named: make(map[question]bool)}
	for _, name := range names {
		if err := rec.record(ctx, r, name); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(rec.bundle(), "", "  ")
	if err != nil {
		return err
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	return nil
}

// recorder is a [source] that records the documents of another one.
type recorder struct {
	source
	asked     string // the host that is looked up
	documents map[question]json.RawMessage
	named     map[question]bool // the questions that the caller named, with both domains
	err       error             // the first error of a document that cannot be recorded
}

func (rec *recorder) record(ctx context.Context, r *Resolver, name string) error {
	q, ok := parseEntryName(name)
	if !ok {
		return notDomain()
	}
	if q.For == "" {
		q.For = q.Host
	} else {
		rec.named[q] = true
	}
	if err := r.checkCall(ctx, q.Host); err != nil {
		return err
	}
	ctx, cancel := r.fetcher.WithTimeout(ctx)
	defer cancel()
	l := &lookup{Resolver: r, now: r.now()}
	rec.source, rec.asked = l, q.Host
	// An error of follow itself, such as a delegation in a circle, is ignored: the
	// documents are recorded, and a lookup in them returns the same error.
	_, _ = follow(ctx, rec, q, rec.entry(ctx, q), l.now)
	return rec.err
}

// entry implements source.
func (rec *recorder) entry(ctx context.Context, q question) *entry {
	e := rec.source.entry(ctx, q)
	text := json.RawMessage("null")
	switch {
	case e.Fault == nil:
		var err error
		if text, err = json.Marshal(e.Document.Document); err != nil {
			rec.fail(fmt.Errorf("%s: %w", q.Host, err))
		}
	case e.Fault.Outcome != fetch.Unsupported:
		rec.fail(newLookupError(e.Fault, rec.asked, q.Host))
		return e
	}
	rec.documents[q] = text
	return e
}

func (rec *recorder) fail(err error) {
	if rec.err == nil {
		rec.err = err
	}
}

// bundle returns the documents by the names of their entries. A document for the emails of
// another domain has both domains in its name if the caller named both, or if its host has
// different documents. Otherwise it is the host's document for all email domains.
func (rec *recorder) bundle() map[string]json.RawMessage {
	texts := make(map[string]map[string]bool) // by host
	for q, text := range rec.documents {
		if texts[q.Host] == nil {
			texts[q.Host] = make(map[string]bool)
		}
		texts[q.Host][string(text)] = true
	}
	bundle := make(map[string]json.RawMessage, len(rec.documents))
	for q, text := range rec.documents {
		if q.Own() || !rec.named[q] && len(texts[q.Host]) == 1 {
			q.For = ""
		}
		bundle[entryName(q)] = text
	}
	return bundle
}
