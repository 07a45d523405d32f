package demo

import (
	"net/http"
	"time"
)

// The seams of the tests.
var (
	Forge     = forge
	Lapse     = lapse
	Shortened = shortened
)

const MaxMembers = maxMembers

// Listening wraps a handler as the routes of package login are, which is given
// the assertion that it is taken to have been posted.
func Listening(next func(assertion string, r *http.Request)) http.Handler {
	mux := http.NewServeMux()
	listening{mux}.Handle("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { next(postedAssertion(r.Context()), r) }))
	return mux
}

// Members adds so many, and gives how many are known.
func Members(t time.Time, emails ...string) (known []string) {
	all := newMembers()
	for i, email := range emails {
		all.add(&member{Email: email, Since: t.Add(time.Duration(i))})
	}
	for _, m := range all.list() {
		known = append(known, m.Email)
	}
	return known
}
