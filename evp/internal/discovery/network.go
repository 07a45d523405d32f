package discovery

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/fetch"
)

// How long the results of TXT lookups are used. They are never used longer.
const (
	txtLife            = 5 * time.Minute
	noTXTLife          = time.Minute // of no record, or a malformed one
	txtUnavailableLife = 5 * time.Second
)

// refreshAge is the largest age of what [Network.Keys] returns for a refresh.
const refreshAge = time.Minute

// Config configures a [Network]. Its fields are those of evp.Config, with the same names.
type Config struct {
	// Resolver looks up TXT records. Nil means Go's own resolver. If it is a
	// *net.Resolver, it also resolves the names of hosts.
	Resolver TXTResolver

	// Timeout limits a TXT lookup, and separately the fetch of metadata and key set
	// together. Zero means 8 s; the maximum is 5 min.
	Timeout time.Duration

	// CAFile is the name of a PEM file, and RootCAs a pool, of certificate authorities
	// that replace the system's. At most one of the two may be set.
	CAFile  string
	RootCAs *x509.CertPool

	// Proxy is the URL of a proxy for all fetches, but not for TXT lookups. Empty means
	// none.
	Proxy string

	// MaxEntries and MaxBytes limit the cached issuers, and separately, with the same
	// numbers, the cached TXT records. Zero means 10 000 entries and 4 MiB.
	MaxEntries int
	MaxBytes   int64

	// MaxFetches limits the fetches in progress at once, and separately the TXT lookups.
	// Zero means 128.
	MaxFetches int

	// Now returns the time, for the age of cache entries. Nil means time.Now.
	Now func() time.Time

	// InsecureAllowPrivate allows hosts with private and loopback addresses.
	InsecureAllowPrivate bool

	// InsecureTransport replaces the network, except for TXT lookups.
	InsecureTransport http.RoundTripper

	// InsecureDialContext connects to a host, which is given as "host:port".
	InsecureDialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Network is a [Source] that asks DNS and the issuers, and caches their answers. It is safe
// for concurrent use.
type Network struct {
	resolver TXTResolver
	now      func() time.Time
	client   *fetch.Client
	work     fetch.Work
	port     string // ":" and the port of all URLs, for tests; empty means 443
	txt      *fetch.Fetcher[string]
	issuers  *fetch.Fetcher[*documents]
}

// documents are what an issuer publishes. One lookup fetches both, and they are one entry
// of the cache, under the issuer's name: so an issuer cannot use up the share of the host
// that its jwks_uri names.
type documents struct {
	metadata         *Metadata
	metadataText     []byte
	keys             *KeySet
	keysText         []byte
	fetched, expires time.Time
}

// NewNetwork returns a Network. An error begins with the name of a field of c.
func NewNetwork(c Config) (*Network, error) { return newNetwork(c, fetch.Config{}, "") }

// newNetwork is NewNetwork for hosts on another port, with the ports and the exempt
// addresses of guard.
func newNetwork(c Config, guard fetch.Config, port string) (*Network, error) {
	limits := fetch.Limits{
		Timeout: c.Timeout, MaxFetches: c.MaxFetches, MaxEntries: c.MaxEntries, MaxBytes: c.MaxBytes, Now: c.Now,
	}
	if err := limits.Validate(); err != nil {
		return nil, err
	}
	n := &Network{resolver: c.Resolver, now: c.Now, work: fetch.NewWork(), port: port}
	if n.resolver == nil {
		n.resolver = &net.Resolver{PreferGo: true}
	}
	if n.now == nil {
		n.now = time.Now
	}
	var err error
	if n.client, err = fetch.NewClient(c.client(guard, n.acquire)); err != nil {
		return nil, err
	}
	n.txt = fetch.NewFetcher(limits, n.fetchTXT)
	limits.Stale = true
	n.issuers = fetch.NewFetcher(limits, n.fetchIssuer)
	return n, nil
}

// client returns the configuration of the client that fetches documents.
func (c Config) client(guard fetch.Config, admit func(context.Context) (release func(), err error)) fetch.Config {
	guard.Rules = fetch.Rules{
		Absent: fetch.Unavailable, Other: fetch.Refused, JSONSuffix: true,
		Advice:         "the issuer should serve its metadata and its key set with status 200 as application/json",
		RedirectAdvice: "no redirects are followed: the issuer should serve its metadata at " + metadataPath + ", and its key set at jwks_uri",
	}
	guard.CAFile, guard.RootCAs, guard.Proxy, guard.Admit = c.CAFile, c.RootCAs, c.Proxy, admit
	guard.InsecureAllowPrivate, guard.InsecureTransport, guard.InsecureDialContext = c.InsecureAllowPrivate, c.InsecureTransport, c.InsecureDialContext
	if r, ok := c.Resolver.(*net.Resolver); ok && c.InsecureTransport == nil && c.InsecureDialContext == nil {
		guard.DNS = r
	}
	return guard
}

// Issuer implements [Source].
func (n *Network) Issuer(ctx context.Context, emailDomain string) (host string, err error) {
	if err := checkDomain(emailDomain); err != nil {
		return "", err
	}
	hooks, waited := hooksOf(ctx), false
	defer func() { hooks.done(waited, err) }()
	e := n.txt.Lookup(ctx, fetch.Own(emailDomain), hooks.options(false, &waited))
	if e.Fault != nil {
		return "", errorOf(e.Fault, "8").at(emailDomain)
	}
	return e.Document, nil
}

// Keys implements [Source]. With refresh, it returns keys that are at most a minute old, or
// an error.
func (n *Network) Keys(ctx context.Context, issuer, emailDomain string, refresh bool) (keys *KeySet, err error) {
	d, problem := n.documents(ctx, issuer, emailDomain, refresh)
	if problem != nil {
		return nil, problem.at(issuer)
	}
	return d.keys, nil
}

func (n *Network) documents(ctx context.Context, issuer, emailDomain string, refresh bool) (d *documents, err *Error) {
	if !IsHost(issuer) {
		return nil, refused("9.guard", "not a host name").advise(adviceRecord, "")
	}
	begin := n.now()
	hooks, waited := hooksOf(ctx), false
	defer func() {
		if err != nil {
			hooks.done(waited, err)
			return
		}
		hooks.done(waited, nil)
	}()
	options := hooks.options(refresh, &waited)
	// The domain of the address chose the issuer, so its allowance limits the fetch, and not
	// that of the issuer's own registrable domain.
	options.Sender = func() fetch.Sender { return fetch.Sender{Issuer: emailDomain} }
	e := n.issuers.Lookup(ctx, fetch.Own(issuer), options)
	switch {
	case e.Fault != nil:
		return nil, errorOf(e.Fault, "9")
	case refresh && begin.Sub(e.Fetched) > refreshAge:
		return nil, unavailable("10.refresh", "the issuer's documents could not be fetched again", nil).
			advise("try again later; if it stays so, look at the issuer's host", "")
	}
	return e.Document, nil
}

// fetchTXT asks DNS for the issuer of a domain.
func (n *Network) fetchTXT(ctx context.Context, q fetch.Question) fetch.Result[string] {
	records, err := LookUpTXT(ctx, n.resolver, q.Host)
	if err != nil {
		return fetch.Result[string]{Fault: faultOf(err), Life: txtUnavailableLife}
	}
	host, err := ParseRecords(records)
	if err != nil {
		err.records = records
		return fetch.Result[string]{Fault: faultOf(err), Life: noTXTLife, Size: len(strings.Join(records, ""))}
	}
	return fetch.Result[string]{Document: host, Size: len(host), Life: txtLife}
}

// fetchIssuer fetches the metadata and the key set of an issuer. The result is used for the
// shorter time of both.
func (n *Network) fetchIssuer(ctx context.Context, q fetch.Question) (r fetch.Result[*documents]) {
	d := new(documents)
	r.Life, r.Fault = n.read(ctx, MetadataURL(q.Host), func(text []byte) (err *Error) {
		d.metadataText = text
		d.metadata, err = ParseMetadata(text, q.Host)
		return err
	})
	if r.Fault != nil {
		return r
	}
	life, fault := n.read(ctx, d.metadata.KeySetURL, func(text []byte) *Error {
		d.keysText = text
		entries, err := ParseEntries(text)
		d.keys = newKeySet(d.metadata, entries)
		return err
	})
	if fault != nil {
		return fetch.Result[*documents]{Fault: withFound(fault, d), Life: life, Size: len(d.metadataText)}
	}
	r.Document, r.Life, r.Size = d, min(r.Life, life), len(d.metadataText)+len(d.keysText)
	r.Complete = func(e, _ *fetch.Entry[*documents]) {
		d.fetched, d.expires = e.Fetched, e.Expires
		d.keys.Fetched, d.keys.verified = e.Fetched, e.MarkVerified
	}
	return r
}

// withFound returns f with the metadata that were found before it.
func withFound(f *fetch.Fault, d *documents) *fetch.Fault {
	e := *errorOf(f, "9")
	e.found = &documents{metadata: d.metadata}
	copied := *f
	copied.Cause = &e
	return &copied
}

// read fetches a document and parses it. It returns how long the result is used.
func (n *Network) read(ctx context.Context, location string, parse func(text []byte) *Error) (time.Duration, *fetch.Fault) {
	target, err := url.Parse(location)
	if err != nil {
		f := fetch.Refused.Fault("not a URL that can be requested", nil)
		return fetch.Lifetime(f, nil), f
	}
	target.Host += n.port
	answer, f := n.client.Get(ctx, target)
	if f == nil {
		f = n.parse(ctx, answer, parse)
	}
	if f != nil {
		f.Reason = fmt.Sprintf("%s: %s", documentName(location), f.Reason)
	}
	return fetch.Lifetime(f, answer.CacheControl), f
}

// documentName returns the name of the document at a URL for people.
func documentName(location string) string {
	if _, ok := issuerOf(location); ok {
		return "metadata"
	}
	return "key set"
}

// parse parses an answer, which takes CPU time.
func (n *Network) parse(ctx context.Context, answer fetch.Answer, parse func(text []byte) *Error) *fetch.Fault {
	release, err := n.acquire(ctx)
	if err != nil {
		return fetch.LocalFault("no room to read it", err).Advise("try again later", "")
	}
	defer release()
	text, f := answer.Text()
	if f != nil {
		return f
	}
	problem := parse(text)
	switch {
	case problem == nil:
		return nil
	case answer.EndUnknown && problem.Rule == "9.refused": // malformed
		return fetch.Unavailable.Fault("answer cut off, or malformed", nil).Advise(problem.Advice, "")
	}
	return faultOf(problem)
}
