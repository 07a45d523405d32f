package devidp

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed web
var web embed.FS

const dialogPath = "/sign_in"

// policy lets the provider's pages use its own files, and no page frame them.
// There is no inline script or style to allow, and no form is ever sent.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// commonHeaders are what all answers have.
func commonHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY") // frame-ancestors, for browsers that do not know it
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Not no-referrer: by that, some requests have the Origin null.
	h.Set("Referrer-Policy", "same-origin")
	// The next provider at this port is another one, with another key.
	h.Set("Cache-Control", "no-store")
}

// files are served as they are.
var files = []struct{ path, contentType string }{
	{"dialog.js", "text/javascript; charset=utf-8"},
	{"assertion.js", "text/javascript; charset=utf-8"},
	{"identities.js", "text/javascript; charset=utf-8"},
	{"style.css", "text/css; charset=utf-8"},
	{"icon.svg", "image/svg+xml"},
}

func (p *Provider) routes(document []byte) (http.Handler, error) {
	pages, err := template.ParseFS(web, "web/*.html")
	if err != nil {
		return nil, err
	}
	var dialog bytes.Buffer
	if err := pages.ExecuteTemplate(&dialog, "dialog.html", p); err != nil {
		return nil, err
	}
	include, err := fs.ReadFile(web, "web/include.js")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /.well-known/browserid", serve("application/json", document))
	mux.Handle("GET /keys.json", serve("application/json", p.bundle))
	mux.Handle("GET /include.js", sharedScript(include))
	mux.Handle("GET "+dialogPath, dialogPage(dialog.Bytes()))
	mux.Handle("GET /{$}", p.frontPage(pages.Lookup("index.html")))
	mux.HandleFunc("/certify", p.serveCertify)
	for _, file := range files {
		body, err := fs.ReadFile(web, "web/"+file.path)
		if err != nil {
			return nil, err
		}
		mux.Handle("GET /"+file.path, serve(file.contentType, body))
	}
	return mux, nil
}

func serve(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body) // a client that has gone needs no answer
	}
}

// sharedScript serves what pages of other origins load, with whatever policy
// they have: Cross-Origin-Embedder-Policy, or the crossorigin attribute.
func sharedScript(body []byte) http.HandlerFunc {
	script := serve("text/javascript; charset=utf-8", body)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		script(w, r)
	}
}

// dialogPage serves the page that must keep the connection to its opener.
func dialogPage(body []byte) http.HandlerFunc {
	page := serve("text/html; charset=utf-8", body)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "unsafe-none")
		page(w, r)
	}
}

// frontPage serves a page for people who open the provider by hand.
func (p *Provider) frontPage(page *template.Template) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		if err := page.Execute(&body, struct {
			*Provider
			Origin string
		}{p, originOf(r)}); err != nil {
			(&refusal{Status: http.StatusInternalServerError, Problem: "the page could not be written"}).write(w)
			return
		}
		serve("text/html; charset=utf-8", []byte(body.String()))(w, r)
	}
}
