package redistest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/internal/redistest"
)

func TestMain(m *testing.M) {
	code := redistest.Run(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
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

func TestClusterFailover(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1, "--cluster-node-timeout", "1000")
	c.Masters()[0].Kill()
	c.AwaitFailover(t, c.Replica(0))
	c.Masters()[0].Restart()
}

func TestSentinelFailover(t *testing.T) {
	master := redistest.Start(t)
	replica := redistest.StartReplica(t, master.Addr())
	s := redistest.StartSentinels(t, "m", master.Addr(), 1)
	expect(t, s.Nodes[0].Addr(), "SENTINEL SET m quorum 2", "+OK")
	master.Kill()
	s.AwaitMaster(t, replica.Addr())
}

func TestFreeze(t *testing.T) {
	server := redistest.Start(t)
	server.Freeze()
	server.Thaw()
	expect(t, server.Addr(), "PING", "+PONG")
}
