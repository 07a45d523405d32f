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

// allowWeakKeys admits weak keys where documents are believed from anybody anyway,
// unless the flag for them is given. The identity provider of the test suites
// that are meant makes RSA keys of 1024 bits, and two in five are a bit short.
func (s *command) allowWeakKeys(c *cli.Call) error {
	if !s.insecureSSL && !s.insecureHTTP || c.IsSet(verifier.WeakKeys) {
		return nil
	}
	return c.SetDefault(verifier.WeakKeys, "true")
}

// insecureResolver is for the test suites of clients, which run identity
// providers of their own: it believes any certificate, or does without TLS, and
// fetches from everywhere.
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

// overHTTP sends what was meant for HTTPS over plain HTTP.
type overHTTP struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o overHTTP) RoundTrip(r *http.Request) (*http.Response, error) {
	plain := r.Clone(r.Context())
	plain.URL.Scheme = "http"
	return o.RoundTripper.RoundTrip(plain)
}
