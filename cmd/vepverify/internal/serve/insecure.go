package serve

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/wellknown"
)

// allowWeakKeys accepts weak keys with --insecure-ssl and --insecure-http, unless
// the flag for weak keys is given. The identity providers of the clients' test
// suites make RSA keys of 1024 bits, and two in five of these have only 1023.
func (s *command) allowWeakKeys(c *cli.Call) error {
	if !s.insecureSSL && !s.insecureHTTP || c.IsSet(verifier.WeakKeys) {
		return nil
	}
	return c.SetDefault(verifier.WeakKeys, "true", "--insecure-ssl or --insecure-http")
}

// insecureResolver returns a resolver for the test suites of clients, which run
// their own identity providers. It accepts any TLS certificate, or uses plain HTTP,
// and fetches from any address and port.
func (s *command) insecureResolver(c *cli.Call) (assertion.KeySource, error) {
	t := &http.Transport{
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true},
		TLSHandshakeTimeout:    time.Duration(s.Timeout),
		MaxResponseHeaderBytes: 16 << 10,
		DisableKeepAlives:      true,
		DisableCompression:     true,
	}
	config := wellknown.Config{Timeout: time.Duration(s.Timeout), InsecureAllowPrivate: true, InsecureTransport: t}
	if s.insecureHTTP {
		config.InsecureTransport = overHTTP{t}
	}
	r, err := wellknown.NewResolver(config)
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return r, nil
}

// overHTTP is a RoundTripper that sends requests for https URLs over plain HTTP.
type overHTTP struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o overHTTP) RoundTrip(r *http.Request) (*http.Response, error) {
	plain := r.Clone(r.Context())
	plain.URL.Scheme = "http"
	return o.RoundTripper.RoundTrip(plain)
}
