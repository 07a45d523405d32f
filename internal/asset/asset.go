// Package asset serves the scripts of this module: texts that do not change while the
// process runs. A URL has a hash of the text, so that browsers may cache it for a year.
package asset

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/internal/refusal"
)

// Asset is a text and its hash. Use New to create one. It is safe for concurrent use.
type Asset struct {
	text        []byte
	contentType string
	sum         [sha256.Size]byte
}

// New returns the asset of a text, which must not be modified.
func New(contentType string, text []byte) *Asset {
	return &Asset{text: text, contentType: contentType, sum: sha256.Sum256(text)}
}

// Text returns the text. It must not be modified.
func (a *Asset) Text() []byte { return a.text }

// Hash returns the source expression of the text for a Content-Security-Policy, without
// quotes: sha256-…
func (a *Asset) Hash() string { return "sha256-" + base64.StdEncoding.EncodeToString(a.sum[:]) }

// URL returns the URL of the asset at a path: the path and the version.
func (a *Asset) URL(path string) string { return path + "?v=" + a.version() }

func (a *Asset) version() string { return hex.EncodeToString(a.sum[:8]) }

// ServeHTTP answers with the whole text. Caches may keep it for a year under its own
// version. Under another version, which pages of another process may have, they must
// revalidate it. ServeHTTP ignores Range: an answer in 8000 parts would be a hundred times
// as large as the text.
func (a *Asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refused := &refusal.Refusal{
			Status: http.StatusMethodNotAllowed, Reason: "method not allowed", Allow: "GET, HEAD",
		}
		refused.WriteText(w)
		return
	}
	h.Set("Cache-Control", "no-cache")
	if r.URL.RawQuery == "v="+a.version() {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Type", a.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Etag", `"`+a.version()+`"`)
	whole := r.WithContext(r.Context())
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	http.ServeContent(w, whole, "", time.Time{}, bytes.NewReader(a.text))
}
