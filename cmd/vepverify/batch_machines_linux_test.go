package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/sshtest"
	"github.com/vepverify/vepverify/internal/testtool"
)

// machines are two machines, and a folder with the files of docs/BATCH.md.
type machines struct {
	t           *testing.T
	alpha, beta *sshtest.Machine
	folder      string
	env         []string
	commands    []shownCommand // of docs/BATCH.md, for several machines
}

// newMachines runs the commands of docs/BATCH.md that make the files, and starts the machines.
func newMachines(t *testing.T) *machines {
	t.Helper()
	needGNUParallel(t)
	testtool.Path(t, "rsync")
	all := sshtest.Start(t, "alpha", "beta")
	m := &machines{t: t, alpha: all["alpha"], beta: all["beta"], folder: t.TempDir(), env: all.Env()}
	var one []shownCommand
	one, m.commands = batchCommands(t)
	for _, c := range one {
		if !strings.Contains(c.line, "parallel") {
			c.run(t, m.folder)
		}
	}
	return m
}

// command returns the command of the document that begins with a text.
func (m *machines) command(prefix string) string {
	m.t.Helper()
	for _, c := range m.commands {
		if strings.HasPrefix(c.line, prefix) {
			return c.line
		}
	}
	m.t.Fatalf("the document has no command %s", prefix)
	return ""
}

// hangsOnce is a vepverify that hangs in its first run, after some answers. Later runs
// answer all.
const hangsOnce = `PATH=${PATH#*:}
mkdir "$HOME/begun" 2>/dev/null || exec vepverify "$@"
vepverify "$@" | { head -n 20; mkdir "$HOME/answering"; exec sleep 600; }
`

// runUntil runs a command. While beta, and nothing else of beta, is answering lines, it calls
// gone. It returns the error of the command.
func (m *machines) runUntil(line string, gone func(*exec.Cmd)) error {
	m.t.Helper()
	m.beta.Program("vepverify", hangsOnce)
	var output bytes.Buffer
	cmd := shell(m.t, m.folder, "exec "+line, m.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			m.t.Fatalf("%s: has ended before beta answered (%v):\n%s", line, err, &output)
		case <-tick.C:
		}
		if _, err := os.Stat(filepath.Join(m.beta.Home(), "answering")); err == nil {
			break
		}
	}
	gone(cmd)
	err := <-ended
	m.t.Logf("%v:\n%s", err, &output)
	return err
}

// sameAnswers fails the test unless a file has the answers of one process.
func (m *machines) sameAnswers(name string) {
	m.t.Helper()
	if got := m.read(name); !bytes.Equal(got, m.read("answers.ndjson")) {
		m.t.Errorf("%s: %d lines, not the answers of one process", name, bytes.Count(got, []byte("\n")))
	}
}

func (m *machines) read(name string) []byte {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.folder, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return text
}

// TestBatchMachines runs the commands of docs/BATCH.md for several machines.
func TestBatchMachines(t *testing.T) {
	m := newMachines(t)
	for _, c := range m.commands {
		c.run(t, m.folder, m.env...)
	}
	log := string(m.read("jobs.log"))
	for _, name := range []string{"\talpha\t", "\tbeta\t"} {
		if !strings.Contains(log, name) {
			t.Errorf("no part was answered by%s:\n%s", name, log)
		}
	}
}

// TestBatchMachineGone checks that nothing is lost if a machine goes away while it answers.
func TestBatchMachineGone(t *testing.T) {
	for _, c := range []struct {
		name, command string
		gone          func(*sshtest.Machine)
	}{
		{"killed", "parallel --pipe", (*sshtest.Machine).Kill},
		{"network cut", "parallel --pipe", func(m *sshtest.Machine) { m.Freeze() }},
		{"killed, with halt", "parallel --halt now,fail=1 --pipe", (*sshtest.Machine).Kill},
		{"killed, with files", "parallel --retries", (*sshtest.Machine).Kill},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMachines(t)
			shown := strings.Replace(c.command, "--halt now,fail=1 ", "", 1)
			line := strings.Replace(m.command(shown), shown, c.command, 1)
			runInShell(t, m.folder, m.command("split"))
			if err := m.runUntil(line, func(*exec.Cmd) { c.gone(m.beta) }); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			if c.command == "parallel --retries" {
				runInShell(t, m.folder, "cat answers/part.???? > machines.ndjson")
			}
			m.sameAnswers("machines.ndjson")
		})
	}
}

// TestBatchWithoutRetries checks that answers which are lost are not a success.
func TestBatchWithoutRetries(t *testing.T) {
	m := newMachines(t)
	line := strings.Replace(m.command("parallel --pipe"), "--retries 3 ", "", 1)
	if err := m.runUntil(line, func(*exec.Cmd) { m.beta.Kill() }); err == nil {
		t.Error("the exit status is 0")
	}
}

// TestBatchResumes checks that a run is continued with --resume-failed after all machines or
// parallel have gone away.
func TestBatchResumes(t *testing.T) {
	for name, gone := range map[string]func(*machines, *exec.Cmd){
		"all machines": func(m *machines, _ *exec.Cmd) { m.alpha.Kill(); m.beta.Kill() },
		"parallel":     func(_ *machines, cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachines(t)
			runInShell(t, m.folder, m.command("split"))
			if err := m.runUntil(m.command("parallel --retries"), func(cmd *exec.Cmd) { gone(m, cmd) }); err == nil {
				t.Error("the exit status is 0")
			}
			m.partsAreWhole()
			for _, machine := range []*sshtest.Machine{m.alpha, m.beta} {
				machine.Kill()
				machine.Boot()
			}
			runInShell(t, m.folder, m.command("parallel --resume-failed"), m.env...)
			runInShell(t, m.folder, "cat answers/part.???? > machines.ndjson")
			m.sameAnswers("machines.ndjson")
		})
	}
}

// partsAreWhole checks that the parts that are done have all of their answers.
func (m *machines) partsAreWhole() {
	m.t.Helper()
	log := string(m.read("jobs.log"))
	m.t.Log(log)
	for _, line := range strings.Split(strings.TrimSuffix(log, "\n"), "\n")[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != 9 {
			m.t.Fatalf("jobs.log: %q", line)
		}
		if status, command := fields[6], fields[8]; status == "0" {
			text := m.read("answers/" + command[strings.LastIndex(command, " ")+1:])
			if bytes.Count(text, []byte("\n")) != 500 || !bytes.Contains(m.read("answers.ndjson"), text) {
				m.t.Errorf("not whole: %s", line)
			}
		}
	}
}
