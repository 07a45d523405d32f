package outbound_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/outbound"
)

func TestLoadCAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if pool, err := outbound.LoadCAFile(write("ca.pem", certificate(t))); err != nil || pool.Equal(x509.NewCertPool()) {
		t.Errorf("one certificate: %v", err)
	}
	for _, text := range []string{"", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if pool, err := outbound.LoadCAFile(write("bad.pem", []byte(text))); err == nil || pool != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := outbound.LoadCAFile(filepath.Join(dir, "absent.pem")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// certificate returns a self-signed certificate in PEM.
func certificate(t *testing.T) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestParseProxy(t *testing.T) {
	for text, addr := range map[string]string{
		"http://proxy.example":                 "proxy.example:80",
		"http://proxy.example:3128/":           "proxy.example:3128",
		"https://user:password@proxy.example":  "proxy.example:443",
		"socks5://127.0.0.1":                   "127.0.0.1:1080",
		"socks5://[::1]:9050":                  "[::1]:9050",
		"socks5h://user:password@[::1]:9050":   "[::1]:9050",
		"SOCKS5H://proxy.example":              "proxy.example:1080",
		"HTTP://proxy.example":                 "proxy.example:80",
		"":                                     "",
		"proxy.example:3128":                   "",
		"nonsense":                             "",
		"ftp://proxy.example":                  "",
		"socks4://proxy.example":               "",
		"socks4a://proxy.example":              "",
		"http://:3128":                         "",
		"http://]":                             "",
		"http://[::1]]:80":                     "",
		"http://proxy.example:0":               "",
		"http://proxy.example:65536":           "",
		"http://proxy.example/path":            "",
		"http://proxy.example?x":               "",
		"http://proxy.example#x":               "",
		"http://user:password@%zz":             "",
		"http://user:password@proxy.example:x": "",
	} {
		u, err := outbound.ParseProxy(text)
		if (err == nil) != (addr != "") || err == nil && outbound.ProxyAddr(u) != addr {
			t.Errorf("%q: %v, %v", text, u, err)
		}
		if err != nil && strings.Contains(err.Error(), "password") {
			t.Errorf("%q: the error shows the password", text)
		}
	}
}

// FuzzParseProxy checks that a proxy has an address, and that an error has nothing of the URL.
func FuzzParseProxy(f *testing.F) {
	for _, seed := range []string{"http://proxy.example:3128/", "socks5://[::1]", "https://user:password@%zz", "http://a@b@c:x", "http://[", "http://]", ""} {
		f.Add(seed)
	}
	_, fixed := outbound.ParseProxy("")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := outbound.ParseProxy(text)
		if err != nil {
			if err.Error() != fixed.Error() {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		host, port, err := net.SplitHostPort(outbound.ProxyAddr(u))
		if err != nil || host == "" || port == "" {
			t.Errorf("%q: address %q, %v", text, outbound.ProxyAddr(u), err)
		}
	})
}

func TestConnectError(t *testing.T) {
	for text, c := range map[string]struct {
		proxy  string
		status int
	}{
		"the proxy proxy.example:3128 answered CONNECT with 407 Proxy Authentication Required: set its user and password in the proxy URL":   {"http://proxy.example:3128", 407},
		"the proxy proxy.example:3128 answered CONNECT with 407 Proxy Authentication Required: check its user and password in the proxy URL": {"http://user:secret@proxy.example:3128", 407},
		"the proxy proxy.example:443 answered CONNECT with 403 Forbidden: the proxy should allow CONNECT to this host and port":              {"https://proxy.example", 403},
		"the proxy proxy.example:80 answered CONNECT with 502 Bad Gateway: the proxy could not reach the host: look at the proxy's log":      {"http://proxy.example", 502},
		"the proxy proxy.example:80 answered CONNECT with 599: check that it is an HTTP proxy that allows CONNECT":                           {"http://proxy.example", 599},
	} {
		u, err := outbound.ParseProxy(c.proxy)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&outbound.ConnectError{Proxy: u, Status: c.status}).Error(); got != text {
			t.Errorf("%q, want %q", got, text)
		}
	}
}

func TestClassify(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: err} }
	verify := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for name, c := range map[string]struct {
		err  error
		want outbound.Failure
	}{
		"deadline":                 {context.DeadlineExceeded, outbound.TimedOut},
		"system's timeout":         {dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), outbound.TimedOut},
		"time-out of DNS":          {&net.DNSError{IsTimeout: true, IsNotFound: true}, outbound.TimedOut},
		"proxy":                    {&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}, outbound.ProxyFailed},
		"proxy's name":             {&net.OpError{Op: "proxyconnect", Err: &net.DNSError{IsNotFound: true}}, outbound.ProxyFailed},
		"NXDOMAIN":                 {dial(&net.DNSError{IsNotFound: true}), outbound.NoSuchHost},
		"NXDOMAIN for now":         {dial(&net.DNSError{IsNotFound: true, IsTemporary: true}), outbound.DNSFailed},
		"server failure":           {&net.DNSError{IsTemporary: true}, outbound.DNSFailed},
		"refused":                  {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), outbound.ConnectionRefused},
		"no TLS":                   {tls.RecordHeaderError{Conn: new(net.TCPConn)}, outbound.NotTLS},
		"no TLS, net/http":         {http.ErrSchemeMismatch, outbound.NotTLS},
		"broken TLS":               {tls.RecordHeaderError{}, outbound.Other},
		"expired":                  {verify(x509.CertificateInvalidError{Reason: x509.Expired}), outbound.CertificateExpired},
		"another name":             {verify(x509.HostnameError{Certificate: new(x509.Certificate)}), outbound.CertificateName},
		"unknown authority":        {verify(x509.UnknownAuthorityError{}), outbound.CertificateAuthority},
		"invalid":                  {verify(errors.New("x")), outbound.CertificateInvalid},
		"not verified by x509":     {x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}, outbound.CertificateInvalid},
		"alert":                    {&net.OpError{Op: "remote error", Err: errors.New("x")}, outbound.HandshakeFailed},
		"own alert":                {&net.OpError{Op: "local error", Err: errors.New("x")}, outbound.HandshakeFailed},
		"end":                      {io.ErrUnexpectedEOF, outbound.ClosedEarly},
		"reset":                    {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, outbound.ClosedEarly},
		"no route":                 {dial(syscall.EHOSTUNREACH), outbound.DialFailed},
		"anything":                 {errors.New("x"), outbound.Other},
		"canceled":                 {context.Canceled, outbound.Other},
		"not HTTP, with its bytes": {fmt.Errorf("malformed HTTP response %q", "remote"), outbound.Other},
	} {
		err := fmt.Errorf("wrapped: %w", &url.Error{Op: "Get", URL: "https://remote.example", Err: c.err})
		if got := outbound.Classify(err); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if text := outbound.Classify(err).String(); text == "" || strings.Contains(text, "remote") {
			t.Errorf("%s: text %q", name, text)
		}
	}
}
