package login

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"net/http"
	"regexp"
	"time"

	"github.com/vepverify/vepverify/internal/refusal"
)

var (
	//go:embed auth.js
	authSource string

	// commentLines are the lines of auth.js that are comments, except those at its beginning.
	// Pages do not load them: they are a sixth of the file.
	commentLines = regexp.MustCompile(`(?m)^ +//.*\n`)
)

// script is the auth script of one configuration.
type script struct {
	text    []byte
	url     string
	version string // a hash of text
}

// newScript returns a script that calls the function in auth.js, without its comments, with
// the routes as browsers see them and the messages by reason.
func newScript(login, logout, path string) (*script, error) {
	argument, err := json.Marshal(map[string]any{ // escapes '<'
		"login": login, "logout": logout, "messages": messages, "messagesOfKinds": messagesOfKinds, "crossOrigin": reasonCrossOrigin,
	})
	if err != nil {
		return nil, err
	}
	s := &script{text: []byte(commentLines.ReplaceAllString(authSource, "") + "(" + string(argument) + ");\n")}
	sum := sha256.Sum256(s.text)
	s.version = hex.EncodeToString(sum[:8])
	s.url = path + "?v=" + s.version
	return s, nil
}

// ServeHTTP answers with the whole script. Caches may keep it for a year under its
// own version. Under another version, which pages of another process may have, they
// must revalidate it. ServeHTTP ignores Range: an answer in 8000 parts would be a
// hundred times as large as the script.
func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refused := &refusal.Refusal{Status: http.StatusMethodNotAllowed, Reason: reasonMethod, Allow: "GET, HEAD"}
		refused.WriteText(w)
		return
	}
	h.Set("Cache-Control", "no-cache")
	if r.URL.RawQuery == "v="+s.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Etag", `"`+s.version+`"`)
	whole := r.WithContext(r.Context())
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	http.ServeContent(w, whole, "", time.Time{}, bytes.NewReader(s.text))
}

// ScriptURL returns the URL of the script, for <script src="…" defer>: a path with a
// hash of the content, so that browsers may cache it for a year.
func (l *Login[U]) ScriptURL() string { return l.script.url }

// AuthScript returns the script for an inline <script> element. The element needs the
// nonce of the page's Content-Security-Policy.
func (l *Login[U]) AuthScript() template.JS { return template.JS(l.script.text) }
