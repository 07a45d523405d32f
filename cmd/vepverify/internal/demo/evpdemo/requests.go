package evpdemo

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// request is a request that the browser made by itself, for the protocol.
type request struct {
	Method  string
	URL     string
	Status  int
	Meaning string
}

// maxRequests is the number of requests that a recorder remembers.
const maxRequests = 40

// recorder remembers the last requests of the protocol that browsers sent.
type recorder struct {
	mu   sync.Mutex
	last []request
}

// meanings are what the requests of the protocol are for, by path.
var meanings = map[string]string{
	dnsPath:         "asks DNS which issuer the domain of the address has",
	metadataPath:    "asks the issuer for its endpoints",
	webIdentityPath: "asks where the accounts of its users are",
	accountsPath:    "asks whether you are signed in there, with this address",
	issuancePath:    "asks for a token, with your cookie, but does not say for which site",
	jwksPath:        "fetches the keys, to verify the token",
}

// record returns a handler that calls next, and remembers the requests of the protocol. Those
// of the site itself have another User-Agent.
func (c *recorder) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		meaning, found := meanings[r.URL.Path]
		if !found || !strings.HasPrefix(r.UserAgent(), "Mozilla/") {
			next.ServeHTTP(w, r)
			return
		}
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		c.add(request{r.Method, "https://" + r.Host + r.URL.RequestURI(), seen.status, meaning})
	})
}

// statusWriter remembers the status of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (c *recorder) add(r request) {
	const longest = 200
	if len(r.URL) > longest {
		r.URL = r.URL[:longest] + "…"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = append(c.last, r)
	c.last = slices.Clone(c.last[max(0, len(c.last)-maxRequests):])
}

// forget forgets all requests. The form is shown anew.
func (c *recorder) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = nil
}

// list returns the requests since the form was shown.
func (c *recorder) list() []request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.last)
}

// why returns why the browser sent no token for an address, as far as its requests tell. The last
// that it made tells most.
func why(email string, sent []request) string {
	status := map[string]int{} // by meaning
	for _, r := range sent {
		status[r.Meaning] = r.Status
	}
	asked := func(path string) bool { return status[meanings[path]] != 0 }
	refused := func(path string) bool { return asked(path) && status[meanings[path]] != http.StatusOK }
	switch {
	case refused(issuancePath):
		return "Your mail provider refused to issue one."
	case asked(issuancePath):
		return "It asked for one, but the form was submitted before the answer."
	case refused(accountsPath):
		return "You are not signed in at your mail provider."
	case asked(accountsPath):
		return "It did not ask for one: you are signed in at your mail provider with another address, or you did not agree, or the form was submitted too early."
	case asked(metadataPath):
		return "It did not ask for your accounts: you have signed out of your mail provider, or the form was submitted too early."
	case asked(dnsPath) && !strings.HasSuffix(email, "@"+mailDomain):
		return "The domain of the address has no issuer. In this demo, only " + mailDomain + " has one."
	case asked(dnsPath):
		return "The form was submitted too early."
	}
	return "It asked nothing at all. Either it does not have the protocol: start it with the command line that the demo has printed. " +
		"Or the address was not typed: a browser asks when you leave a field in which you have typed. " +
		"Or you have started it without that line: in a tab with earlier pages of this site, Chromium 156 often asks nothing then."
}
