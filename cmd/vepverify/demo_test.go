package main

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/devidp"
)

// TestDemo: everything is at the printed URLs. A second demo uses other ports and names
// those that are in use.
func TestDemo(t *testing.T) {
	urls := make(map[string]bool)
	for i := range 2 {
		l := startLocal(t, "demo")
		for pattern, body := range map[string]string{
			`^Open this page in a browser: (http://localhost:[0-9]+/)\n`:    "browserid-login",
			`(?m)^identity provider: +(http://localhost:[0-9]+)$`:           "identity provider",
			`(?m)^  curl -fsSo client\.json (http://localhost:[0-9]+/\S+)$`: "privateKey",
		} {
			url := l.find(t, pattern)
			if got := get(t, url); !strings.Contains(got, body) {
				t.Errorf("%s: %s", url, got)
			}
			if urls[url] {
				t.Errorf("two demos at %s", url)
			}
			urls[url] = true
		}
		resource := l.find(t, `(?m)^protected resource: +(http://localhost:[0-9]+/\S+)$`)
		if !strings.Contains(l.printed, " request "+resource+" --identity client.json --explain\n") {
			t.Errorf("no request for %s: %s", resource, l.printed)
		}
		checkForward(t, l, l.find(t, `identity provider: +http://localhost:([0-9]+)`), l.find(t, `browser: http://localhost:([0-9]+)/`))
		defer func() {
			code, stderr := l.end(t)
			if code != 0 || strings.Count(stderr, "WARNING: ") != 1 {
				t.Errorf("status %d: %s", code, stderr)
			}
			if second := i == 1; second {
				for _, want := range []string{"localhost:8400: the port is in use", "localhost:8401: the port is in use"} {
					if !strings.Contains(stderr, want) {
						t.Errorf("no %q in %s", want, stderr)
					}
				}
			}
		}()
	}
}

// checkForward checks that the server prints a line for ssh that forwards the ports, each to
// the same number.
func checkForward(t *testing.T, l *localServer, ports ...string) {
	t.Helper()
	line := "  ssh -N "
	for _, port := range ports {
		line += "-L " + port + ":127.0.0.1:" + port + " "
	}
	if line += "HOST\n"; !strings.Contains(l.printed, line) {
		t.Errorf("no %q in: %s", line, l.printed)
	}
}

// TestDemoPort: with --port, the provider and the site have that port and the next, or the
// demo ends. Port 0 means free ports.
func TestDemoPort(t *testing.T) {
	l := startLocal(t, "demo", "--port", "0")
	taken := l.find(t, `identity provider: +http://localhost:([0-9]+)`)
	if code, out, stderr := runApp(t, cli.Process{}, "demo", "--port", taken); code != int(cli.ExitUsage) || out != "" ||
		!strings.Contains(stderr, ":"+taken+": the port is in use") || !strings.Contains(stderr, "--port") {
		t.Errorf("status %d, %q, %q", code, out, stderr)
	}
	if _, stderr := l.end(t); strings.Contains(stderr, "NOTE") {
		t.Error(stderr)
	}
	first, second := twoPorts(t)
	l = startLocal(t, "demo", "--port", first)
	checkForward(t, l, first, second)
	get(t, "http://localhost:"+second+"/")
}

// twoPorts returns two consecutive ports that are free.
func twoPorts(t *testing.T) (first, second string) {
	t.Helper()
	for range 100 {
		a, err := devidp.Listen("localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.Addr().(*net.TCPAddr).Port
		b, err := devidp.Listen(fmt.Sprintf("localhost:%d", port+1))
		_ = a.Close() // only tested
		if err == nil {
			_ = b.Close()
			return fmt.Sprint(port), fmt.Sprint(port + 1)
		}
	}
	t.Fatal("no two consecutive ports are free")
	return "", ""
}

// TestDemoDocument runs the commands of docs/DEMO.md. The lines that the document shows must
// be printed, apart from the ports.
func TestDemoDocument(t *testing.T) {
	document, err := os.ReadFile("../../docs/DEMO.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	port := regexp.MustCompile(`localhost:[0-9]+`)
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(document), -1) {
		for _, shown := range strings.Split(block[1], "$ vepverify ")[1:] {
			line, want, _ := strings.Cut(shown, "\n")
			args := strings.Fields(line)
			if args[0] != "demo" && args[0] != "idp" {
				continue
			}
			l := startLocal(t, append(args, "--port", "0")...)
			if got := port.ReplaceAllString(l.printed, "localhost:0"); !strings.Contains(got, port.ReplaceAllString(want, "localhost:0")) {
				t.Errorf("%s: %s", line, got)
			}
			ran++
		}
	}
	if ran < 2 {
		t.Errorf("%d commands found", ran)
	}
	verify := "assertion.txt --audience http://localhost:8080 --keys keys.json"
	if !strings.Contains(string(document), "$ vepverify "+verify+"\n") {
		t.Errorf("the document does not have: %s", verify)
	}
	runInto(t, "keys.json", "keygen --out issuer.key --bundle idp.localhost")
	runInto(t, "out.txt", "certify --key issuer.key --issuer idp.localhost --email ada@idp.localhost --out ada.json")
	runInto(t, "assertion.txt", "assert --identity ada.json --audience http://localhost:8080")
	runInto(t, "out.txt", verify)
}

// runInto runs a command, which must succeed, and writes its output into a file.
func runInto(t *testing.T, file, line string) {
	t.Helper()
	code, out, stderr := runApp(t, cli.Process{}, strings.Fields(line)...)
	if code != int(cli.ExitOkay) {
		t.Fatalf("%s: status %d, %s", line, code, stderr)
	}
	if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
}
