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

// network replaces the Internet. It is a proxy through which every name below .example is
// an HTTPS host, with a certificate of the network's own authority.
type network struct {
	URL    string // of the proxy
	CAFile string

	proxy, hosts *http.Server
	tunnels      *tunnels
}

// newNetwork starts a network whose hosts are served by answer. If answer has a method
// certificate, it is used as tls.Config.GetCertificate. The CA file is written into dir.
func newNetwork(dir string, answer http.Handler) (*network, error) {
	cert, err := newCertificate()
	if err != nil {
		return nil, err
	}
	n := &network{CAFile: filepath.Join(dir, "ca.pem"), tunnels: &tunnels{conns: make(chan net.Conn), closed: make(chan struct{})}}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(n.CAFile, ca, 0o600); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n.URL = "http://" + l.Addr().String()
	quiet := log.New(io.Discard, "", 0) // clients that disconnect are expected
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

// Close closes the proxy and the hosts.
func (n *network) Close() error {
	close(n.tunnels.closed)
	return errors.Join(n.proxy.Close(), n.hosts.Close())
}

// newCertificate returns a self-signed certificate for all names of two labels below
// .example, and of three below evil.example.
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

// tunnels is the proxy: a CONNECT to any host becomes a connection that Accept returns.
type tunnels struct {
	conns  chan net.Conn
	closed chan struct{}
}

// ServeHTTP implements http.Handler.
func (t *tunnels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "want CONNECT", http.StatusMethodNotAllowed)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered()) // already read, so there is no error
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

// tunnel is a connection some of whose bytes were already read.
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
