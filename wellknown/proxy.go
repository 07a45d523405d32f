package wellknown

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
)

// proxyPorts are the ports of proxies by the scheme of their URLs.
var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080"}

// tunnel gives a connection to addr through the proxy.
func (d *dialer) tunnel(ctx context.Context, addr string) (net.Conn, error) {
	if d.proxy.Scheme == "socks5" {
		return d.socks(ctx, addr)
	}
	conn, err := d.reachProxy(ctx)
	if err != nil {
		return nil, err
	}
	through := conn
	if d.proxy.Scheme == "https" {
		through, err = d.secure(ctx, conn, proxyAddr(d.proxy))
	}
	if err == nil {
		err = askToConnect(ctx, through, d.proxy.User, addr)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return through, nil
}

func proxyAddr(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = proxyPorts[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// reachProxy connects to the proxy itself, which may be anywhere; its name is
// the operator's, so the system's search list applies.
func (d *dialer) reachProxy(ctx context.Context) (net.Conn, error) {
	host, port, err := net.SplitHostPort(proxyAddr(d.proxy))
	if err != nil {
		return nil, err
	}
	return d.reach(ctx, nil, host, port)
}

// askToConnect has an HTTP proxy connect to addr (RFC 9110 §9.3.6).
func askToConnect(ctx context.Context, conn net.Conn, user *url.Userinfo, addr string) error {
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
	// A host that speaks TLS waits to be spoken to, so nothing more is there.
	if response.StatusCode != http.StatusOK || answer.Buffered() > 0 {
		return errors.New("the proxy does not connect")
	}
	return conn.SetDeadline(time.Time{})
}

func (d *dialer) socks(ctx context.Context, addr string) (net.Conn, error) {
	var auth *proxy.Auth
	if user := d.proxy.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	s, err := proxy.SOCKS5("tcp", proxyAddr(d.proxy), auth, proxyDialer{d})
	if err != nil {
		return nil, err
	}
	return s.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
}

// proxyDialer connects to the proxy, whatever it is asked for.
type proxyDialer struct{ *dialer }

func (d proxyDialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

func (d proxyDialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return d.reachProxy(ctx)
}
