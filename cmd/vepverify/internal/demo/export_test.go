package demo

import (
	"net/http"
	"time"
)

var (
	Forge          = forge
	ShortenNumbers = shortenNumbers
)

const MaxMembers = maxMembers

// RecordPosted returns a handler that is registered as those of package login are. It
// calls next with the assertion that the request posted.
func RecordPosted(next func(assertion string, r *http.Request)) http.Handler {
	mux := http.NewServeMux()
	recordingMux{mux}.Handle("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { next(postedAssertion(r.Context()), r) }))
	return mux
}

// ListMembers adds members, one a nanosecond, and returns the list of those that are
// remembered.
func ListMembers(t time.Time, emails ...string) (list []string) {
	all := newMembers()
	for i, email := range emails {
		all.add(&member{Email: email, Since: t.Add(time.Duration(i))})
	}
	for _, m := range all.list() {
		list = append(list, m.Email)
	}
	return list
}
