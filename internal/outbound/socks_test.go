package outbound_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/outbound"
	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/testtool"
)

// TestSOCKS5 checks both spellings with a real SOCKS5 server: it resolves the host's name, and
// gets user and password.
func TestSOCKS5(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "through") }))
	defer site.Close()
	_, port, _ := net.SplitHostPort(site.Listener.Addr().String())
	proxy, logged := startSOCKS5(t)
	for _, scheme := range []string{"socks5", "socks5h"} {
		u, err := outbound.ParseProxy(scheme + "://user:s3cret@" + proxy)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{Proxy: http.ProxyURL(u)}
		response, err := (&http.Client{Transport: transport}).Get("http://localhost:" + port)
		if err != nil {
			t.Fatal(scheme, err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		transport.CloseIdleConnections()
		if err != nil || string(body) != "through" {
			t.Errorf("%s: %q, %v", scheme, body, err)
		}
		if line := <-logged; !strings.Contains(line, "connected to localhost:"+port) { // the name, not an address
			t.Errorf("%s: the proxy logs %q", scheme, line)
		}
	}
}

// startSOCKS5 starts microsocks and returns its address and the lines of its log.
func startSOCKS5(t *testing.T) (addr string, logged <-chan string) {
	t.Helper()
	program := testtool.Path(t, "microsocks")
	addr = porttest.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(program, "-i", "127.0.0.1", "-p", port, "-u", "user", "-P", "s3cret")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := make(chan string, 100)
	go func() {
		for scanner := bufio.NewScanner(log); scanner.Scan(); {
			if line := scanner.Text(); strings.Contains(line, "connected to") {
				lines <- line
			}
		}
	}()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr, lines
		}
		if time.Now().After(deadline) {
			t.Fatal("microsocks does not listen")
		}
	}
}
