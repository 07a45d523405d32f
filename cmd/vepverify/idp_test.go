package main

import (
	"bytes"
	"context"
	"crypto/tls"
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

// localServer is a command that serves on this machine, within the test.
type localServer struct {
	printed string // standard output so far
	stop    context.CancelFunc
	done    chan struct{}
	code    int
	log     bytes.Buffer // standard error, once done
}

// startLocal starts the command and waits until it has printed all of its text.
func startLocal(t *testing.T, args ...string) *localServer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	l := &localServer{stop: cancel, done: make(chan struct{})}
	p := &cli.Process{In: strings.NewReader(""), Out: stdout, Err: &l.log, Env: clitest.Env(), Now: time.Now}
	go func() {
		defer close(l.done)
		defer stdout.Close()
		l.code = newApp().Run(ctx, args, p)
	}()
	t.Cleanup(func() { l.end(t) })
	text := make([]byte, 4096)
	for !strings.Contains(l.printed, "Ctrl-C") {
		n, err := out.Read(text)
		if err != nil {
			<-l.done
			t.Fatalf("%v: %s%s", args, l.printed, l.log.String())
		}
		l.printed += string(text[:n])
	}
	return l
}

// end stops the command and returns its exit status and standard error.
func (l *localServer) end(t *testing.T) (int, string) {
	t.Helper()
	l.stop()
	<-l.done
	return l.code, l.log.String()
}

// find returns the first group of a regular expression in standard output.
func (l *localServer) find(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(l.printed)
	if m == nil {
		t.Fatalf("no %s in: %s", pattern, l.printed)
	}
	return m[1]
}

// get returns the body at a URL.
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
	if err := os.WriteFile(file, []byte(`{"other.example":null}`), 0o600); err != nil {
		t.Fatal(err)
	}
	l := startLocal(t, "idp", "--port", "0", "--domain", "Example.COM", "--keys-out", file)
	url := l.find(t, `^identity provider: (http://localhost:[0-9]+)\n`)
	if body := get(t, url+"/include.js"); !strings.Contains(body, "navigator.id") {
		t.Error(body)
	}
	if document := get(t, l.find(t, `(?m)^its document: +(\S+)$`)); !strings.Contains(document, "public-key") {
		t.Error(document)
	}
	checkForward(t, l, l.find(t, `^identity provider: http://localhost:([0-9]+)\n`))
	keys, err := os.ReadFile(file)
	if err != nil || string(keys) != get(t, url+"/keys.json") || !strings.Contains(l.printed, "serve --keys '"+file+"'\n") {
		t.Errorf("%v, keys %s, printed %s", err, keys, l.printed)
	}
	if code, out, _ := runApp(t, cli.Process{}, "lookup", "example.com", "--keys", file); code != 0 {
		t.Errorf("lookup: %d, %s", code, out)
	}
	// An interrupt ends it although there is an open connection.
	idle, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	code, stderr := l.end(t)
	if code != 0 || stderr != "WARNING: For development only. This identity provider asks for no password: anyone who uses this machine can sign in as any user of example.com.\n"+
		"WARNING: Verifiers that have its keys trust it in place of the real identity provider of example.com, if there is one.\n" {
		t.Errorf("status %d: %s", code, stderr)
	}
	if again, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		again.Close()
		t.Error("it still listens")
	}
}

// TestIdpKeysCommand: without --keys-out it prints a command that fetches the keys.
func TestIdpKeysCommand(t *testing.T) {
	l := startLocal(t, "idp", "--port", "0")
	if fetch := l.find(t, `(?m)^  curl -fsSo keys\.json (.*)$`); !strings.Contains(get(t, fetch), `"idp.localhost"`) {
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
		{"demo", "--port", "65535"},
	} {
		code, out, stderr := runApp(t, cli.Process{}, args...)
		if code != int(cli.ExitUsage) || out != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q", args, code, out, stderr)
		}
	}
}

// TestIdpDomain: a domain that is not one names the domain that was meant.
func TestIdpDomain(t *testing.T) {
	for text, want := range map[string]string{
		"https://idp.example":              "idp.example",
		"https://IDP.example/path?query#a": "idp.example",
		"http://idp.example:8400/":         "idp.example",
		"ada@idp.example":                  "idp.example",
		"idp.example:8400":                 "idp.example",
		"idp.example/":                     "idp.example",
		"idp.example.":                     "idp.example",
		"https://bücher.example/":          "xn--bcher-kva.example",
		"a b":                              "",
		"https://":                         "",
		"@":                                "",
		"..":                               "",
	} {
		code, out, stderr := runApp(t, cli.Process{}, "idp", "--port", "0", "--domain", text)
		found := strings.Contains(stderr, ": perhaps "+want+" (see")
		if code != int(cli.ExitUsage) || out != "" || found != (want != "") || !strings.Contains(stderr, "not a domain") {
			t.Errorf("%s: status %d, %q, %q", text, code, out, stderr)
		}
	}
	l := startLocal(t, "idp", "--port", "0", "--domain", "Bücher.localhost")
	if got := l.find(t, `for addresses at: +(\S+)`); got != "xn--bcher-kva.localhost" {
		t.Error(got)
	}
	if _, stderr := l.end(t); strings.Count(stderr, "WARNING") != 1 {
		t.Error(stderr)
	}
}

// TestIdpPort: the error about a port that is in use names the port and the flag.
func TestIdpPort(t *testing.T) {
	l := startLocal(t, "idp", "--port", "0")
	port := l.find(t, `^identity provider: http://localhost:([0-9]+)\n`)
	if code, _, stderr := runApp(t, cli.Process{}, "idp", "--port", port); code != int(cli.ExitUsage) ||
		!strings.Contains(stderr, ":"+port+": the port is in use") || !strings.Contains(stderr, "--port") {
		t.Errorf("status %d, %q", code, stderr)
	}
}

// TestClosedOutput: a service ends if its address cannot be printed.
func TestClosedOutput(t *testing.T) {
	for _, args := range [][]string{{"idp", "--port", "0"}, {"demo"}} {
		out, stdout := io.Pipe()
		out.Close()
		p := &cli.Process{In: strings.NewReader(""), Out: stdout, Err: io.Discard, Env: clitest.Env(), Now: time.Now}
		if code := newApp().Run(t.Context(), args, p); code != int(cli.ExitUsage) {
			t.Errorf("%v: status %d", args, code)
		}
	}
}

// TestLocalLimits: the local servers limit the size of a header.
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

// TestLocalTLS: a client that begins with TLS is named once in the terminal.
func TestLocalTLS(t *testing.T) {
	for _, args := range [][]string{{"idp", "--port", "0"}, {"demo", "--port", "0"}} {
		l := startLocal(t, args...)
		origin := l.find(t, `(http://localhost:[0-9]+)`)
		for range 2 {
			if c, err := tls.Dial("tcp", strings.TrimPrefix(origin, "http://"), &tls.Config{ServerName: "localhost"}); err == nil {
				_ = c.Close()
				t.Errorf("%s speaks TLS", args[0])
			}
		}
		get(t, origin+"/")
		if _, stderr := l.end(t); strings.Count(stderr, "NOTE: ") != 1 || !strings.Contains(stderr, "Open "+origin+"/.") {
			t.Errorf("%s: %s", args[0], stderr)
		}
	}
}
