package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// hostileHosts serves every host that the service can fetch from: those of honest issuers
// and those of the attacker. It counts the fetches of each.
type hostileHosts struct {
	honest map[string][]byte // support documents, by host
	attack func(host string) []byte
	outage atomic.Bool      // the providers, but not the fallback, do not answer
	tls    *tls.Certificate // of the attacker's hosts; nil means the usual one

	mu      sync.Mutex
	fetches map[string]int
}

// attackerDomain is the attacker's domain. It has a wildcard record: every host below it
// is the attacker's too.
const attackerDomain = "evil.example"

// ServeHTTP implements http.Handler.
func (w *hostileHosts) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.count(r.Host)
	out.Header().Set("Cache-Control", "max-age=86400")
	document, honest := w.honest[r.Host]
	switch {
	case honest && w.outage.Load() && r.Host != fallbackDomain:
		panic(http.ErrAbortHandler)
	case honest:
		writeDocument(out, document)
	case w.attack != nil && isAttacker(r.Host):
		out.Header().Set("Content-Encoding", "gzip")
		writeDocument(out, w.attack(r.Host))
	default:
		out.WriteHeader(http.StatusNotFound)
	}
}

// isAttacker reports whether a host is the attacker's: evil.example, every host below it,
// and evil0.example, evil1.example, …, which count as other parties.
func isAttacker(host string) bool {
	return strings.HasPrefix(host, "evil") || strings.HasSuffix(host, "."+attackerDomain)
}

// certificate implements tls.Config.GetCertificate.
func (w *hostileHosts) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if w.tls == nil || !isAttacker(hello.ServerName) {
		return nil, nil // the usual one
	}
	w.count(hello.ServerName)
	return w.tls, nil
}

func writeDocument(out http.ResponseWriter, document []byte) {
	out.Header().Set("Content-Type", "application/json")
	_, _ = out.Write(document)
}

func (w *hostileHosts) count(host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetches[host]++
}

// fetched returns the fetches from the fallback, from the other honest host with the most
// fetches, and from all other hosts together.
func (w *hostileHosts) fetched() (f Fetches) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for host, n := range w.fetches {
		switch _, honest := w.honest[host]; {
		case host == fallbackDomain:
			f.Fallback = n
		case honest:
			f.Provider = max(f.Provider, n)
		default:
			f.Others += n
		}
	}
	return f
}

// gzipped returns the compressed document, which costs the loader little to send.
func gzipped(document []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(document) // a bytes.Buffer returns no error
	_ = z.Close()
	return b.Bytes()
}
