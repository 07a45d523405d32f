package demo

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
)

const (
	// maxPosted, in bytes, is more than the largest form that package login takes.
	maxPosted = 65 << 10
	// maxFields is how many fields such a form has; package login refuses more.
	maxFields = 32
)

type postedKey struct{}

// listening is a router whose handlers find the assertion that was posted to
// them in the context, which package login, for good reasons, shows to nobody.
type listening struct{ mux *http.ServeMux }

// Handle implements login.Mux.
func (l listening) Handle(pattern string, next http.Handler) {
	l.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxPosted))
		rest := r.Body
		if err != nil {
			rest = failing{err}
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), rest), r.Body}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), postedKey{}, assertionIn(body))))
	}))
}

// assertionIn returns the assertion in a form, "" if the handler will refuse the form.
func assertionIn(body []byte) string {
	if bytes.Count(body, []byte("&")) >= maxFields {
		return ""
	}
	form, _ := url.ParseQuery(string(body)) // what cannot be parsed has no assertion
	return form.Get("assertion")
}

// failing is a body that could not be read to its end, and still cannot.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
func (f failing) Close() error             { return nil }

// postedAssertion is the one that the request with this context has posted.
func postedAssertion(ctx context.Context) string {
	text, _ := ctx.Value(postedKey{}).(string)
	return text
}
