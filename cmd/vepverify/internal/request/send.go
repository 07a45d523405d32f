package request

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/internal/origin"
)

// transport returns the transport to the network.
func (r *command) transport(c *cli.Call) (*http.Transport, error) {
	roots, err := r.roots(c)
	if err != nil {
		return nil, err
	}
	proxy, err := r.proxyFor(c)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy: proxy, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		DisableCompression: true, MaxResponseHeaderBytes: 1 << 20,
	}, nil
}

// roots gives the certificate authorities to trust, nil for the system's.
func (r *command) roots(c *cli.Call) (*x509.CertPool, error) {
	if r.caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(r.caFile)
	if err != nil {
		return nil, cli.ReadError(r.caFile, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, c.UsageErrorf("--ca-file: no certificate in %s", r.caFile)
	}
	return pool, nil
}

// proxyFor gives the proxy for each URL. The environment's settings for other
// programs do not count, as with every command.
func (r *command) proxyFor(c *cli.Call) (func(*http.Request) (*url.URL, error), error) {
	if r.proxy == "" {
		return nil, nil
	}
	u, err := url.Parse(r.proxy)
	known := map[string]bool{"http": true, "https": true, "socks5": true}
	if err != nil || !known[u.Scheme] || u.Hostname() == "" {
		return nil, c.UsageErrorf("--proxy: want http://host:port, https://host:port or socks5://host:port")
	}
	return func(req *http.Request) (*url.URL, error) {
		if origin.IsLoopback(req.URL.Hostname()) {
			return nil, nil
		}
		return u, nil
	}, nil
}

// exchange is one run of the command: the base transport of vepauth, which
// explains what it sends and receives.
type exchange struct {
	*command
	*cli.Process
	id   *identity.Identity
	base *http.Transport

	asked    bool   // the server has asked for credentials
	forToken bool   // the next request is the one to the token endpoint
	refusal  string // the reason of the token endpoint for refusing
}

// assertion makes one, which lives as long as those of the command assert.
func (x *exchange) assertion(_ context.Context, audience string) (string, error) {
	x.asked, x.forToken = true, true
	x.explainf("*", "asked for credentials: makes an assertion of %s for %s", x.id.Email, audience)
	return assertion.Sign(assertion.Template{
		Audience: audience, Expires: x.Now().Add(2 * time.Minute),
	}, x.id.PrivateKey, x.id.Certificate)
}

// RoundTrip implements http.RoundTripper.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	forToken := x.forToken
	x.forToken = false
	if forToken {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", cli.Program)
	}
	x.explainRequest(r, forToken)
	res, err := x.base.RoundTrip(r)
	if err != nil {
		err = &unreachable{networkReason(err), err}
		x.explainf("*", "%v", err)
		return nil, err
	}
	x.explainAnswer(res)
	if forToken {
		x.readToken(res)
	}
	return res, nil
}

// CloseIdleConnections is for vepauth.Transport.
func (x *exchange) CloseIdleConnections() { x.base.CloseIdleConnections() }

// unreachable is an error of the network, in words of our own: net/http's quote
// what a server sends.
type unreachable struct {
	reason string
	cause  error
}

func (e *unreachable) Error() string { return e.reason }
func (e *unreachable) Unwrap() error { return e.cause }

func networkReason(err error) string {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   *tls.CertificateVerificationError
		notTLS    tls.RecordHeaderError
		op        *net.OpError
	)
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, errTimeout):
		return "no answer before the end"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "no connection through the proxy"
	case errors.As(err, &dns):
		return "the name of the host is not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &authority):
		return "the TLS certificate is of an unknown authority (--ca-file names others)"
	case errors.As(err, &name):
		return "the TLS certificate is of another name"
	case errors.As(err, &invalid):
		return "the TLS certificate is not valid"
	case errors.As(err, &notTLS):
		return "no TLS is spoken there"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection"
	}
	return "the connection ended early, or the answer was no HTTP"
}
