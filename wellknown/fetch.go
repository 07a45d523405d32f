package wellknown

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"
)

const (
	maxBody   = 64 << 10
	maxPacked = 2 << 10 // of a body in gzip: 31 bytes can hold a block that takes 15 µs to unpack
	maxHeader = 16 << 10
	maxWire   = 192 << 10 // all of it: TLS with its certificates, header, body, framing
)

// fetcher gets support documents over HTTPS.
type fetcher struct {
	transport http.RoundTripper // follows no redirect, keeps no cookies
	wire      bool              // the transport is our own, not one that stands in for the network
	proxied   bool
	timeout   time.Duration
	loads     loads
}

func newFetcher(c Config, transport http.RoundTripper, l loads) fetcher {
	return fetcher{
		transport: transport, wire: c.InsecureTransport == nil, proxied: c.Proxy != "", timeout: c.Timeout, loads: l,
	}
}

// outcome is what one fetch came to: a document, or the fault that says why
// there is none.
type outcome struct {
	document *Document
	fault    *fault
	freshness
	size int // bytes of the body
}

// fetch asks host for its document for emails of emailDomain, by one deadline
// for the whole exchange.
func (f *fetcher) fetch(ctx context.Context, host, emailDomain string) outcome {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	ctx = context.WithValue(ctx, deadlineKey{}, deadline)

	target := url.URL{Scheme: "https", Host: host, Path: "/.well-known/browserid",
		RawQuery: url.Values{"domain": {emailDomain}}.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return outcome{fault: refused("not a host of a URL", nil)}
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "vepverify")
	response, err := f.transport.RoundTrip(request)
	if err != nil {
		return outcome{fault: exchangeFault(err, f.proxied)}
	}
	defer response.Body.Close()
	return f.read(ctx, response)
}

// read takes the document out of an answer, and takes no more of the answer
// than it needs.
func (f *fetcher) read(ctx context.Context, r *http.Response) outcome {
	o := outcome{freshness: parseFreshness(r.Header.Values("Cache-Control"))}
	if o.fault = statusFault(r.StatusCode); o.fault != nil {
		return o
	}
	if o.fault = typeFault(r.Header); o.fault != nil {
		return o
	}
	var b body
	if b, o.fault = readBody(r); o.fault != nil {
		return o
	}
	release, err := f.loads.begin(ctx)
	if err != nil {
		o.fault = unavailable("no room to read the document", err).local()
		return o
	}
	defer release()
	data, fault := b.unpack()
	if fault != nil {
		o.fault = fault
		return o
	}
	o.size = len(data)
	d, err := ParseDocument(data)
	switch {
	case err == nil && d.Authority != "" && b.gzip:
		// Up to six bodies are unpacked for one look-up otherwise.
		o.fault = refused("a delegation in gzip", nil).byHost()
	case errors.Is(err, errComplex):
		o.fault = refused(err.Error(), nil).byHost()
	case err != nil && f.wire && endsByClosing(r):
		o.fault = unavailable("answer cut off, or malformed", nil)
	case err != nil:
		o.fault = unsupported(err.Error(), nil).byHost()
	case d.Disabled:
		o.fault = unsupported("disabled", nil).byHost()
	default:
		o.document = d
	}
	return o
}

// loads has an element for each document that is being read, and for each host
// whose certificates are being verified, if no Hooks.Load counts them.
type loads chan struct{}

func newLoads() loads { return make(loads, max(1, runtime.GOMAXPROCS(0)/2)) }

// begin waits until such work may begin, and returns the function that ends it.
func (l loads) begin(ctx context.Context) (release func(), err error) {
	if t := hooksOf(ctx); t != nil && t.Load != nil {
		return t.Load(ctx)
	}
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// body is the body of an answer as it was sent.
type body struct {
	data []byte
	gzip bool
}

// readBody reads the body to the end that its framing promises.
func readBody(r *http.Response) (b body, f *fault) {
	limit := int64(maxBody)
	if b.gzip, f = isPacked(r.Header); f != nil {
		return b, f
	}
	if b.gzip {
		limit = maxPacked
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if err != nil {
		return b, bodyFault(err)
	}
	b.data = data
	return b, nil
}

// isPacked reports whether a body is in gzip. The request asks for no content
// coding, but some servers send one all the same. A body in a coding that cannot
// be decoded tells nothing about the host.
func isPacked(h http.Header) (packed bool, f *fault) {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "", "identity":
		case "gzip", "x-gzip": // RFC 9110, section 8.4.1.3
			if packed {
				return false, unavailable("a body packed twice", nil)
			}
			packed = true
		default:
			return false, unavailable("a content coding that was not asked for", nil)
		}
	}
	return packed, nil
}

// unpack returns the document's text.
func (b body) unpack() ([]byte, *fault) {
	if !b.gzip {
		return b.data, nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(b.data))
	if err != nil {
		return nil, bodyFault(err)
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, unpacked, maxBody))
	if err != nil {
		return nil, bodyFault(err)
	}
	return data, nil
}

func bodyFault(err error) *fault {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, errWire):
		return refused(fmt.Sprintf("body of more than %d bytes, or %d in gzip", maxBody, maxPacked), nil).byHost()
	case timeout(err):
		return unavailable("timed out", context.DeadlineExceeded)
	}
	return unavailable("answer cut off", safeCause(err))
}

// endsByClosing says whether the body ended where the connection did, so that
// nobody knows whether that was its end: crypto/tls lets an end without
// close_notify pass. Half of a document is no document, so it would look malformed.
func endsByClosing(r *http.Response) bool {
	return r.ContentLength < 0 && len(r.TransferEncoding) == 0
}
