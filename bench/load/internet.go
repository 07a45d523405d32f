package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// internet is a proxy through which every name under .example is a host that
// speaks HTTPS, with a certificate of an authority of its own.
type internet struct {
	URL    string // of the proxy
	CAFile string

	proxy, hosts *http.Server
	tunnels      *tunnels
}

// newInternet begins to serve: answer is what the hosts say. It may have a method
// certificate, like tls.Config.GetCertificate. The CA file is written into dir.
func newInternet(dir string, answer http.Handler) (*internet, error) {
	cert, err := newCertificate()
	if err != nil {
		return nil, err
	}
	n := &internet{CAFile: filepath.Join(dir, "ca.pem"), tunnels: &tunnels{conns: make(chan net.Conn), closed: make(chan struct{})}}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(n.CAFile, ca, 0o600); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n.URL = "http://" + l.Addr().String()
	quiet := log.New(io.Discard, "", 0) // a client that leaves is no news
	n.proxy = &http.Server{Handler: n.tunnels, ErrorLog: quiet}
	n.hosts = &http.Server{Handler: answer, ErrorLog: quiet}
	go n.proxy.Serve(l)
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	if own, ok := answer.(interface {
		certificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	}); ok {
		config.GetCertificate = own.certificate
	}
	go n.hosts.Serve(tls.NewListener(n.tunnels, config))
	return n, nil
}

// Close ends all of it.
func (n *internet) Close() error {
	close(n.tunnels.closed)
	return errors.Join(n.proxy.Close(), n.hosts.Close())
}

// newCertificate makes one for all names of two labels under .example, and for all
// of three under evil.example, signed by itself.
func newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "load"}, DNSNames: []string{"*.example", "*.evil.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// tunnels is the proxy: a CONNECT to any host becomes a connection that Accept
// gives.
type tunnels struct {
	conns  chan net.Conn
	closed chan struct{}
}

// ServeHTTP implements http.Handler.
func (t *tunnels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "CONNECT is wanted", http.StatusMethodNotAllowed)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered()) // all of it is there
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		conn.Close()
		return
	}
	select {
	case t.conns <- &tunnel{conn, io.MultiReader(bytes.NewReader(early), conn)}:
	case <-t.closed:
		conn.Close()
	}
}

// tunnel is a connection of which something was read already.
type tunnel struct {
	net.Conn
	r io.Reader
}

// Read implements net.Conn.
func (t *tunnel) Read(b []byte) (int, error) { return t.r.Read(b) }

// Accept implements net.Listener.
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (t *tunnels) Close() error { return nil }

// Addr implements net.Listener.
func (t *tunnels) Addr() net.Addr { return &net.TCPAddr{} }
