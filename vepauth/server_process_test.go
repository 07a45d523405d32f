package vepauth_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/redisstore"
	"github.com/vepverify/vepverify/vepauth"
)

// serverOf is an environment variable. If it is set, this test program runs as a server: the
// value is the URL of its Redis.
const serverOf = "VEPAUTH_SERVER_OF"

func TestMain(m *testing.M) {
	if url := os.Getenv(serverOf); url != "" {
		if err := serveProcess(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// serveProcess serves until standard input ends, which it does when the process of the test
// ends.
func serveProcess(redisURL string) error {
	redisstore.SetLogger(nil)
	// A slow machine must not cause an answer by a timeout.
	store, err := redisstore.Open(redisURL, redisstore.Config{Timeout: 30 * time.Second})
	if err != nil {
		return err
	}
	tokens, err := sharedTokens()
	if err != nil {
		return err
	}
	auth, err := vepauth.New(vepauth.Config{
		Tokens: tokens, Nonces: store, DisableTokenEndpoint: true, PublicOrigin: rp, Leeway: 10 * time.Minute, Logger: discardLog,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: auth.Require(http.HandlerFunc(echo))}
	fmt.Println("addr", listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Shutdown(context.Background())
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return store.Close()
}

// sharedTokens returns the tokens that all servers accept.
func sharedTokens() (*vepauth.SignedTokens, error) {
	return vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Secrets: [][]byte{oldSecret}, Life: time.Hour})
}

// startServer starts a server in a process of its own and returns its address.
func startServer(t *testing.T, redisURL string) (addr string) {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), serverOf+"="+redisURL)
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := process.Wait(); err != nil {
			t.Errorf("a server process: %v", err)
		}
	})
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "addr ")
	}
	if addr == "" {
		t.Fatal("the server process wrote no address")
	}
	return addr
}
