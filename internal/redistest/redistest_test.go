package redistest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/internal/redistest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// ask sends an inline command and returns the first line of the answer.
func ask(t testing.TB, addr, command string) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

func expect(t testing.TB, addr, command, want string) {
	t.Helper()
	if got, err := ask(t, addr, command); err != nil || got != want+"\r\n" {
		t.Fatalf("%s: %q, %v; want %q", command, got, err, want)
	}
}

func TestRestartKeepsData(t *testing.T) {
	server := redistest.Start(t)
	addr, url := server.Addr(), server.URL()
	if url != "redis://"+addr {
		t.Errorf("URL %q, Addr %q", url, addr)
	}
	for i := range 100 {
		expect(t, addr, fmt.Sprintf("SET %d x", i), "+OK")
	}
	server.Kill()
	server.Kill()
	if answer, err := ask(t, addr, "PING"); err == nil {
		t.Fatalf("a killed server answers %q", answer)
	}
	server.Restart()
	expect(t, addr, "DBSIZE", ":100")
	server.Restart() // kills it first
	expect(t, addr, "DBSIZE", ":100")
	if server.Addr() != addr {
		t.Errorf("another address, %s", server.Addr())
	}
}

func TestArguments(t *testing.T) {
	expect(t, redistest.Start(t, "--databases", "3").Addr(), "SELECT 3", "-ERR DB index is out of range")
}

func TestEndsWithTheTest(t *testing.T) {
	var addr string
	t.Run("inner", func(t *testing.T) { addr = redistest.Start(t).Addr() })
	if answer, err := ask(t, addr, "PING"); err == nil {
		t.Errorf("still answers %q", answer)
	}
}
