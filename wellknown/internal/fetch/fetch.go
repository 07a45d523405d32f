// Package fetch gets support documents over HTTPS. The hosts may be hostile, because the
// sender of an assertion chooses them. No other code that package assertion needs makes
// connections.
//
// [Client.CheckHost] rejects hosts by their names, and [Client.Get] makes one request. The
// limits are:
//
//	scheme, port            HTTPS on the allowed ports
//	addresses               public ones; the address that is dialled is checked
//	                        at most 8 of one host are tried
//	TLS                     1.2 or later
//	certificates of a host  10; RSA keys of 4096 bits, with exponents up to 65537
//	redirects, cookies      not followed, not kept
//	time                    one deadline for all, from name resolution to the last byte
//	header                  16 KiB
//	body                    64 KiB; 2 KiB if it is in gzip
//	all bytes read          192 KiB, with TLS and framing
//
// The bodies are not interpreted here. An error is a [*Fault]: it has one of three
// outcomes, and contains nothing that a remote host sent.
package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vepverify/vepverify/internal/outbound"
)

// Limits of an answer, in bytes.
const (
	maxBody     = 64 << 10
	maxGzipBody = 2 << 10 // 31 bytes of gzip can hold a block that takes 15 µs to decompress
	maxHeader   = 16 << 10
	maxWire     = 192 << 10
)

// Config configures a [Client]. The caller must have validated the fields.
type Config struct {
	// Ports are the ports that may be contacted. They must not be empty.
	Ports []uint16

	// RootCAs are the trusted certificate authorities. Nil means the system's.
	RootCAs *x509.CertPool

	// Proxy is the URL of a proxy for all requests. Nil means none.
	Proxy *url.URL

	// DNS resolves names. It is required unless Transport or DialContext is set.
	DNS *net.Resolver

	// AllowPrivate allows any port, IP addresses as hosts, and addresses that are not
	// public.
	AllowPrivate bool

	// Exempt are addresses that count as public although they are not, for tests.
	Exempt []netip.Prefix

	// Transport replaces the network if it is not nil.
	Transport http.RoundTripper

	// DialContext replaces name resolution, dialling and proxy if it is not nil.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Admit is called before the certificates of a host are verified, which can take
	// milliseconds of CPU time. It returns when that may begin; release is called
	// afterwards. If it returns an error, the request fails with a Fault that is Local and
	// has that error as its cause.
	Admit func(ctx context.Context) (release func(), err error)
}

// Client fetches documents. It is safe for concurrent use.
type Client struct {
	transport    http.RoundTripper
	ports        []uint16
	allowPrivate bool
	proxy        string // its host and port; empty means none
	ownTransport bool   // Config.Transport is nil
}

// NewClient returns a client.
func NewClient(c Config) *Client {
	client := &Client{transport: c.Transport, ports: c.Ports, allowPrivate: c.AllowPrivate}
	if c.Proxy != nil {
		client.proxy = outbound.ProxyAddr(c.Proxy)
	}
	if c.Transport == nil {
		client.transport, client.ownTransport = newTransport(c), true
	}
	return client
}

func newTransport(c Config) *http.Transport {
	t := &http.Transport{
		DialTLSContext:         newDialer(c).dial,
		Protocols:              new(http.Protocols),
		DisableKeepAlives:      true, // so that no connection and no goroutine is left
		DisableCompression:     true, // Answer.Text decompresses, within its limits
		MaxResponseHeaderBytes: maxHeader,
	}
	t.Protocols.SetHTTP1(true)
	return t
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
	if isNumeric(name[strings.LastIndexByte(name, '.')+1:]) {
		return Refused.Fault("an IP address in place of a name", nil).Advise(advicePrivate, settingPrivate)
	}
	return nil
}

// isNumeric reports whether some resolver reads a host with this last label as an IPv4
// address: 127.0.0.1, but also 127.1, 2130706433 and 0x7f.1. No top-level domain is a
// number.
func isNumeric(label string) bool {
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		label, digits = hex, "0123456789abcdef"
	}
	return strings.Trim(label, digits) == ""
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

// Get requests the support document of host for emails of emailDomain. Both names are
// valid, and ctx has a deadline.
//
// If the host sent anything other than a document, Get returns a Fault and an
// Answer that has only CacheControl.
func (c *Client) Get(ctx context.Context, host, emailDomain string) (Answer, *Fault) {
	x := newExchange(ctx, host)
	request, err := newRequest(context.WithValue(ctx, exchangeKey{}, x), host, emailDomain)
	if err != nil {
		return Answer{}, Refused.Fault("not a host of a URL", nil)
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return Answer{}, c.exchangeFault(x, err)
	}
	defer response.Body.Close()
	return c.read(response)
}

func newRequest(ctx context.Context, host, emailDomain string) (*http.Request, error) {
	target := url.URL{
		Scheme: "https", Host: host, Path: "/.well-known/browserid",
		RawQuery: url.Values{"domain": {emailDomain}}.Encode(),
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "vepverify")
	return request, nil
}

// read reads an answer, but not the body if status or header are a fault.
func (c *Client) read(r *http.Response) (Answer, *Fault) {
	refusal := Answer{CacheControl: r.Header.Values("Cache-Control")}
	if f := c.statusFault(r.StatusCode); f != nil {
		return refusal, f
	}
	if f := contentTypeFault(r.Header); f != nil {
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
