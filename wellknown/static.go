package wellknown

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Static answers from documents known beforehand, without a network. It is
// safe for concurrent use.
type Static struct {
	documents map[string]*Document // nil: known not to support BrowserID
	sole      map[string]*Authority
}

// NewStatic takes the support documents of domains: nil or JSON's null for a
// domain known not to support BrowserID. A domain that is not in the map is
// [ErrUnavailable]. A malformed document is an error, not a domain without support.
func NewStatic(documents map[string]json.RawMessage) (*Static, error) {
	s := newStatic(len(documents))
	for name, document := range documents {
		if err := s.add(name, document); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ParseStatic reads the JSON form of [NewStatic]'s map:
// {"idp.example": {document}, "other.example": null}.
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

// LoadStatic reads the file at path by [ParseStatic] or, when path is a folder,
// the document of each <domain>.json in it; other files there are ignored.
func LoadStatic(path string) (*Static, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return loadFolder(path)
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

func loadFolder(folder string) (*Static, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	s := newStatic(len(entries))
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok {
			continue
		}
		document, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		if err := s.add(name, document); err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
	}
	if len(s.documents) == 0 {
		return nil, fmt.Errorf("%s: no .json file in this folder", folder)
	}
	return s, nil
}

func newStatic(size int) *Static {
	return &Static{documents: make(map[string]*Document, size), sole: make(map[string]*Authority, size)}
}

func (s *Static) add(name string, document json.RawMessage) error {
	host, ok := domain.Parse(name)
	if !ok {
		return fmt.Errorf("%q is not a domain", name)
	}
	if _, twice := s.documents[host]; twice {
		return fmt.Errorf("%s: more than one document", host)
	}
	if document == nil || string(bytes.TrimSpace(document)) == "null" {
		s.documents[host] = nil
		return nil
	}
	d, err := ParseDocument(document)
	if err != nil {
		return fmt.Errorf("%s: %w", host, err)
	}
	s.documents[host] = d
	s.sole[host] = d.soleAuthority(host, time.Time{}, time.Time{})
	return nil
}

// Authority is [Resolver.Authority] without the network. emailDomain makes no
// difference, but must be a domain.
func (s *Static) Authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	a, err := s.authority(ctx, host, emailDomain)
	hooksOf(ctx).done(true, err)
	return a, err
}

func (s *Static) authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	asked, hostOK := domain.Parse(host)
	if _, emailOK := domain.Parse(emailDomain); hostOK && emailOK && s.sole[asked] != nil {
		return s.sole[asked].clone(), nil
	}
	return follow(ctx, s, host, emailDomain)
}

func (s *Static) document(_ context.Context, host, _ string) (*publication, *fault) {
	d, known := s.documents[host]
	switch {
	case !known:
		return nil, unavailable("no document held", nil)
	case d == nil:
		return nil, unsupported("recorded as not supporting it", nil)
	case d.Disabled:
		return nil, unsupported("disabled", nil)
	}
	return &publication{Document: d}, nil
}
