package fetch

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"github.com/vepverify/vepverify/internal/outbound"
)

// proxyError is an error of the proxy, or of the connection to it. It says nothing about the
// host. Nothing of it is text that the proxy sent.
type proxyError struct {
	reason          string // after "the proxy host:port"
	advice, setting string
	cause           error
}

func (e *proxyError) Error() string { return e.reason }
func (e *proxyError) Unwrap() error { return e.cause }

const adviceProxy = "check the proxy's address and scheme, and that it runs"

// unusableProxy returns the error of a proxy that was not reached, or did not answer.
func unusableProxy(what string, err error) *proxyError {
	f := connectFault(err)
	e := &proxyError{reason: what + ": " + f.Reason, advice: adviceProxy, setting: settingProxy, cause: f.Cause}
	if f.Setting == settingCA {
		e.advice, e.setting = f.Advice, f.Setting
	}
	return e
}

// connectThroughProxy returns a connection to addr through the proxy. Its error is a
// proxyError or an outbound.ConnectError.
func (d *dialer) connectThroughProxy(ctx context.Context, addr string) (net.Conn, error) {
	if d.proxy.Scheme == "socks5" {
		return d.connectThroughSOCKS(ctx, addr)
	}
	conn, err := d.connectToProxy(ctx)
	if err != nil {
		return nil, err
	}
	through, err := d.tunnel(ctx, conn, addr)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return through, nil
}

// tunnel returns a tunnel to addr through an HTTP proxy, to which conn is a connection.
func (d *dialer) tunnel(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	enter(ctx, tunnelling)
	if d.proxy.Scheme == "https" {
		secure, err := d.startTLS(ctx, conn, outbound.ProxyAddr(d.proxy))
		if refused := (admitError{}); errors.As(err, &refused) {
			return nil, err
		}
		if err != nil {
			return nil, unusableProxy("does not speak TLS as expected", err)
		}
		conn = secure
	}
	if err := requestTunnel(ctx, conn, d.proxy, addr); err != nil {
		return nil, err
	}
	return conn, nil
}

// connectToProxy connects to the proxy itself. Its address is not checked, and the system's
// search list applies to its name, because the operator chose it.
func (d *dialer) connectToProxy(ctx context.Context) (net.Conn, error) {
	host, port, err := net.SplitHostPort(outbound.ProxyAddr(d.proxy))
	if err != nil {
		return nil, err
	}
	conn, err := d.connectTo(ctx, nil, host, port)
	if err != nil {
		return nil, unusableProxy("cannot be reached", err)
	}
	return conn, nil
}

// requestTunnel requests from an HTTP proxy a tunnel to addr (CONNECT, RFC 9110 §9.3.6).
func requestTunnel(ctx context.Context, conn net.Conn, proxy *url.URL, addr string) error {
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: make(http.Header)}
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		request.Header.Set("Proxy-Authorization",
			"Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := request.Write(conn); err != nil {
		return unusableProxy("did not answer CONNECT", err)
	}
	limited := &io.LimitedReader{R: conn, N: maxHeader}
	answer := bufio.NewReader(limited)
	response, err := http.ReadResponse(answer, request)
	switch {
	case err != nil && limited.N <= 0:
		return &proxyError{reason: fmt.Sprintf("answered CONNECT with a header of more than %d bytes", maxHeader), advice: adviceProxy, setting: settingProxy}
	case err != nil:
		return unusableProxy("did not answer CONNECT", err)
	case response.StatusCode != http.StatusOK:
		return &outbound.ConnectError{Proxy: proxy, Status: response.StatusCode}
	case answer.Buffered() > 0: // a TLS server does not send before the client
		return &proxyError{reason: "answered CONNECT with more than a header", advice: adviceProxy, setting: settingProxy}
	}
	return conn.SetDeadline(time.Time{})
}

func (d *dialer) connectThroughSOCKS(ctx context.Context, addr string) (net.Conn, error) {
	var auth *proxy.Auth
	if user := d.proxy.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	s, err := proxy.SOCKS5("tcp", outbound.ProxyAddr(d.proxy), auth, proxyDialer{d})
	if err != nil {
		return nil, err
	}
	conn, err := s.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, socksError(err)
	}
	return conn, nil
}

// socksError returns the error of a SOCKS proxy. Package proxy describes an answer of the
// proxy by a text of its own, with numbers at most.
func socksError(err error) error {
	var unreached *proxyError
	if errors.As(err, &unreached) {
		return unreached
	}
	var op *net.OpError
	if f := connectFault(err); f.Cause != nil || outbound.Classify(err) != outbound.Other || !errors.As(err, &op) || op.Err == nil {
		return unusableProxy("did not answer as a SOCKS5 proxy", err)
	}
	reason := strings.TrimPrefix(op.Err.Error(), "unknown error ")
	return &proxyError{reason: "answered with a SOCKS5 error: " + reason, advice: "look at the proxy's log, and check its user and password in the proxy URL", setting: settingProxy}
}

// proxyDialer is a [proxy.ContextDialer] that connects to the proxy, for every address.
type proxyDialer struct{ *dialer }

// Dial implements [proxy.Dialer].
func (d proxyDialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext implements [proxy.ContextDialer].
func (d proxyDialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := d.connectToProxy(ctx)
	if err == nil {
		enter(ctx, tunnelling)
	}
	return conn, err
}
