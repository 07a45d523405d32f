package wellknown

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Save looks domains up and writes what [ParseStatic] reads: every document
// met on the way, those of delegates too, and null for hosts known not to
// support BrowserID. The text is the same for the same documents. A domain
// whose documents cannot all be had is an error, and then nothing is written; so is
// a host that gives different documents for different domains.
func (r *Resolver) Save(ctx context.Context, w io.Writer, domains ...string) error {
	s := &recorder{records: make(map[string]json.RawMessage)}
	for _, name := range domains {
		if err := s.record(ctx, r, name); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(s.records, "", "  ")
	if err != nil {
		return err
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	return nil
}

// recorder is a [source] that notes what another one says.
type recorder struct {
	source
	records map[string]json.RawMessage
	err     error // the first thing that cannot be written down
}

func (s *recorder) record(ctx context.Context, r *Resolver, name string) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	s.source = &lookup{Resolver: r, at: r.now()}
	_, err := follow(ctx, s, name, name)
	if s.err != nil {
		return s.err
	}
	// What follow itself refuses, such as a delegation in a circle, it will
	// refuse again when it reads the documents; only a name that is no domain has none.
	var lookup *LookupError
	if errors.As(err, &lookup) && lookup.Host == "" {
		return err
	}
	return nil
}

func (s *recorder) document(ctx context.Context, host, emailDomain string) (*publication, *fault) {
	p, f := s.source.document(ctx, host, emailDomain)
	text := json.RawMessage("null")
	switch {
	case f == nil:
		var err error
		if text, err = json.Marshal(p.Document); err != nil {
			s.fail(fmt.Errorf("%s: %w", host, err))
		}
	case f.kind != ErrUnsupported:
		s.fail(f.of(emailDomain, host))
		return p, f
	}
	if before, known := s.records[host]; known && !bytes.Equal(before, text) {
		s.fail(fmt.Errorf("%s: different documents for different domains, which one file cannot hold", host))
	}
	s.records[host] = text
	return p, f
}

func (s *recorder) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
