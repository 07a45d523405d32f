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

// orphan is set in the environment of this test's own program, when it runs
// as the process that dies.
const orphan = "REDISTEST_ORPHAN"

// TestDiesWithTheProcess kills a test's process, which cannot clean up.
func TestDiesWithTheProcess(t *testing.T) {
	if os.Getenv(orphan) != "" {
		fmt.Println("addr", redistest.Start(t).Addr())
		select {}
	}
	redistest.Start(t) // or skip
	addr := killedParent(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		if _, err := ask(t, addr, "PING"); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server outlives the test's process")
		}
	}
}

// killedParent runs this test in another process, kills it, and gives the
// address of the server that it had started.
func killedParent(t *testing.T) string {
	t.Helper()
	parent := exec.Command(os.Args[0], "-test.run=^TestDiesWithTheProcess$")
	parent.Env = append(os.Environ(), orphan+"=1", "TMPDIR="+t.TempDir()) // what it leaves behind goes with this test
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
		t.Fatal("the other process told no address")
	}
	return addr
}
