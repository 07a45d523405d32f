package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/outbound"
	"github.com/vepverify/vepverify/internal/typednil"
)

// Limits of an answer, in bytes.
const (
	maxBody     = 64 << 10
	maxGzipBody = 2 << 10 // 31 bytes of gzip can hold a block that takes 15 µs to decompress
	maxHeader   = 16 << 10
	maxWire     = 192 << 10
)

// maxTarget limits the URL of a request, in bytes: a document may name it.
const maxTarget = 8 << 10

// Config configures a [Client]. Fields that a protocol's own Config has too have the names
// that they have there.
type Config struct {
	// Rules are what the protocol makes of answers.
	Rules Rules

	// CAFile is the name of a PEM file, and RootCAs a pool, of certificate authorities that
	// replace the system's. At most one of the two may be set.
	CAFile  string
	RootCAs *x509.CertPool

	// Proxy is the URL of a proxy for all requests: http, https, socks5 or socks5h. Empty means none.
	Proxy string

	// DNS resolves names, also that of the proxy. Nil means Go's own resolver.
	DNS *net.Resolver

	// InsecureAllowPrivate allows any port, IP addresses as hosts, and addresses that are
	// not public.
	InsecureAllowPrivate bool

	// InsecureTransport replaces the network if it is not nil.
	InsecureTransport http.RoundTripper

	// InsecureDialContext replaces name resolution, dialling and proxy if it is not nil.
	InsecureDialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Admit is called before the certificates of a host are verified, which can take
	// milliseconds of CPU time. It returns when that may begin; release is called
	// afterwards. If it returns an error, the request fails with a Fault that is Local and
	// has that error as its cause. Nil means a [Work] of the client's own.
	Admit func(ctx context.Context) (release func(), err error)

	// Ports are the ports that may be contacted. Nil means 443.
	Ports []uint16

	// Exempt are addresses that count as public although they are not, for tests.
	Exempt []netip.Prefix
}

// Rules are what a protocol makes of answers. The zero value is Unavailable for whatever is
// not a document.
type Rules struct {
	// Absent is the outcome of a host that does not exist, refuses connections or does not
	// speak TLS.
	Absent Outcome

	// Other is the outcome of an answer of the host itself that is not a document: a
	// redirect, another status from 201 to 499 except 408, 425 and 429, or another content
	// type.
	Other Outcome

	// JSONSuffix accepts content types with the suffix +json besides application/json.
	JSONSuffix bool

	// Advice tells what to do about such an answer, and RedirectAdvice about a redirect.
	Advice, RedirectAdvice string
}

// Validate returns an error for the first field that contradicts another. It begins with the
// names of the fields.
func (c Config) Validate() error {
	replaced := c.InsecureTransport != nil
	switch {
	case c.CAFile != "" && c.RootCAs != nil:
		return errors.New("CAFile, RootCAs: at most one may be set")
	case replaced && (c.CAFile != "" || c.RootCAs != nil || c.Proxy != "" || c.DNS != nil || c.InsecureDialContext != nil):
		return errors.New("InsecureTransport: set together with a setting of the transport that it replaces")
	case c.InsecureDialContext != nil && (c.Proxy != "" || c.DNS != nil):
		return errors.New("InsecureDialContext: set together with a setting of the dial function that it replaces")
	}
	if err := typednil.Check(c.InsecureTransport); err != nil {
		return fmt.Errorf("InsecureTransport: %w", err)
	}
	return nil
}

// withDefaults returns c with the defaults in place of zero values.
func (c Config) withDefaults() Config {
	if c.DNS == nil {
		c.DNS = &net.Resolver{PreferGo: true}
	}
	if c.Admit == nil {
		c.Admit = NewWork().Acquire
	}
	if c.Ports == nil {
		c.Ports = []uint16{443}
	}
	return c
}

// Client fetches documents. It is safe for concurrent use.
type Client struct {
	rules        Rules
	transport    http.RoundTripper
	ports        []uint16
	allowPrivate bool
	proxy        string // its host and port; empty means none
	ownTransport bool   // Config.InsecureTransport is nil
}

// NewClient returns a client. It reads the CA file. An error begins with the names of
// fields.
func NewClient(c Config) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	client := &Client{rules: c.Rules, transport: c.InsecureTransport, ports: c.Ports, allowPrivate: c.InsecureAllowPrivate}
	if c.CAFile != "" {
		roots, err := outbound.LoadCAFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", settingCA, err)
		}
		c.RootCAs = roots
	}
	var proxy *url.URL
	if c.Proxy != "" {
		var err error
		if proxy, err = outbound.ParseProxy(c.Proxy); err != nil {
			return nil, fmt.Errorf("%s: %w", settingProxy, err)
		}
		client.proxy = outbound.ProxyAddr(proxy)
	}
	if client.transport == nil {
		client.transport, client.ownTransport = newTransport(c, proxy), true
	}
	return client, nil
}

func newTransport(c Config, proxy *url.URL) *http.Transport {
	t := &http.Transport{
		DialTLSContext:         newDialer(c, proxy).dial,
		Protocols:              new(http.Protocols),
		DisableKeepAlives:      true, // so that no connection and no goroutine is left
		DisableCompression:     true, // Answer.Text decompresses, within its limits
		MaxResponseHeaderBytes: maxHeader,
	}
	t.Protocols.SetHTTP1(true)
	return t
}

// Work limits work that takes CPU time, such as verifying TLS certificates and parsing
// documents. It has one element for each piece of work in progress.
type Work chan struct{}

// NewWork returns a Work for GOMAXPROCS/2 pieces at once, at least 1.
func NewWork() Work { return make(Work, max(1, runtime.GOMAXPROCS(0)/2)) }

// Acquire waits until a piece of work may begin, and returns the function that ends it.
func (w Work) Acquire(ctx context.Context) (release func(), err error) {
	select {
	case w <- struct{}{}:
		return func() { <-w }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// CheckHost returns a fault if the name of a host shows that it must not be contacted: for
// another port than those allowed, and for an IP address. The addresses behind a name are
// checked when they are dialled.
func (c *Client) CheckHost(host string) *Fault {
	if c.allowPrivate {
		return nil
	}
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort && !slices.ContainsFunc(c.ports, func(p uint16) bool { return port == strconv.Itoa(int(p)) }) {
		return Refused.Fault("a port that is not allowed", nil).Advise(advicePrivate, settingPrivate)
	}
	if domain.IsNumber(name[strings.LastIndexByte(name, '.')+1:]) {
		return Refused.Fault("an IP address in place of a name", nil).Advise(advicePrivate, settingPrivate)
	}
	return nil
}

// Answer is the answer of a host.
type Answer struct {
	// CacheControl are the header fields of that name.
	CacheControl []string

	// Gzip reports that the body was sent in gzip.
	Gzip bool

	// EndUnknown reports that the body ended where the connection did, so that it may have
	// been cut off: crypto/tls accepts an end without close_notify.
	EndUnknown bool

	body []byte // as it was sent
}

// Get requests the document at target. Its context must have a deadline.
//
// Get refuses a target that is not an https URL of a domain, that has user information or a
// fragment, whose host [Client.CheckHost] rejects, or that cannot be sent as it is.
//
// If the host sent anything other than a document, Get returns a Fault and an
// Answer that has only CacheControl.
func (c *Client) Get(ctx context.Context, target *url.URL) (Answer, *Fault) {
	if f := c.checkTarget(target); f != nil {
		return Answer{}, f
	}
	x := newExchange(ctx, target.Host)
	request := newGet(context.WithValue(ctx, exchangeKey{}, x), target)
	if request == nil {
		return Answer{}, Refused.Fault("not a URL that can be requested", nil)
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return Answer{}, c.exchangeFault(x, err)
	}
	defer response.Body.Close()
	return c.read(response)
}

// checkTarget returns a fault if target must not be requested.
func (c *Client) checkTarget(target *url.URL) *Fault {
	host, ok := domain.Parse(target.Host)
	switch {
	case target.Scheme != "https", target.Opaque != "", target.User != nil, target.Fragment != "":
		return Refused.Fault("not an https URL without user information and fragment", nil)
	case !ok:
		return Refused.Fault("not a host of a URL", nil)
	}
	return c.CheckHost(host)
}

// newGet returns a request, nil if the target cannot be sent as it is: net/http sends a query
// as it is written.
func newGet(ctx context.Context, target *url.URL) *http.Request {
	text := target.String()
	if len(text) > maxTarget || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, text, nil)
	if err != nil {
		return nil
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "vepverify")
	return request
}

// read reads an answer, but not the body if status or header are a fault.
func (c *Client) read(r *http.Response) (Answer, *Fault) {
	if c.ownTransport && r.ProtoMajor != 1 { // net/http accepts a status line of any version
		return Answer{}, Unavailable.Fault(notHTTP1, nil).Advise(adviceLater, "")
	}
	refusal := Answer{CacheControl: r.Header.Values("Cache-Control")}
	if f := c.statusFault(r.StatusCode); f != nil {
		return refusal, f
	}
	if f := c.contentTypeFault(r.Header); f != nil {
		return refusal, f
	}
	packed, f := isGzip(r.Header)
	if f != nil {
		return refusal, f
	}
	body, f := readBody(r.Body, packed)
	if f != nil {
		return refusal, f
	}
	return Answer{
		CacheControl: refusal.CacheControl, Gzip: packed, body: body,
		EndUnknown: c.ownTransport && r.ContentLength < 0 && len(r.TransferEncoding) == 0,
	}, nil
}

// isGzip reports whether a body is in gzip. The request asks for no content coding, but
// some servers use one all the same. A body in a coding that cannot be decoded says nothing
// about the host.
func isGzip(h http.Header) (packed bool, f *Fault) {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
		case "", "identity":
		case "gzip", "x-gzip": // RFC 9110, section 8.4.1.3
			if packed {
				return false, codingFault("more than one content coding")
			}
			packed = true
		case "br", "zstd", "deflate", "compress", "x-compress", "aws-chunked":
			return false, codingFault("content coding " + coding + ", which was not requested")
		default: // remote text
			return false, codingFault("an unknown content coding, which was not requested")
		}
	}
	return packed, nil
}

// readBody reads a body to the end that its framing promises.
func readBody(r io.ReadCloser, packed bool) ([]byte, *Fault) {
	limit := int64(maxBody)
	if packed {
		limit = maxGzipBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r, limit))
	if err != nil {
		return nil, bodyFault(err, "answer cut off")
	}
	return body, nil
}

// Text returns the body, decompressed if need be, which takes CPU time.
func (a Answer) Text() ([]byte, *Fault) {
	if !a.Gzip {
		return a.body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		return nil, bodyFault(err, badGzip)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r, maxBody))
	if err != nil {
		return nil, bodyFault(err, badGzip)
	}
	return body, nil
}

const badGzip = "a body in gzip that cannot be decoded"
