package login

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string

	page = template.Must(template.New("page").Parse(pageText))
	// pagePolicy allows that one style, and nothing else.
	pagePolicy = "default-src 'none'; style-src '" + hashSource(pageStyle) + "'"
)

// hashSource names an inline style or script in a Content-Security-Policy.
func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// ownErrorPage is the ErrorPage of a Config without one.
func (s *site) ownErrorPage(w http.ResponseWriter, r *http.Request, status int, message string) {
	var body bytes.Buffer
	err := page.Execute(&body, struct {
		Style           template.CSS
		Message, SignIn string
	}{template.CSS(pageStyle), message, s.at(s.signInPage)})
	if err != nil {
		s.log.ErrorContext(r.Context(), "login: making a page", "error", err)
		body.Reset()
		body.WriteString(template.HTMLEscapeString(message))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	neverFramed(w.Header(), pagePolicy)
	w.WriteHeader(status)
	w.Write(body.Bytes())
}
