package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/testtool"
)

// TestVepauthDocs runs the commands of docs/VEPAUTH.md in the order of the text, and
// compares their output with that in the text, except times and sizes. The examples
// are built first. The server listens on a free port.
func TestVepauthDocs(t *testing.T) {
	testtool.Path(t, "curl")
	text, err := os.ReadFile("../../docs/VEPAUTH.md")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	examples := filepath.Join(folder, "examples") + string(filepath.Separator)
	build := exec.Command("go", "build", "-o", examples, "./examples/vepauth/...")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const shownAddress = "localhost:8080"
	address, commands := shownAddress, 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, shown := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, want, _ := strings.Cut(strings.TrimSuffix(shown, "\n")+"\n", "\n")
			line = strings.ReplaceAll(line, "go run ./examples/vepauth/", examples)
			if server, ok := strings.CutSuffix(line, " &"); ok {
				address = startExample(t, folder, strings.Fields(server))
				continue
			}
			got := runInShell(t, folder, "export LC_ALL=C.UTF-8; "+strings.ReplaceAll(line, shownAddress, address))
			got = strings.ReplaceAll(strings.ReplaceAll(got, address, shownAddress), "\r", "")
			if maskMoment(got) != maskMoment(want) {
				t.Errorf("%s:\n%s\nThe page says:\n%s", line, got, want)
			}
			commands++
		}
	}
	if commands < 10 {
		t.Errorf("only %d commands found", commands)
	}
}

// startExample starts the server on a free port and returns its address when it
// listens.
func startExample(t *testing.T, folder string, args []string) string {
	t.Helper()
	for range 3 {
		free, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(free.Addr().String())
		free.Close()
		address := "localhost:" + port
		server := exec.Command(args[0], append(args[1:len(args):len(args)], "--address", address)...)
		server.Dir = folder
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			server.Wait()
			close(ended)
		}()
		t.Cleanup(func() {
			server.Process.Kill()
			<-ended
		})
		if listens(address, ended) {
			return address
		}
	}
	t.Fatal("the server does not listen")
	return ""
}

// listens waits until the server listens or has ended. It reports whether it listens.
func listens(address string, ended <-chan struct{}) bool {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return false
}

func maskMoment(s string) string {
	s = regexp.MustCompile(`[0-9]+ bytes`).ReplaceAllString(s, "N bytes")
	s = regexp.MustCompile(`timestamp="[0-9]{10}"`).ReplaceAllString(s, `timestamp="TIME"`)
	return regexp.MustCompile(`Date: .* GMT`).ReplaceAllString(s, "Date: TIME")
}
