package evptest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// World is a network in memory: the DNS answers and the hosts of some issuers. It
// implements evp.TXTResolver, [http.RoundTripper] and [http.Handler]. All its methods are
// safe for concurrent use.
type World struct {
	mu      sync.Mutex
	now     func() time.Time
	issuers []*Issuer
	txt     map[string][]TXT      // by record name; each for one lookup, the last one stays
	sites   map[string][]Response // by URL; each for one request, the last one stays
	hosts   map[string]http.Handler
	asked   []string
}

// New returns a world with the issuers, or with [Default] if there are none. Its clock is
// the system's.
func New(issuers ...*Issuer) *World {
	if len(issuers) == 0 {
		issuers = []*Issuer{Default()}
	}
	w := &World{issuers: issuers, now: time.Now, hosts: make(map[string]http.Handler)}
	w.restore()
	return w
}

// At stops the clock of the world at now, and returns the world.
func (w *World) At(now time.Time) *World {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = func() time.Time { return now }
	return w
}

// Advance moves the clock of the world. A running clock runs on.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.now
	w.now = func() time.Time { return before().Add(d) }
}

// Now returns the time of the world.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now()
}

// Issuer returns the first issuer.
func (w *World) Issuer() *Issuer { return w.issuers[0] }

// Restore ends all faults: every issuer answers as it should.
func (w *World) Restore() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.restore()
}

func (w *World) restore() {
	w.txt, w.sites = make(map[string][]TXT), make(map[string][]Response)
	for _, i := range w.issuers {
		w.publish(i)
	}
}

// publish sets the answers of an issuer.
func (w *World) publish(i *Issuer) {
	for _, domain := range i.Domains {
		w.txt[RecordName(domain)] = []TXT{Records(i.Record())}
	}
	w.sites[i.MetadataURL()] = []Response{JSON(i.Metadata())}
	w.sites[i.KeysURL()] = []Response{JSON(i.JWKS())}
}

// Rotate replaces the keys of an issuer, and publishes them. Tokens that the issuer made
// before keep their signatures.
func (w *World) Rotate(i *Issuer, keys ...Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i.Keys = keys
	w.publish(i)
}

// Set makes the faults happen from now on, to the first issuer and to all its domains.
func (w *World) Set(faults ...NetworkFault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range faults {
		f.change(w, w.issuers[0])
	}
}

// SetTXT sets the answer to lookups of the TXT record of an email domain. Of several
// answers each but the last is for one lookup. Without an answer the name does not exist.
func (w *World) SetTXT(domain string, answers ...TXT) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.txt[RecordName(domain)] = slices.Clone(answers)
}

// SetURL sets the response to requests of a URL. Of several responses each but the last is
// for one request. Without a response the status is 404, as for all URLs that were not
// set.
func (w *World) SetURL(url string, responses ...Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sites[url] = slices.Clone(responses)
}

// SetHandler lets a handler answer all requests to a host, in place of the responses that
// are set: a real issuer, such as one of package evp/issuer.
func (w *World) SetHandler(host string, h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[host] = h
}

// handler counts a request and returns the handler of its host, or nil.
func (w *World) handler(host string, r *http.Request) http.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hosts[host]
	if h != nil {
		w.asked = append(w.asked, "https://"+host+r.URL.RequestURI())
	}
	return h
}

// Asked returns the names and URLs that were asked for, in order. It is empty if all
// tokens were refused offline (rule 7.offline-first).
func (w *World) Asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

// ask counts a question, and returns the answer to it: the first, which is removed unless
// it is the last.
func ask[A any](w *World, answers map[string][]A, question string) (answer A, found bool) {
	w.asked = append(w.asked, question)
	all := answers[question]
	if len(all) == 0 {
		return answer, false
	}
	if len(all) > 1 {
		answers[question] = all[1:]
	}
	return all[0], true
}

// LookupTXT implements evp.TXTResolver.
func (w *World) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	w.mu.Lock()
	answer, found := ask(w, w.txt, name)
	w.mu.Unlock()
	if !found {
		answer = NXDomain()
	}
	return answer.result(name)
}

// RoundTrip implements [http.RoundTripper].
func (w *World) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	if h := w.handler(request.URL.Host, request); h != nil {
		return serve(h, request), nil
	}
	return w.respond(request.URL.String()).result(request)
}

// serve returns the response of a handler to a client's request.
func serve(h http.Handler, request *http.Request) *http.Response {
	received := httptest.NewRequestWithContext(request.Context(), request.Method, request.URL.String(), request.Body)
	received.Header = request.Header.Clone()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, received)
	response := recorder.Result()
	response.Request = request
	return response
}

func (w *World) respond(url string) Response {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r, found := ask(w, w.sites, url); found {
		return r
	}
	return Status(http.StatusNotFound)
}

// ServeHTTP implements [http.Handler]. It answers for all hosts, and as if every request
// came over TLS. A response that times out has the status 504.
func (w *World) ServeHTTP(rw http.ResponseWriter, request *http.Request) {
	if h := w.handler(request.Host, request); h != nil {
		h.ServeHTTP(rw, request)
		return
	}
	r := w.respond("https://" + request.Host + request.URL.RequestURI())
	if r.Err != nil {
		r = Status(http.StatusGatewayTimeout)
	}
	for name, values := range r.Header {
		rw.Header()[name] = values
	}
	rw.WriteHeader(r.Status)
	rw.Write([]byte(r.Body)) // an error means that the client is gone
}
