package wellknown

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/wellknown/internal/fetch"
)

// Static answers lookups from a fixed set of documents, without a network. It is safe for
// concurrent use.
type Static struct {
	entries map[string]*entry // by host
}

// NewStatic returns a Static with the support documents of domains. A document that is nil
// or JSON's null means that the domain does not support BrowserID. A domain that is not in
// the map is [ErrUnavailable]. A malformed document is an error, not a domain without
// support.
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
// [NewStatic]'s map: {"idp.example": {document}, "other.example": null}.
func ParseStatic(data []byte) (*Static, error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	s := newStatic(len(object))
	for _, m := range object {
		if err := s.add(m.Name, m.Value); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// LoadStatic reads the bundle in the file at path, as ParseStatic does. If path is a
// directory, it reads the document of each file <domain>.json in it, and ignores other
// files.
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

func newStatic(size int) *Static { return &Static{entries: make(map[string]*entry, size)} }

func (s *Static) add(name string, document json.RawMessage) error {
	host, ok := domain.Parse(name)
	if !ok {
		return fmt.Errorf("%q is not a domain", name)
	}
	if s.entries[host] != nil {
		return fmt.Errorf("%s: more than one document", host)
	}
	e := &entry{question: question{host, host}}
	s.entries[host] = e
	if document == nil || string(bytes.TrimSpace(document)) == "null" {
		e.fault = fetch.Unsupported.Fault("recorded as not supporting BrowserID", nil)
		return nil
	}
	d, err := ParseDocument(document)
	if err != nil {
		return fmt.Errorf("%s: %w", host, err)
	}
	if d.Disabled {
		e.fault = fetch.Unsupported.Fault("disabled", nil)
		return nil
	}
	e.document, e.authority = d, d.soleAuthority(host, time.Time{}, time.Time{})
	return nil
}

// Authority is [Resolver.Authority] without the network. The answer does not depend on
// emailDomain, but it must be a domain.
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
	e := s.entry(ctx, q)
	if e.authority != nil {
		return e.authority.clone(), nil
	}
	return follow(ctx, s, e, time.Time{})
}

// entry implements source.
func (s *Static) entry(_ context.Context, q question) *entry {
	if e := s.entries[q.host]; e != nil {
		return e
	}
	return &entry{question: q, fault: fetch.Unavailable.Fault("no document of this host is known", nil)}
}

// Save looks up domains and writes a bundle, which [ParseStatic] reads: the documents of
// the domains and of the hosts to which they delegate, and null for hosts that do not
// support BrowserID. The text is the same for the same documents.
//
// Save returns an error and writes nothing if one of the documents cannot be fetched, or if
// a host has different documents for different domains.
func (r *Resolver) Save(ctx context.Context, w io.Writer, domains ...string) error {
	rec := &recorder{documents: make(map[string]json.RawMessage)}
	for _, name := range domains {
		if err := rec.record(ctx, r, name); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(rec.documents, "", "  ")
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
	documents map[string]json.RawMessage
	err       error // the first error of a document that cannot be recorded
}

func (rec *recorder) record(ctx context.Context, r *Resolver, name string) error {
	q, ok := parseQuestion(name, name)
	if !ok {
		return notDomain()
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	l := &lookup{Resolver: r, now: r.now()}
	rec.source = l
	// An error of follow itself, such as a delegation in a circle, is ignored: the
	// documents are recorded, and a lookup in them returns the same error.
	_, _ = follow(ctx, rec, rec.entry(ctx, q), l.now)
	return rec.err
}

// entry implements source.
func (rec *recorder) entry(ctx context.Context, q question) *entry {
	e := rec.source.entry(ctx, q)
	text := json.RawMessage("null")
	switch {
	case e.fault == nil:
		var err error
		if text, err = json.Marshal(e.document); err != nil {
			rec.fail(fmt.Errorf("%s: %w", q.host, err))
		}
	case e.fault.Outcome != fetch.Unsupported:
		rec.fail(newLookupError(e.fault, q.emailDomain, q.host))
		return e
	}
	if before, found := rec.documents[q.host]; found && !bytes.Equal(before, text) {
		rec.fail(fmt.Errorf("%s: %w", q.host, errDifferent))
	}
	rec.documents[q.host] = text
	return e
}

var errDifferent = errors.New("different documents for different domains, which one file cannot hold")

func (rec *recorder) fail(err error) {
	if rec.err == nil {
		rec.err = err
	}
}
