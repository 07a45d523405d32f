package demo

import (
	"bytes"
	"embed"
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/internal/page"
)

//go:embed web
var web embed.FS

// words splits a line at its spaces, so that a page can break it there only.
func words(line string) []string { return strings.Split(line, " ") }

// view is the data of a page.
type view struct {
	Title                  string
	Domain                 string
	Include, Script        string // URLs
	Origin, ProviderOrigin string
	Resource               string
	Program                []string
	Warning                string

	Member  *member // the one who is signed in, or nil
	Members []*member
	Wanted  bool // the members' page was requested without a sign-in
	Message string
}

// view returns the data that all pages have.
func (s *Site) view(r *http.Request, title string) *view {
	v := &view{
		Title: title, Domain: s.config.Provider.Domain(),
		Include: s.config.ProviderOrigin + "/include.js", Script: s.auth.ScriptURL(),
		Origin: s.config.Origin, ProviderOrigin: s.config.ProviderOrigin,
		Resource: s.Resource(), Program: s.Program(), Warning: s.config.Provider.Warning(),
	}
	if m, signedIn := s.auth.User(r.Context()); signedIn {
		v.Member = m
	}
	return v
}

// maxQuery is the longest query that the front page parses, in bytes. Those of
// package login are shorter.
const maxQuery = 8 << 10

// front serves the front page: the button, or the walkthrough of the sign-in.
func (s *Site) front(w http.ResponseWriter, r *http.Request) {
	v := s.view(r, "Sign in")
	if v.Member != nil {
		v.Title = "Signed in"
		s.show(w, r, http.StatusOK, "walkthrough.html", v)
		return
	}
	v.Wanted = len(r.URL.RawQuery) <= maxQuery && r.URL.Query().Get("next") != ""
	s.show(w, r, http.StatusOK, "front.html", v)
}

// membersPage serves the page for users who are signed in.
func (s *Site) membersPage(w http.ResponseWriter, r *http.Request) {
	v := s.view(r, "Members’ page")
	v.Members = s.members.list()
	s.show(w, r, http.StatusOK, "members.html", v)
}

// problem is the error page of package login.
func (s *Site) problem(w http.ResponseWriter, r *http.Request, status int, message string) {
	s.refuse(w, r, status, "That did not work", message)
}

// notServed answers requests that match no other pattern of the mux.
func (s *Site) notServed(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		get := r.Clone(r.Context())
		get.Method = http.MethodGet
		if _, pattern := mux.Handler(get); strings.HasPrefix(pattern, "GET ") {
			w.Header().Set("Allow", "GET, HEAD")
			s.refuse(w, r, http.StatusMethodNotAllowed, "This page can only be read", "The request has another method than GET or HEAD.")
			return
		}
		s.refuse(w, r, http.StatusNotFound, "This page does not exist", "The front page has links to all pages.")
	}
}

// refuse answers with a page for browsers, and with the message as plain text for other
// clients.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, status int, title, message string) {
	if !page.Preferred(r) {
		refuse(w, status, title+": "+message)
		return
	}
	v := s.view(r, title)
	v.Message = message
	s.show(w, r, status, "problem.html", v)
}

// show serves a page, of which a template has the name.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, name string, v *view) {
	var body bytes.Buffer
	if err := s.pages.ExecuteTemplate(&body, name, v); err != nil {
		s.serverError(w, r, "the page could not be made", err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the only error is that the client has gone
}
