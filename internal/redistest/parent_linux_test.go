package redistest_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/redistest"
)

// orphan is an environment variable that is set in the process that is killed.
const orphan = "REDISTEST_ORPHAN"

// TestDiesWithTheProcess kills the process of a test, so that the test cannot clean up.
func TestDiesWithTheProcess(t *testing.T) {
	if os.Getenv(orphan) != "" {
		fmt.Println("addr", redistest.Start(t).Addr())
		select {}
	}
	redistest.Start(t) // skips the test without a redis-server
	addr := killedParent(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		if _, err := ask(t, addr, "PING"); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server still runs after the test's process was killed")
		}
	}
}

// killedParent runs this test in another process, kills that process, and returns
// the address of the server that it had started.
func killedParent(t *testing.T) string {
	t.Helper()
	parent := exec.Command(os.Args[0], "-test.run=^TestDiesWithTheProcess$")
	parent.Env = append(os.Environ(), orphan+"=1", "TMPDIR="+t.TempDir()) // removed after this test
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var addr string
	for addr == "" && lines.Scan() {
		if a, ok := strings.CutPrefix(lines.Text(), "addr "); ok {
			addr = a
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	if addr == "" {
		t.Fatal("the other process printed no address")
	}
	return addr
}
