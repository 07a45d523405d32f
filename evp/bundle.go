package evp

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// Bundle has TXT records, metadata and key sets that are known beforehand. It is immutable.
// ParseBundle and LoadBundle return one. The zero Bundle is empty; a nil one has no names.
type Bundle struct {
	documents discovery.Bundle
}

// errBundleName is the error for a member of a bundle.
var errBundleName = errors.New("neither the name of a TXT record, nor an https URL, nor a domain")

// ParseBundle parses a bundle: one JSON object, whose members are
//
//	"_email-verification.mail.example": ["iss=accounts.issuer.example"],
//	"https://accounts.issuer.example/.well-known/email-verification": {metadata},
//	"https://accounts.issuer.example/jwks": {key set}
//
// The value null means that there is no TXT record, or no document. What is not in the
// bundle is undecided. Members whose names are domains are of a bundle of package
// wellknown, which may be in the same object, and are ignored.
//
// An error about a member names it.
func ParseBundle(data []byte) (*Bundle, error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	own, others := discovery.Split(object)
	for _, m := range others {
		host, _, _ := strings.Cut(m.Name, "?")
		if _, ok := domain.Parse(host); !ok {
			return nil, fmt.Errorf("%.300q: %w", m.Name, errBundleName)
		}
	}
	documents, err := discovery.NewBundle(own)
	if err != nil {
		return nil, err
	}
	return &Bundle{*documents}, nil
}

// LoadBundle reads the bundle in the file at path, as ParseBundle does. The error names the
// file.
func LoadBundle(path string) (*Bundle, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b, err := ParseBundle(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Names returns the names in the bundle, sorted.
func (b *Bundle) Names() []string {
	if b == nil {
		return nil
	}
	return b.documents.Names()
}

// Len returns the number of names in the bundle.
func (b *Bundle) Len() int {
	if b == nil {
		return 0
	}
	return b.documents.Len()
}
