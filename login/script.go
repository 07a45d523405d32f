package login

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"net/http"
	"time"
)

//go:embed auth.js
var authSource string

// script is the auth script, made for one configuration.
type script struct {
	text    []byte
	url     string
	version string // of text
}

// newScript calls the function in auth.js with the routes as browsers see them
// and the words for reasons.
func newScript(login, logout, path string) (*script, error) {
	argument, err := json.Marshal(map[string]any{"login": login, "logout": logout, "words": words}) // '<' is escaped
	if err != nil {
		return nil, err
	}
	s := &script{text: []byte(authSource + "(" + string(argument) + ");\n")}
	sum := sha256.Sum256(s.text)
	s.version = hex.EncodeToString(sum[:8])
	s.url = path + "?v=" + s.version
	return s, nil
}

// ServeHTTP answers with the whole script. Caches may keep it for a year under
// its own version. Under another version, which pages of another instance have,
// they must ask again. It ignores Range: an answer in 8 000 parts would be a
// hundred times as large as the script.
func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
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

// ScriptURL is where browsers get the script: the path with a hash of the
// content, cached for ever. It goes into <script src defer>.
func (l *Login[U]) ScriptURL() string { return l.script.url }

// AuthScript is the script itself, to be put inline, into a <script> element
// with the nonce that the page's Content-Security-Policy has.
func (l *Login[U]) AuthScript() template.JS { return template.JS(l.script.text) }
