//go:build linux

// Package sshtest runs machines for a test: each is a real sshd on a loopback port, which
// accepts the current user with a key of the test. Sessions of a machine start in a home
// folder of its own, and run programs of its folder bin before those of the test's PATH.
//
//	machines := sshtest.Start(t, "alpha", "beta")
//	cmd.Env = append(os.Environ(), machines.Env()...) // for GNU parallel, which runs ssh
//	machines["beta"].Kill() // as when its power fails
//	machines["beta"].Boot() // same address, same home
//
// If sshd or ssh is not installed, Start ends the test as package testtool does. It changes
// nothing of the system, except that root gets the empty folder /run/sshd, without which
// sshd does not start. The machines are killed when the test ends, and each sshd when the
// test's process dies.
package sshtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/testtool"
)

// bootTimeout is how long sshd may take to start. Only a broken one takes as long.
const bootTimeout = 30 * time.Second

// Machines are machines by their names.
type Machines map[string]*Machine

// Machine is one sshd with a home folder.
type Machine struct {
	t      *testing.T
	sshd   string // the path of the program
	folder string // of the configuration, the log and the home
	port   int
	server *exec.Cmd     // nil if it does not run
	ended  chan struct{} // closed when the server has ended
}

// Start starts machines.
func Start(t *testing.T, names ...string) Machines {
	t.Helper()
	sshd, keygen := program(t, "sshd", "openssh-server"), program(t, "ssh-keygen", "openssh-client")
	program(t, "ssh", "openssh-client")
	if os.Getuid() == 0 {
		check(t, os.MkdirAll("/run/sshd", 0o755))
	}
	all := make(Machines)
	shared := t.TempDir()
	for _, name := range []string{"user", "host"} {
		output, err := exec.CommandContext(t.Context(), keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(shared, name)).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", keygen, err, output)
		}
	}
	for _, name := range names {
		m := &Machine{t: t, sshd: sshd, folder: filepath.Join(shared, name), port: porttest.Free(t)}
		check(t, os.MkdirAll(filepath.Join(m.Home(), "bin"), 0o700))
		m.write("sshd_config", m.config(shared))
		m.Boot()
		t.Cleanup(m.Kill)
		all[name] = m
	}
	all.writeClient(t, shared)
	return all
}

// program returns the path of a program, which may be one for root.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	testtool.Missing(t, debian)
	return ""
}

// config returns the configuration of sshd. The files of the test are below a folder that
// others may write, such as /tmp, so StrictModes would refuse them.
func (m *Machine) config(shared string) string {
	return fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %s
AuthorizedKeysFile %s
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv "HOME=%[4]s" "PATH=%[4]s/bin:%s"
ForceCommand cd %[4]s && exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
`, m.port, filepath.Join(shared, "host"), filepath.Join(shared, "user.pub"), m.Home(), os.Getenv("PATH"))
}

// writeClient writes the configuration of ssh, and the host key that it expects.
func (all Machines) writeClient(t *testing.T, shared string) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(shared, "host.pub"))
	check(t, err)
	var config, known strings.Builder
	for name, m := range all {
		fmt.Fprintf(&config, "Host %s\nPort %d\nHostKeyAlias %s\n", name, m.port, name)
		fmt.Fprintf(&known, "%s %s", name, key)
	}
	fmt.Fprintf(&config, `Host *
HostName 127.0.0.1
IdentityFile %s
IdentitiesOnly yes
UserKnownHostsFile %s
GlobalKnownHostsFile none
StrictHostKeyChecking yes
BatchMode yes
ServerAliveInterval 2
ServerAliveCountMax 3
`, filepath.Join(shared, "user"), filepath.Join(shared, "known_hosts"))
	check(t, os.WriteFile(filepath.Join(shared, "known_hosts"), []byte(known.String()), 0o600))
	check(t, os.WriteFile(filepath.Join(shared, "ssh_config"), []byte(config.String()), 0o600))
}

// Env returns environment variables with which GNU parallel reaches the machines by their
// names, and writes nothing into the user's home.
func (all Machines) Env() []string {
	for _, m := range all {
		shared := filepath.Dir(m.folder)
		return []string{"PARALLEL_SSH=ssh -F " + filepath.Join(shared, "ssh_config"), "HOME=" + shared}
	}
	return nil
}

// Home returns the folder in which sessions start.
func (m *Machine) Home() string { return filepath.Join(m.folder, "home") }

// Program writes a shell script that runs instead of the program of the same name.
func (m *Machine) Program(name, script string) {
	m.t.Helper()
	check(m.t, os.WriteFile(filepath.Join(m.Home(), "bin", name), []byte("#!/bin/sh\n"+script), 0o700))
}

// Boot starts sshd and returns when it accepts connections.
func (m *Machine) Boot() {
	m.t.Helper()
	log, err := os.Create(m.logName())
	check(m.t, err)
	defer log.Close()
	m.server, m.ended = exec.Command(m.sshd, "-D", "-e", "-f", filepath.Join(m.folder, "sshd_config")), make(chan struct{})
	m.server.Stderr = log
	m.server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(m.t, m.server.Start())
	go func() {
		defer close(m.ended)
		_ = m.server.Wait() // the log has the cause
	}()
	m.awaitBoot()
}

// awaitBoot waits until sshd accepts connections.
func (m *Machine) awaitBoot() {
	m.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(bootTimeout)
	for {
		select {
		case <-m.ended:
			m.t.Fatalf("sshd has ended:\n%s", m.log())
		case <-deadline:
			m.t.Fatalf("sshd does not accept connections:\n%s", m.log())
		case <-tick.C:
		}
		if strings.Contains(m.log(), "Server listening on") {
			return
		}
	}
}

// Kill ends sshd and all processes of its sessions at once.
func (m *Machine) Kill() {
	if m.server == nil {
		return
	}
	for _, process := range m.Freeze() {
		_ = syscall.Kill(process, syscall.SIGKILL) // it may have ended
	}
	<-m.ended
	m.server = nil
}

// Freeze stops sshd and all processes of its sessions, as if the network to the machine
// were cut: nothing answers, and no connection ends. It returns the processes.
func (m *Machine) Freeze() (processes []int) {
	for {
		known := len(processes)
		processes = descendants(m.server.Process.Pid)
		for _, process := range processes {
			_ = syscall.Kill(process, syscall.SIGSTOP) // it may have ended
		}
		if len(processes) == known { // none was started before its parent stopped
			return processes
		}
	}
}

// descendants returns a process and those that it and its descendants started.
func descendants(process int) []int {
	all := []int{process}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", process)) // the pattern is valid
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		for _, field := range strings.Fields(string(text)) {
			var child int
			if _, err := fmt.Sscan(field, &child); err == nil {
				all = append(all, descendants(child)...)
			}
		}
	}
	return all
}

func (m *Machine) logName() string { return filepath.Join(m.folder, "sshd.log") }

// log returns what sshd has logged.
func (m *Machine) log() string {
	text, err := os.ReadFile(m.logName())
	check(m.t, err)
	return string(text)
}

func (m *Machine) write(name, text string) {
	m.t.Helper()
	check(m.t, os.WriteFile(filepath.Join(m.folder, name), []byte(text), 0o600))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
