// Package posted remembers the forms that are posted to package login, which does not pass them
// on. The demos show them.
package posted

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

// formKey is the key of the posted form in a context.
type formKey struct{}

// Mux is a router that puts the posted form into the context of its handlers.
type Mux struct{ *http.ServeMux }

// Handle is the method that login.Routes calls.
func (m Mux) Handle(pattern string, next http.Handler) {
	m.ServeMux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxPosted))
		rest := io.Reader(r.Body)
		if err != nil {
			rest = errorReader{err}
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), rest), r.Body}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), formKey{}, formIn(body))))
	}))
}

// formIn returns a form. It is empty if package login will refuse the form.
func formIn(body []byte) url.Values {
	if bytes.Count(body, []byte("&")) >= maxFields {
		return nil
	}
	form, _ := url.ParseQuery(string(body)) // a malformed field is left out
	return form
}

// errorReader is the rest of a body whose reading failed.
type errorReader struct{ err error }

// Read returns the error.
func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// Form returns the form that a request posted, from its context.
func Form(ctx context.Context) url.Values {
	form, _ := ctx.Value(formKey{}).(url.Values)
	return form
}
