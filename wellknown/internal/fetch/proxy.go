package fetch

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"

	"github.com/vepverify/vepverify/internal/outbound"
)

// connectThroughProxy returns a connection to addr through the proxy.
func (d *dialer) connectThroughProxy(ctx context.Context, addr string) (net.Conn, error) {
	if d.proxy.Scheme == "socks5" {
		return d.connectThroughSOCKS(ctx, addr)
	}
	conn, err := d.connectToProxy(ctx)
	if err != nil {
		return nil, err
	}
	through := conn
	if d.proxy.Scheme == "https" {
		through, err = d.startTLS(ctx, conn, outbound.ProxyAddr(d.proxy))
	}
	if err == nil {
		err = requestTunnel(ctx, through, d.proxy.User, addr)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return through, nil
}

// connectToProxy connects to the proxy itself. Its address is not checked, and the system's
// search list applies to its name, because the operator chose it.
func (d *dialer) connectToProxy(ctx context.Context) (net.Conn, error) {
	host, port, err := net.SplitHostPort(outbound.ProxyAddr(d.proxy))
	if err != nil {
		return nil, err
	}
	return d.connectTo(ctx, nil, host, port)
}

// requestTunnel requests from an HTTP proxy a tunnel to addr (CONNECT, RFC 9110 §9.3.6).
func requestTunnel(ctx context.Context, conn net.Conn, user *url.Userinfo, addr string) error {
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: make(http.Header)}
	if user != nil {
		password, _ := user.Password()
		request.Header.Set("Proxy-Authorization",
			"Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := request.Write(conn); err != nil {
		return err
	}
	answer := bufio.NewReader(io.LimitReader(conn, maxHeader))
	response, err := http.ReadResponse(answer, request)
	if err != nil {
		return err
	}
	// A TLS server does not send before the client, so nothing may follow the header.
	if response.StatusCode != http.StatusOK || answer.Buffered() > 0 {
		return errors.New("the proxy does not connect")
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
	return s.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
}

// proxyDialer is a [proxy.ContextDialer] that connects to the proxy, for every address.
type proxyDialer struct{ *dialer }

// Dial implements [proxy.Dialer].
func (d proxyDialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext implements [proxy.ContextDialer].
func (d proxyDialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return d.connectToProxy(ctx)
}
