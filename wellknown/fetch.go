package wellknown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"time"
)

const (
	maxBody   = 64 << 10
	maxHeader = 16 << 10
	maxWire   = 192 << 10 // all of it: TLS with its certificates, header, body, framing
)

// fetcher gets support documents over HTTPS.
type fetcher struct {
	transport http.RoundTripper // follows no redirect, keeps no cookies
	wire      bool              // the transport is our own, not one that stands in for the network
	proxied   bool
	timeout   time.Duration
	loads     chan struct{} // has an element for each document that is being read, where no Trace.Load counts them
}

func newFetcher(c Config, transport http.RoundTripper) fetcher {
	return fetcher{
		transport: transport, wire: c.InsecureTransport == nil, proxied: c.Proxy != "", timeout: c.Timeout,
		loads: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
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
	if o.fault = codingFault(r.Header); o.fault != nil {
		return o
	}
	var data []byte
	if data, o.fault = readBody(r); o.fault != nil {
		return o
	}
	o.size = len(data)
	release, err := f.load(ctx)
	if err != nil {
		o.fault = unavailable("no room to read the document", err).local()
		return o
	}
	defer release()
	d, err := ParseDocument(data)
	switch {
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

// load waits until a document may be read, and returns what ends that.
func (f *fetcher) load(ctx context.Context) (release func(), err error) {
	if t := traceOf(ctx); t != nil && t.Load != nil {
		return t.Load(ctx)
	}
	select {
	case f.loads <- struct{}{}:
		return func() { <-f.loads }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// readBody reads the body to the end that its framing promises.
func readBody(r *http.Response) ([]byte, *fault) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, bodyFault(err)
	}
	return data, nil
}

func bodyFault(err error) *fault {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, errWire):
		return refused(fmt.Sprintf("body of more than %d bytes", maxBody), nil).byHost()
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
