package request

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/outbound"
)

// transport returns the transport to the network.
func (r *command) transport(c *cli.Call) (*http.Transport, error) {
	proxy, err := r.proxyFunc(c)
	if err != nil {
		return nil, err
	}
	config := new(tls.Config)
	if r.caFile != "" {
		if config.RootCAs, err = outbound.LoadCAFile(r.caFile); err != nil {
			return nil, c.UsageErrorf("--ca-file: %w", err)
		}
	}
	return &http.Transport{
		Proxy: proxy, TLSClientConfig: config, ForceAttemptHTTP2: true,
		DisableCompression: true, MaxResponseHeaderBytes: 1 << 20,
		OnProxyConnectResponse: checkTunnel,
	}, nil
}

// checkTunnel returns an error if a proxy answers CONNECT with another status than 200. The
// error of net/http would have the text that the proxy sent.
func checkTunnel(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode != http.StatusOK {
		return &outbound.ConnectError{Proxy: proxy, Status: res.StatusCode}
	}
	return nil
}

// proxyFunc returns the function that chooses the proxy for a request. As in
// every command, the environment's settings for other programs have no effect.
func (r *command) proxyFunc(c *cli.Call) (func(*http.Request) (*url.URL, error), error) {
	if r.proxy == "" {
		return nil, nil
	}
	proxy, err := outbound.ParseProxy(r.proxy)
	if err != nil {
		return nil, c.UsageErrorf("--proxy: %w", err)
	}
	return func(req *http.Request) (*url.URL, error) {
		if origin.IsLoopback(req.URL.Hostname()) {
			return nil, nil
		}
		return proxy, nil
	}, nil
}

// exchange is one run of the command. It is the base transport of
// vepauth.Transport, and explains what it sends and receives.
type exchange struct {
	*command
	*cli.Process
	id   *identity.Identity
	base *http.Transport

	asked    bool   // the server has asked for credentials
	forToken bool   // the next request is the one to the token endpoint
	refusal  string // the reason of a token endpoint that refused
}

// assertionLife is how long the assertions are valid. It is the default of the
// command assert.
const assertionLife = 2 * time.Minute

// assertion signs an assertion for the site.
func (x *exchange) assertion(_ context.Context, audience string) (string, error) {
	x.asked, x.forToken = true, true
	x.explainf("*", "asked for credentials: makes an assertion of %s for %s", x.id.Email, audience)
	return assertion.Sign(assertion.Template{
		Audience: audience, Expires: x.Now().Add(assertionLife),
	}, x.id.PrivateKey, x.id.Certificate)
}

// RoundTrip implements http.RoundTripper.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	forToken := x.forToken
	x.forToken = false
	if forToken {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", cli.Program)
	}
	x.explainRequest(req, forToken)
	res, err := x.base.RoundTrip(req)
	if err != nil {
		err = x.newNetworkError(req, err)
		x.explainf("*", "%v", err)
		return nil, err
	}
	x.explainResponse(res)
	if forToken {
		x.readToken(res)
	}
	return res, nil
}

// CloseIdleConnections is called by vepauth.Transport.
func (x *exchange) CloseIdleConnections() { x.base.CloseIdleConnections() }

// networkError is an error of the network in an exchange with a host. Its text has nothing of
// what the server or a proxy sent, which errors of net/http quote.
type networkError struct {
	host  string
	proxy *url.URL // nil means none
	cause error
}

func (x *exchange) newNetworkError(req *http.Request, cause error) *networkError {
	e := &networkError{host: req.URL.Host, cause: cause}
	if x.base.Proxy != nil {
		e.proxy, _ = x.base.Proxy(req) // its error is always nil
	}
	return e
}

// advice tells what to do about a network error.
var advice = map[outbound.Failure]string{
	outbound.NoSuchHost:           "check the spelling of the host",
	outbound.DNSFailed:            "check this machine's name servers and its network",
	outbound.ConnectionRefused:    "check the port, and that the server runs",
	outbound.NotTLS:               "check the scheme and the port",
	outbound.CertificateAuthority: "for a private one, name its certificate (--ca-file); otherwise the server should send its intermediate certificates",
	outbound.CertificateExpired:   "the server should renew its certificate; check this machine's clock too",
	outbound.CertificateName:      "the server needs a certificate for this name; check the spelling of the host",
	outbound.Other:                "not HTTP, a header of more than 1 MiB, or a version of TLS that is not supported",
}

// Error names the host or the proxy, the failure, and what to do.
func (e *networkError) Error() string {
	var refused *outbound.ConnectError
	switch {
	case isCanceled(e.cause):
		return networkReason(e.cause)
	case errors.As(e.cause, &refused):
		return refused.Error() + " (--proxy)"
	}
	if inner := proxyFailure(e.cause); e.proxy != nil && inner != nil {
		return "the proxy " + outbound.ProxyAddr(e.proxy) + " cannot be used: " + networkReason(inner) +
			": check its address and scheme, and that it runs (--proxy)"
	}
	text := e.host + ": " + networkReason(e.cause)
	if e.proxy != nil {
		text = "through the proxy " + outbound.ProxyAddr(e.proxy) + ": " + text
	}
	if what := advice[outbound.Classify(e.cause)]; what != "" {
		text += ": " + what
	}
	return text
}

func (e *networkError) Unwrap() error { return e.cause }

// proxyFailure returns the cause of an error about the connection to a proxy, which package
// net/http names by these operations. It returns nil for another error.
func proxyFailure(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "proxyconnect" || op.Op == "socks connect") {
		return op.Err
	}
	return nil
}

func isCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, errTimeout)
}

// networkReason describes an error of the network, without the host.
func networkReason(err error) string {
	if isCanceled(err) {
		return "no answer before the end"
	}
	return outbound.Classify(err).String()
}
