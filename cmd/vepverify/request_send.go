package main

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

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/vepauth"
)

// transport is what signs in as the identity.
func (x *exchange) transport(c *cli.Context, id *identity) (*vepauth.Transport, error) {
	roots, err := x.roots(c)
	if err != nil {
		return nil, err
	}
	proxy, err := x.proxyFor(c)
	if err != nil {
		return nil, err
	}
	w := &wire{exchange: x, id: id, base: &http.Transport{
		Proxy: proxy, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		DisableCompression: true, MaxResponseHeaderBytes: 1 << 20,
	}}
	return &vepauth.Transport{Assertion: w.assertion, Base: w, Now: x.now}, nil
}

// roots gives the certificate authorities to trust, nil for the system's.
func (x *exchange) roots(c *cli.Context) (*x509.CertPool, error) {
	if x.caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(x.caFile)
	if err != nil {
		return nil, fileError(x.caFile, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usageError(c, "--ca-file: no certificate in %s", x.caFile)
	}
	return pool, nil
}

// proxyFor gives the proxy for each URL. The environment's settings for other
// programs do not count, as with every command.
func (x *exchange) proxyFor(c *cli.Context) (func(*http.Request) (*url.URL, error), error) {
	if x.proxy == "" {
		return nil, nil
	}
	u, err := url.Parse(x.proxy)
	known := map[string]bool{"http": true, "https": true, "socks5": true}
	if err != nil || !known[u.Scheme] || u.Hostname() == "" {
		return nil, usageError(c, "--proxy: want http://host:port, https://host:port or socks5://host:port")
	}
	return func(r *http.Request) (*url.URL, error) {
		if origin.IsLoopback(r.URL.Hostname()) {
			return nil, nil
		}
		return u, nil
	}, nil
}

// wire is what requests go over: the network, seen by whoever wants an
// explanation.
type wire struct {
	*exchange
	id   *identity
	base *http.Transport

	forToken bool // the next request is that for credentials
}

// assertion makes one, which lives as long as those of the command assert.
func (w *wire) assertion(_ context.Context, audience string) (string, error) {
	w.asked, w.forToken = true, true
	w.tell("*", "asked for credentials: makes an assertion of %s for %s", w.id.Email, audience)
	return assertion.Sign(assertion.Template{
		Audience: audience, Expires: w.now().Add(2 * time.Minute),
	}, w.id.PrivateKey, w.id.Certificate)
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	forToken := w.forToken
	w.forToken = false
	if forToken {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", program)
	}
	w.tellRequest(r, forToken)
	res, err := w.base.RoundTrip(r)
	if err != nil {
		err = &unreachable{networkReason(err), err}
		w.tell("*", "%v", err)
		return nil, err
	}
	w.tellAnswer(res)
	if forToken {
		w.readToken(res)
	}
	return res, nil
}

// CloseIdleConnections is for vepauth.Transport.
func (w *wire) CloseIdleConnections() { w.base.CloseIdleConnections() }

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
	case errors.Is(err, context.Canceled) || errors.Is(err, errPatience):
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
