package demo

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
)

const (
	// maxPosted is more than the largest form that package login accepts, in
	// bytes.
	maxPosted = 65 << 10
	// maxFields is the number of fields of such a form.
	maxFields = 32
)

// postedKey is the key of the posted assertion in a context.
type postedKey struct{}

// recordingMux is a router that puts the posted assertion into the context of its
// handlers. Package login does not pass it on.
type recordingMux struct{ mux *http.ServeMux }

// Handle is the method that login.Routes calls.
func (m recordingMux) Handle(pattern string, next http.Handler) {
	m.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxPosted))
		rest := io.Reader(r.Body)
		if err != nil {
			rest = errorReader{err}
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), rest), r.Body}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), postedKey{}, assertionIn(body))))
	}))
}

// assertionIn returns the assertion in a form. It is empty if package login will
// refuse the form.
func assertionIn(body []byte) string {
	if bytes.Count(body, []byte("&")) >= maxFields {
		return ""
	}
	form, _ := url.ParseQuery(string(body)) // a malformed field contains no assertion
	return form.Get("assertion")
}

// errorReader is the rest of a body whose reading failed.
type errorReader struct{ err error }

// Read returns the error.
func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// postedAssertion returns the assertion that a request posted, from its context.
func postedAssertion(ctx context.Context) string {
	text, _ := ctx.Value(postedKey{}).(string)
	return text
}
