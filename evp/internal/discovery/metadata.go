package discovery

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/internal/target"
)

// metadataPath is the path of an issuer's metadata.
const metadataPath = "/.well-known/email-verification"

// Limits of the documents.
const (
	maxDocument = 64 << 10 // bytes of metadata, and of a key set
	maxMembers  = 1000     // of all objects together; colons in strings count too
	maxCommas   = 2000     // likewise
	maxURL      = 2048     // bytes of jwks_uri
	maxEntries  = 64       // of a key set
)

// Errors of documents over a limit, without which parsing one takes up to 10 ms.
var (
	errLong    = errors.New("more than 64 KiB")
	errMembers = errors.New("too many members or elements")
)

// parseObject parses a document, which is one JSON object.
func parseObject(data []byte) (strictjson.Object, error) {
	switch {
	case len(data) > maxDocument:
		return nil, errLong
	case bytes.Count(data, []byte(":")) > maxMembers, bytes.Count(data, []byte(",")) > maxCommas:
		return nil, errMembers
	}
	return strictjson.ParseObject(data)
}

// Advice about documents.
const (
	adviceMetadata = "the issuer should correct its metadata at " + metadataPath
	adviceIssuer   = `the member "issuer" of the metadata should be https:// and the host of the TXT record`
	adviceKeySet   = "the issuer should correct the key set at its jwks_uri"
)

// MetadataURL returns the URL of an issuer's metadata.
func MetadataURL(issuer string) string { return "https://" + issuer + metadataPath }

// Metadata is what an issuer's metadata says (rules 9.issuer and 9.jwks-uri).
type Metadata struct {
	// KeySetURL is jwks_uri in canonical form: an absolute https URL without user
	// information, port and fragment, whose host is a name in lower case.
	KeySetURL string

	// HasIssuer reports that the metadata names the issuer. Profile draft-02 wants it.
	HasIssuer bool

	// The members below are not used for verification. They are for people, and not valid
	// if the issuer has written something else.
	IssuanceEndpoint string
	Algorithms       []string // signing_alg_values_supported
	Private          bool     // private_email_supported
}

// ParseMetadata parses the metadata of issuer. The error has no text of the document.
func ParseMetadata(data []byte, issuer string) (*Metadata, *Error) {
	object, err := parseObject(data)
	if err != nil {
		return nil, refused("9.refused", "malformed metadata: "+err.Error()).advise(adviceMetadata, "")
	}
	m := new(Metadata)
	raw, hasIssuer := object.Get("issuer")
	if text, ok := strictjson.String(raw); hasIssuer && (!ok || text != "https://"+issuer) {
		return nil, refused("9.issuer", "metadata of another issuer").advise(adviceIssuer, "")
	}
	m.HasIssuer = hasIssuer
	raw, _ = object.Get("jwks_uri")
	text, ok := strictjson.String(raw)
	if !ok {
		return nil, refused("9.jwks-uri", "metadata without jwks_uri").advise(adviceMetadata, "")
	}
	if m.KeySetURL, err = parseURL(text); err != nil {
		return nil, refused("9.jwks-uri", "jwks_uri: "+err.Error()).advise(adviceMetadata, "")
	}
	m.describe(object)
	return m, nil
}

// describe sets the members that are for people only.
func (m *Metadata) describe(o strictjson.Object) {
	member := func(name string) json.RawMessage { raw, _ := o.Get(name); return raw }
	m.IssuanceEndpoint, _ = strictjson.String(member("issuance_endpoint"))
	algorithms, _ := strictjson.Array(member("signing_alg_values_supported"))
	for _, raw := range algorithms {
		if alg, ok := strictjson.String(raw); ok {
			m.Algorithms = append(m.Algorithms, alg)
		}
	}
	m.Private = string(member("private_email_supported")) == "true"
}

// Errors of parseURL.
var (
	errURLLong     = errors.New("more than 2048 bytes")
	errURLSyntax   = errors.New("not an absolute https URL")
	errURLFragment = errors.New("a fragment")
	errURLUser     = errors.New("user information")
	errURLPort     = errors.New("another port than 443")
	errURLHost     = errors.New("a host that is not a name of at least two labels")
)

// parseURL returns the canonical form of the URL of a document: in lower case up to its
// path, without the port 443. Path and query stay as they are.
func parseURL(s string) (string, error) {
	switch {
	case len(s) > maxURL:
		return "", errURLLong
	case strings.Contains(s, "#"):
		return "", errURLFragment
	case target.CheckURL(s) != nil || strings.Contains(s, `\`):
		return "", errURLSyntax
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Opaque != "" {
		return "", errURLSyntax
	}
	if u.User != nil {
		return "", errURLUser
	}
	host, port, hasPort := strings.Cut(Lower(u.Host), ":")
	switch {
	case !IsHost(host):
		return "", errURLHost
	case hasPort && port != "443":
		return "", errURLPort
	}
	u.Host = host
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}
