package redisstore_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/internal/redistest"
)

// TestAlertBeforeWrite: a server that does not accept the client's certificate says so in an
// alert after the handshake, and closes the connection. The error names that cause also if the
// connection was closed before the first command.
func TestAlertBeforeWrite(t *testing.T) {
	a := redistest.NewAuthority(t)
	cert, err := tls.LoadX509KeyPair(a.Issue())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer l.Close()
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			server := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()})
			_ = server.Handshake() // it fails, and sends the alert
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close() // with RST, so that a write fails
		}
	})
	config := trusting(t, a, nil)
	s := open(t, "rediss://"+l.Addr().String(), withTLS(config))
	for range 20 {
		expectCause(t, s, "does the server want a client certificate")
	}
}
