package evpdemo

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/explained"
)

//go:embed web/*.html
var web embed.FS

// view is the data of a page.
type view struct {
	Title    string
	Provider bool   // the page is of the mail provider
	Email    string // of the user who is signed in, or who wants to
	Message  string // what went wrong

	Fields   template.HTML // of the form
	Script   string        // the URL of the script that restores the nonce
	Member   *member
	Requests []request         // of the browser, for the protocol
	Why      string            // there is no token
	Checks   []explained.Check // of a token that was refused
	Code     string
}

// Site returns the name of the site.
func (v view) Site() string {
	if v.Provider {
		return "Example Mail"
	}
	return "Example Shop"
}

// The names that pages mention.
func (view) SiteOrigin() string   { return siteOrigin }
func (view) IssuerOrigin() string { return issuerOrigin }
func (view) MailDomain() string   { return mailDomain }

// pages makes the pages of both sites.
type pages struct {
	templates *template.Template
	logger    *slog.Logger
}

func newPages(logger *slog.Logger) (*pages, error) {
	templates, err := template.ParseFS(web, "web/*.html")
	if err != nil {
		return nil, err
	}
	templates, err = explained.Templates(templates)
	return &pages{templates, logger}, err
}

// policy is the Content-Security-Policy of all pages. A policy makes browsers empty the nonce
// of the form, which the script of package evp restores.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// show serves a page, of which a template has the name.
func (p *pages) show(w http.ResponseWriter, status int, name string, v *view) {
	var body bytes.Buffer
	if err := p.templates.ExecuteTemplate(&body, name, v); err != nil {
		p.logger.Error("demo: the page could not be made", "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the only error is that the client has gone
}
