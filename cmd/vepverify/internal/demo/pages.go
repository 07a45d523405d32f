package demo

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/vepverify/vepverify/assertion"
)

//go:embed web
var web embed.FS

// A file is served as it is.
type file struct{ name, contentType string }

var files = []file{
	{"style.css", "text/css; charset=utf-8"},
	{"icon.svg", "image/svg+xml"},
}

// ServeHTTP ignores Range: an answer in thousands of parts would be a hundred times
// as large as the file.
func (f file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.contentType)
	whole := r.WithContext(r.Context())
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	http.ServeFileFS(w, whole, web, "web/"+f.name)
}

func (s *Site) preparePages() (err error) {
	s.pages, err = template.ParseFS(web, "web/*.html")
	return err
}

// view is what every page gets.
type view struct {
	Title                  string
	Domain                 string
	Include, Script        string // URLs
	Origin, ProviderOrigin string
	Program                []string
	Warning                string

	Member  *member // who is signed in, or nil
	Members []*member
	Wanted  bool // a page for members was asked for
	Message string
}

func (s *Site) view(r *http.Request, title string) *view {
	v := &view{
		Title: title, Domain: s.config.Provider.Domain(),
		Include: s.config.ProviderOrigin + "/include.js", Script: s.auth.ScriptURL(),
		Origin: s.config.Origin, ProviderOrigin: s.config.ProviderOrigin,
		Program: s.Program(), Warning: s.config.Provider.Warning(),
	}
	if m, signedIn := s.auth.User(r.Context()); signedIn {
		v.Member = m
	}
	return v
}

// maxQuery is the longest query that the first page looks at, in bytes. Package
// login makes shorter ones.
const maxQuery = 8 << 10

// first is the first page: the button, or the tour.
func (s *Site) first(w http.ResponseWriter, r *http.Request) {
	v := s.view(r, "Sign in")
	if v.Member != nil {
		v.Title = "Signed in"
		s.show(w, http.StatusOK, "tour.html", v)
		return
	}
	v.Wanted = len(r.URL.RawQuery) <= maxQuery && r.URL.Query().Get("next") != ""
	s.show(w, http.StatusOK, "first.html", v)
}

// club is the page for members.
func (s *Site) club(w http.ResponseWriter, r *http.Request) {
	v := s.view(r, "Members’ page")
	v.Members = s.members.list()
	s.show(w, http.StatusOK, "members.html", v)
}

// problem is package login's page for what went wrong.
func (s *Site) problem(w http.ResponseWriter, r *http.Request, status int, message string) {
	v := s.view(r, "That did not work")
	v.Message = message
	s.show(w, status, "problem.html", v)
}

func (s *Site) absent(w http.ResponseWriter, r *http.Request) {
	v := s.view(r, "There is no such page")
	v.Message = "The first page has links to all that there is."
	s.show(w, http.StatusNotFound, "problem.html", v)
}

func (s *Site) show(w http.ResponseWriter, status int, name string, v *view) {
	var body bytes.Buffer
	if err := s.pages.ExecuteTemplate(&body, name, v); err != nil {
		s.config.Logger.Error("demo: making a page", "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a client that has gone needs no answer
}

// Failed is for pages, where a check's outcome decides how it looks.
func (c check) Failed() bool { return c.Outcome == assertion.StepFailed }
