package devidp

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/vepverify/vepverify/internal/page"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/internal/target"
)

//go:embed web
var web embed.FS

// dialogPath is the path of the dialog.
const dialogPath = "/sign_in"

const (
	typeHTML   = "text/html; charset=utf-8"
	typeScript = "text/javascript; charset=utf-8"
)

// ServeHTTP serves requests that come from this machine, have a Host that is this
// machine's own, and have a request target that package target accepts. It refuses
// all others, whatever the path.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	commonHeaders(w.Header())
	_, local := target.Local(r)
	switch {
	case !isLoopbackPeer(r.RemoteAddr):
		p.refuse(w, r, &refusal.Refusal{Status: http.StatusForbidden, Reason: "this identity provider serves its own machine only"})
	case !p.isOwnHost(r.Host):
		p.refuse(w, r, &refusal.Refusal{
			Status: http.StatusMisdirectedRequest,
			Reason: "this identity provider answers at localhost only: open it as http://localhost and its port",
		})
	case !local:
		p.refuse(w, r, badRequest("", "the request target is not a path"))
	default:
		p.serve(w, r)
	}
}

// serve serves an accepted request. If the mux has no handler for it, browsers get a page.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	handler, pattern := p.mux.Handler(r)
	if pattern != "" || !page.Preferred(r) {
		p.mux.ServeHTTP(w, r)
		return
	}
	plain := &statusOf{header: make(http.Header)}
	handler.ServeHTTP(plain, r) // it only answers
	switch plain.status {
	case http.StatusNotFound:
		p.refuse(w, r, &refusal.Refusal{Status: plain.status, Reason: "this identity provider has no such page"})
	case http.StatusMethodNotAllowed:
		p.refuse(w, r, &refusal.Refusal{Status: plain.status, Reason: "this address does not accept requests of this method", Allow: plain.header.Get("Allow")})
	default:
		p.mux.ServeHTTP(w, r)
	}
}

// statusOf is a ResponseWriter that keeps the status and the header only.
type statusOf struct {
	header http.Header
	status int
}

func (s *statusOf) Header() http.Header         { return s.header }
func (s *statusOf) WriteHeader(status int)      { s.status = status }
func (s *statusOf) Write(b []byte) (int, error) { return len(b), nil }

// badRequest returns a refusal with status 400. An empty field means none in
// particular.
func badRequest(field, reason string) *refusal.Refusal {
	return &refusal.Refusal{Status: http.StatusBadRequest, Field: field, Reason: reason}
}

// refuse answers browsers with a page, and programs with {"error": "…", "field": "…"},
// without field if the refusal has none. It logs the cause, if there is one. No answer
// repeats what the client sent.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, refused *refusal.Refusal) {
	if refused.Cause != nil {
		p.config.Logger.ErrorContext(r.Context(), "devidp: "+refused.Reason, "error", refused.Cause)
	}
	if page.Preferred(r) {
		refused.Write(w, typeHTML, p.problemPage(r, refused))
		return
	}
	body, _ := json.Marshal(struct { // two strings: there is no error
		Error string `json:"error"`
		Field string `json:"field,omitempty"`
	}{refused.Reason, refused.Field})
	refused.Write(w, "application/json", append(body, '\n'))
}

// problemPage returns the page of a refusal.
func (p *Provider) problemPage(r *http.Request, refused *refusal.Refusal) []byte {
	start := "/"
	switch refused.Status {
	case http.StatusForbidden: // from another machine, which cannot open the start page either
		start = ""
	case http.StatusMisdirectedRequest:
		start = ownStart(r)
	}
	var body bytes.Buffer
	err := p.problem.Execute(&body, struct {
		*Provider
		Title, Message, Start string
	}{p, http.StatusText(refused.Status), strings.ToUpper(refused.Reason[:1]) + refused.Reason[1:] + ".", start})
	if err != nil { // there is always a text
		p.config.Logger.ErrorContext(r.Context(), "devidp: executing the template of a page", "error", err)
		body.WriteString(template.HTMLEscapeString(refused.Reason))
	}
	return body.Bytes()
}

// ownStart returns the URL of the start page at localhost, with the port at which the
// request has arrived. It does not use the Host, which names another site.
func ownStart(r *http.Request) string {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return ""
	}
	return "http://localhost:" + strconv.Itoa(local.Port) + "/"
}

// policy is the Content-Security-Policy of all responses. The provider's pages may use
// its own files, and no page may frame them. There are no inline scripts or styles,
// and no form is sent.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// commonHeaders sets the headers of all responses.
func commonHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY") // for browsers without frame-ancestors
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// With no-referrer, the Origin of some requests is null.
	h.Set("Referrer-Policy", "same-origin")
	// The next provider at this port has another key.
	h.Set("Cache-Control", "no-store")
}

// route sets the handlers of all endpoints. document is the support document.
func (p *Provider) route(document []byte) error {
	pages, err := template.ParseFS(web, "web/*.html")
	if err != nil {
		return err
	}
	var dialog bytes.Buffer
	if err := pages.ExecuteTemplate(&dialog, "dialog.html", p); err != nil {
		return err
	}
	include, err := fs.ReadFile(web, "web/include.js")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	p.mux, p.problem = mux, pages.Lookup("problem.html")
	mux.Handle("GET /.well-known/browserid", page.Static("application/json", document))
	mux.Handle("GET /keys.json", page.Static("application/json", p.bundle))
	mux.Handle("GET /include.js", sharedScript(include))
	mux.Handle("GET "+dialogPath, dialogPage(dialog.Bytes()))
	mux.Handle("GET /{$}", p.frontPage(pages.Lookup("index.html")))
	mux.HandleFunc("/certify", p.serveCertify)
	page.Handle(mux)
	for _, name := range []string{"dialog.js", "assertion.js", "identities.js"} {
		body, err := fs.ReadFile(web, "web/"+name)
		if err != nil {
			return err
		}
		mux.Handle("GET /"+name, page.Static(typeScript, body))
	}
	return nil
}

// sharedScript serves a script that pages of other origins load, whatever their
// Cross-Origin-Embedder-Policy and the script's attribute crossorigin are.
func sharedScript(body []byte) http.HandlerFunc {
	script := page.Static(typeScript, body)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		script(w, r)
	}
}

// dialogPage serves a page that keeps the connection to the window that opened it.
func dialogPage(body []byte) http.HandlerFunc {
	dialog := page.Static(typeHTML, body)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "unsafe-none")
		dialog(w, r)
	}
}

// frontPage serves the page for people who open the provider's origin.
func (p *Provider) frontPage(front *template.Template) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if err := front.Execute(&body, struct {
			*Provider
			Origin string
		}{p, originOf(r)}); err != nil {
			p.refuse(w, r, &refusal.Refusal{Status: http.StatusInternalServerError, Reason: "the page could not be made", Cause: err})
			return
		}
		page.Static(typeHTML, body.Bytes())(w, r)
	}
}
