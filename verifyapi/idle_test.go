package verifyapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/verifyapi"
)

// idleClients is the environment variable that makes the test binary open idle
// connections to an address.
const idleClients = "VERIFYAPI_TEST_IDLE_CLIENTS"

// idleConnections is the number of idle connections. The race detector supports at
// most 8128 goroutines.
var idleConnections = 10_000

// TestIdleConnections checks that idle connections do not disturb other requests.
// Another process opens them, because the number of open files of a process is
// limited.
func TestIdleConnections(t *testing.T) {
	want, limit := idleConnections, openFiles(t)
	if room := limit - 200; room < want {
		want = room
		t.Logf("only %d connections: a process may have %d files open", want, limit)
	}
	if want < 1000 {
		t.Skipf("a process may have only %d files open", limit)
	}
	s := serve(t, verifyapi.Config{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	clients := exec.Command(self)
	clients.Env = append(os.Environ(), idleClients+"="+fmt.Sprintf("%s %d", s.addr, want))
	clients.Stderr = os.Stderr
	in, err := clients.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := clients.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := clients.Start(); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Errorf("the clients print %q, %v", line, err)
	}
	for range 20 {
		s.checkServes(t)
	}
	in.Close()
	if err := clients.Wait(); err != nil {
		t.Error(err)
	}
	s.checkServes(t)
}

// holdConnections opens connections and keeps them until its input ends: a third
// of them sends nothing, a third half a header, a third a whole request.
func holdConnections(order string) int {
	var addr string
	var n int
	if _, err := fmt.Sscan(order, &addr, &n); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		var err error
		if conns[i], err = net.Dial("tcp", addr); err == nil {
			err = prepare(conns[i], i)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, i, err)
			return 1
		}
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	for _, conn := range conns {
		conn.Close()
	}
	return 0
}

func prepare(conn net.Conn, i int) error {
	switch i % 3 {
	case 0:
		return nil
	case 1:
		_, err := io.WriteString(conn, "POST /v2 HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		return err
	}
	if _, err := io.WriteString(conn, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	read, err := conn.Read(answer)
	if err == nil && !strings.HasPrefix(string(answer[:read]), "HTTP/1.1 200 ") {
		err = fmt.Errorf("%.100q", answer[:read])
	}
	return err
}
