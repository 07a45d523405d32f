package redisstore_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// fakeServer sends a fixed answer to every SET, and an error to every other command,
// like a Redis without HELLO.
type fakeServer struct {
	net.Listener
	answer      string // empty means none, and the connection stays open
	close       bool   // close the connection after the answer
	dropsConfig bool   // close the connection in place of an answer to CONFIG
	wg          sync.WaitGroup
}

func startFakeServer(t *testing.T, answer string, closes bool) *fakeServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{Listener: l, answer: answer, close: closes}
	f.wg.Go(f.accept)
	t.Cleanup(func() { l.Close(); f.wg.Wait() })
	return f
}

func (f *fakeServer) url() string { return "redis://" + f.Addr().String() }

func (f *fakeServer) accept() {
	for {
		conn, err := f.Accept()
		if err != nil {
			return
		}
		f.wg.Go(func() { defer conn.Close(); f.serve(conn) })
	}
}

func (f *fakeServer) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		name, err := readCommand(r)
		if err != nil {
			return
		}
		if name == "config" && f.dropsConfig {
			return
		}
		if name != "set" {
			io.WriteString(conn, "-ERR unknown command\r\n")
			continue
		}
		io.WriteString(conn, f.answer)
		if f.close {
			return
		}
	}
}

// readCommand reads an array of bulk strings and returns the first, in lower case.
func readCommand(r *bufio.Reader) (string, error) {
	n, err := readCount(r, '*')
	if err != nil {
		return "", err
	}
	var name string
	for i := range n {
		size, err := readCount(r, '$')
		if err != nil {
			return "", err
		}
		word := make([]byte, size+len("\r\n"))
		if _, err := io.ReadFull(r, word); err != nil {
			return "", err
		}
		if i == 0 {
			name = strings.ToLower(string(word[:size]))
		}
	}
	return name, nil
}

func readCount(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil || line[0] != kind {
		return 0, errors.New("not a command")
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

func TestUnexpectedAnswers(t *testing.T) {
	const planted = "planted-text"
	for _, answer := range []string{
		"HTTP/1.1 400 " + planted + "\r\n\r\n", planted + "\r\n", "\r\n", "+\r\n", "+" + planted + "\r\n", "+OK", "+OK\n", ":1\r\n", "#t\r\n",
		"*1\r\n+OK\r\n", "*0\r\n", "%1\r\n+OK\r\n+OK\r\n", "$3\r\nOK", "$99999999999999999999\r\n", "$-2\r\n", ",nan\r\n", "(99\r\n",
		"-" + planted + "\r\n", "-" + strings.ToUpper(planted) + " x\r\n", "-\r\n", "-OOM " + planted + "\r\n", "-OK\r\n", "!2\r\nOK\r\n",
		strings.Repeat("x", 1<<16), "",
	} {
		f := startFakeServer(t, answer, true)
		s := open(t, f.url(), longTimeout)
		err := expectError(t, s, "key")
		if strings.Contains(strings.ToLower(err.Error()), planted) {
			t.Errorf("%.40q: the error is %v", answer, err)
		}
	}
}

func TestServerHangs(t *testing.T) {
	for name, answer := range map[string]string{"before the answer": "", "in the answer": "+O"} {
		t.Run(name, func(t *testing.T) {
			f := startFakeServer(t, answer, false)
			own := open(t, f.url(), redisstore.Config{Timeout: 50 * time.Millisecond})
			if err := expectError(t, own, "key"); !isTimeout(err) {
				t.Errorf("error %v", err)
			}
			if _, err := own.Check(t.Context()); err == nil {
				t.Error("Check: no error")
			}
			// A context that ends sooner than Timeout counts.
			callers := open(t, f.url(), redisstore.Config{Timeout: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if first, err := callers.FirstUse(ctx, "key", time.Now().Add(time.Minute)); first || !isTimeout(err) {
				t.Errorf("FirstUse = %v, %v", first, err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// TestSilentServer checks that FirstUse times out if the server does not answer the
// commands before SET.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := open(t, "redis://:password@"+l.Addr().String(), redisstore.Config{Timeout: 50 * time.Millisecond})
	for i := range 3 {
		expectError(t, s, fmt.Sprint(i))
	}
}

func TestEndedContext(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), longTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if first, err := s.FirstUse(ctx, "key", time.Now().Add(time.Minute)); first || !errors.Is(err, context.Canceled) {
		t.Errorf("FirstUse = %v, %v", first, err)
	}
	expect(t, s, "key", time.Now().Add(time.Minute), true)
}

func TestPassword(t *testing.T) {
	server := redistest.Start(t)
	if err := client(t, server).ConfigSet(t.Context(), "requirepass", "right%/#").Err(); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{"", ":wrong-password@", "other:right%25%2F%23@"} {
		s := open(t, "redis://"+login+server.Addr(), longTimeout)
		_, checked := s.Check(t.Context())
		for _, err := range []error{expectError(t, s, "key"), checked} {
			if err == nil || strings.Contains(err.Error(), "wrong-password") {
				t.Errorf("login %q: error %v", login, err)
			}
		}
	}
	s := open(t, "redis://:right%25%2F%23@"+server.Addr(), longTimeout)
	expect(t, s, "key", time.Now().Add(time.Minute), true)
}

func TestTLSVerifiesTheCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS() // its certificate is not of a trusted authority
	defer server.Close()
	s := open(t, "rediss://"+server.Listener.Addr().String(), longTimeout)
	var untrusted *tls.CertificateVerificationError
	if err := expectError(t, s, "key"); !errors.As(err, &untrusted) {
		t.Errorf("error %v", err)
	}
}
