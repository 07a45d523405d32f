package main

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
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
		w.WriteHeader(http.StatusTeapot)
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
