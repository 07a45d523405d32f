package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// local is a command that serves people on this machine, within the test.
type local struct {
	said string // on standard output
	stop context.CancelFunc
	done chan struct{}
	code int
	log  bytes.Buffer // standard error, once done
}

// startLocal starts the command and waits until it has said all that it says.
func startLocal(t *testing.T, args ...string) *local {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	l := &local{stop: cancel, done: make(chan struct{})}
	p := &cli.Process{In: strings.NewReader(""), Out: stdout, Err: &l.log, Env: clitest.Env(), Now: time.Now}
	go func() {
		defer close(l.done)
		defer stdout.Close()
		l.code = newApp().Run(ctx, args, p)
	}()
	t.Cleanup(func() { l.end(t) })
	said := make([]byte, 4096)
	for !strings.Contains(l.said, "Ctrl-C") {
		n, err := out.Read(said)
		if err != nil {
			<-l.done
			t.Fatalf("%v: %s%s", args, l.said, l.log.String())
		}
		l.said += string(said[:n])
	}
	return l
}

// end stops the command and gives its exit status and what it complained of.
func (l *local) end(t *testing.T) (int, string) {
	t.Helper()
	l.stop()
	<-l.done
	return l.code, l.log.String()
}

// find gives the first group of a regular expression in what was said.
func (l *local) find(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(l.said)
	if m == nil {
		t.Fatalf("no %s in: %s", pattern, l.said)
	}
	return m[1]
}

// get gives the body at a URL.
func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v: %s", url, answer.StatusCode, err, body)
	}
	return string(body)
}

func TestIdp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "its keys.json")
	if err := os.WriteFile(file, []byte("those of the last time"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := startLocal(t, "idp", "--port", "0", "--domain", "Example.COM", "--keys-out", file)
	url := l.find(t, `^identity provider: (http://localhost:[0-9]+)\n`)
	if body := get(t, url+"/include.js"); !strings.Contains(body, "navigator.id") {
		t.Error(body)
	}
	keys, err := os.ReadFile(file)
	if err != nil || string(keys) != get(t, url+"/keys.json") || !strings.Contains(l.said, "serve --keys '"+file+"'\n") {
		t.Errorf("%v, keys %s, said %s", err, keys, l.said)
	}
	if code, out, _ := runApp(t, cli.Process{}, "lookup", "example.com", "--keys", file); code != 0 {
		t.Errorf("lookup: %d, %s", code, out)
	}
	// Whatever connections there are, Ctrl-C ends it.
	idle, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	code, complaint := l.end(t)
	if code != 0 || complaint != "WARNING: For development only. This identity provider asks for no password: anyone who uses this machine can sign in as any user of example.com.\n" {
		t.Errorf("status %d: %s", code, complaint)
	}
	if again, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		again.Close()
		t.Error("it still listens")
	}
}

// TestIdpKeysByHand: without --keys-out it tells how to get them.
func TestIdpKeysByHand(t *testing.T) {
	l := startLocal(t, "idp", "--port", "0")
	if fetch := l.find(t, `(?m)^  curl -so keys\.json (.*)$`); !strings.Contains(get(t, fetch), `"idp.localhost"`) {
		t.Errorf("%s has no keys", fetch)
	}
}

func TestIdpRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"idp", "file"},
		{"idp", "--port", port},
		{"idp", "--port", "65536"},
		{"idp", "--port", "0", "--domain", "a b"},
		{"idp", "--port", "0", "--domain", "localhost:8400"},
		{"idp", "--port", "0", "--keys-out", filepath.Join(t.TempDir(), "missing", "keys.json")},
		{"demo", "file"},
		{"demo", "--port", "1"},
	} {
		code, out, complaint := runApp(t, cli.Process{}, args...)
		if code != int(cli.ExitUsage) || out != "" || strings.Count(complaint, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q", args, code, out, complaint)
		}
	}
}

// TestNoOneToTell: without a standard output nobody would find what is served.
func TestNoOneToTell(t *testing.T) {
	for _, args := range [][]string{{"idp", "--port", "0"}, {"demo"}} {
		out, stdout := io.Pipe()
		out.Close()
		p := &cli.Process{In: strings.NewReader(""), Out: stdout, Err: io.Discard, Env: clitest.Env(), Now: time.Now}
		if code := newApp().Run(t.Context(), args, p); code != int(cli.ExitUsage) {
			t.Errorf("%v: status %d", args, code)
		}
	}
}

// TestLocalLimits: the servers for one person read a bounded header.
func TestLocalLimits(t *testing.T) {
	for _, args := range [][]string{{"idp", "--port", "0"}, {"demo"}} {
		l := startLocal(t, args...)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.find(t, `(http://localhost:[0-9]+)`)+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for size, status := range map[int]int{32 << 10: http.StatusOK, 128 << 10: http.StatusRequestHeaderFieldsTooLarge} {
			r.Header.Set("Cookie", "a="+strings.Repeat("x", size))
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != status {
				t.Errorf("%s: %d bytes of header: %d", args[0], size, answer.StatusCode)
			}
		}
	}
}
