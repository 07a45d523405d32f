package verifyapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/vepverify/vepverify/verifyapi"
)

// crowdAddress is the environment variable that makes the test binary a crowd.
const crowdAddress = "VERIFYAPI_TEST_CROWD"

// crowdSize is how many connections may be idle at once: the race detector takes
// no more than 8128 goroutines.
var crowdSize = 10_000

// TestIdleConnections: connections on which nothing happens are nobody's concern.
// Those who hold them are another process, because a process may have only so
// many files open.
func TestIdleConnections(t *testing.T) {
	want := crowdSize
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if room := int(min(limit.Cur, 1<<20)) - 200; room < want {
		want = room
		t.Logf("only %d connections: a process may have %d files open", want, limit.Cur)
	}
	if want < 1000 {
		t.Skipf("a process may have only %d files open", limit.Cur)
	}
	s := serve(t, verifyapi.Config{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	crowd := exec.Command(self)
	crowd.Env = append(os.Environ(), crowdAddress+"="+fmt.Sprintf("%s %d", s.addr, want))
	crowd.Stderr = os.Stderr
	in, err := crowd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := crowd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := crowd.Start(); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Errorf("the crowd says %q, %v", line, err)
	}
	for range 20 {
		s.wellAsEver(t)
	}
	in.Close()
	if err := crowd.Wait(); err != nil {
		t.Error(err)
	}
	s.wellAsEver(t)
}

// crowd opens connections and leaves them until its input ends: a third of them
// silent, a third in the middle of a header, a third after an answer.
func crowd(order string) int {
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
			err = settle(conns[i], i)
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

func settle(conn net.Conn, i int) error {
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
