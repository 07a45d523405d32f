package demo

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
)

// maxPosted is more than the largest form that package login takes.
const maxPosted = 65 << 10

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
		// What is no form has no assertion, and is refused by the handler.
		form, _ := url.ParseQuery(string(body))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), postedKey{}, form.Get("assertion"))))
	}))
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
