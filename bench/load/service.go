package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// service is a running vepverify serve.
type service struct {
	Addr    string // host:port
	metrics string // URL
	process *os.Process
	ended   chan error
}

// startService runs the command with more flags, and waits until it listens.
func startService(o options, n *network, more ...string) (*service, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--proxy", n.URL, "--ca-file", n.CAFile,
		"--metrics-address", metrics, "--log-level", "error"}, more...)
	s, err := startServer(exec.Command(o.binary, args...))
	if err == nil {
		s.metrics = "http://" + metrics + "/metrics"
	}
	return s, err
}

// startServer starts a process, and waits until it prints the address where it listens on
// standard output, as vepverify serve does.
func startServer(cmd *exec.Cmd) (*service, error) {
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &service{process: cmd.Process, ended: make(chan error, 1)}
	lines := bufio.NewScanner(stdout)
	found := lines.Scan()
	go func() {
		_, _ = io.Copy(io.Discard, stdout)
		s.ended <- cmd.Wait()
	}()
	if !found {
		return nil, fmt.Errorf("the service did not start: %w", <-s.ended)
	}
	var running struct{ Fields struct{ URL string } }
	if err := json.Unmarshal(lines.Bytes(), &running); err != nil {
		return nil, err
	}
	s.Addr = strings.TrimPrefix(running.Fields.URL, "http://")
	return s, nil
}

// freeAddress returns an address that is not in use.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Stop sends SIGTERM, and returns an error if the process fails.
func (s *service) Stop() error {
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-s.ended
}

// Resident returns the process's resident memory, in bytes.
func (s *service) Resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("/proc has no resident memory")
}
