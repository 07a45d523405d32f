package main

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/net/dns/dnsmessage"
)

// hosts are the hosts of one script.
type hosts struct {
	folder      string
	received    atomic.Int64
	connections chan struct{} // receives a value for each of the first connections to $MUTE
}

type hostsKey struct{}

func startHosts(env *testscript.Env) error {
	h := &hosts{folder: filepath.Join(env.WorkDir, "site"), connections: make(chan struct{}, 100)}
	env.Values[hostsKey{}] = h
	if err := h.startIDP(env); err != nil {
		return err
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go h.acceptConnections(mute)
	env.Defer(func() { mute.Close() })
	if err := h.startDNS(env); err != nil {
		return err
	}
	if err := startProxy(env); err != nil {
		return err
	}
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Setenv("MUTE", mute.Addr().String())
	env.Setenv("DEAD", dead.Addr().String())
	return dead.Close()
}

// startIDP starts a web server that speaks TLS.
func (h *hosts) startIDP(env *testscript.Env) error {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // some clients do not trust it
	s.StartTLS()
	env.Defer(s.Close)
	env.Setenv("IDP", s.Listener.Addr().String())
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), certificate, 0o600)
}

// ServeHTTP answers with the files that the script has put into the folder site.
func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.received.Add(1)
	if r.URL.Path != "/.well-known/browserid" {
		h.serveFile(w, r)
		return
	}
	document, err := os.ReadFile(filepath.Join(h.folder, "browserid"))
	if err == nil {
		w.Header().Set("Content-Type", "application/json")
		w.Write(document)
		return
	}
	code := http.StatusNotFound
	if text, err := os.ReadFile(filepath.Join(h.folder, "status")); err == nil {
		code, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	w.WriteHeader(code)
}

// acceptConnections accepts connections and keeps them open until the listener is
// closed.
func (h *hosts) acceptConnections(l net.Listener) {
	var open []net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		open = append(open, c)
		select {
		case h.connections <- struct{}{}:
		default:
		}
	}
	for _, c := range open {
		c.Close()
	}
}

// requests checks the number of requests to $IDP.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: requests NUMBER")
	}
	h := ts.Value(hostsKey{}).(*hosts)
	if got := strconv.FormatInt(h.received.Load(), 10); got != args[0] {
		ts.Fatalf("%s requests, want %s", got, args[0])
	}
}

// await waits for a connection to $MUTE.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: await")
	}
	select {
	case <-ts.Value(hostsKey{}).(*hosts).connections:
	case <-time.After(time.Minute):
		ts.Fatalf("no connection")
	}
}

// serveFile answers with the file of the path in the folder site.
func (h *hosts) serveFile(w http.ResponseWriter, r *http.Request) {
	document, err := os.ReadFile(filepath.Join(h.folder, filepath.FromSlash(path.Clean(r.URL.Path))))
	if err != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(document)
}

// startDNS starts a DNS server. All hosts have the address 127.0.0.1. The TXT records of a name
// are the lines of the file dns/NAME. A name without a file does not exist, and an empty file is a
// failure of the server.
func (h *hosts) startDNS(env *testscript.Env) error {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { conn.Close() })
	env.Setenv("DNS", conn.LocalAddr().String())
	folder := filepath.Join(env.WorkDir, "dns")
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer, err := answerDNS(buf[:n], folder); err == nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	return nil
}

func answerDNS(query []byte, folder string) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil, errors.New("not a question")
	}
	q := m.Questions[0]
	m.Response, m.Answers, m.Authorities, m.Additionals = true, nil, nil, nil
	text, err := os.ReadFile(filepath.Join(folder, strings.TrimSuffix(q.Name.String(), ".")))
	switch {
	case q.Type == dnsmessage.TypeA: // of a host
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	case q.Type != dnsmessage.TypeTXT:
	case err != nil:
		m.RCode = dnsmessage.RCodeNameError
	case len(text) == 0:
		m.RCode = dnsmessage.RCodeServerFailure
	case string(text) == "REFUSED\n":
		m.RCode = dnsmessage.RCodeRefused
	default:
		for record := range strings.Lines(string(text)) {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
				Body:   &dnsmessage.TXTResource{TXT: []string{strings.TrimSpace(record)}},
			})
		}
	}
	return m.Pack()
}

// startProxy starts a proxy that connects all hosts to $IDP.
func startProxy(env *testscript.Env) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { l.Close() })
	env.Setenv("PROXY", "http://"+l.Addr().String())
	to := env.Getenv("IDP")
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, err := net.Dial("tcp", to)
		if err != nil || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer target.Close()
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(target, client)
		io.Copy(client, target)
	}))
	return nil
}
