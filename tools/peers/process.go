package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// ask runs a program with a question on its standard input, as JSON, and decodes what it
// writes on its standard output.
func ask(ctx context.Context, question, answer any, program string, args ...string) error {
	input, err := json.Marshal(question)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Stdin, c.Stderr = bytes.NewReader(input), os.Stderr
	output, err := c.Output()
	if err != nil {
		return fmt.Errorf("%s %v: %w", program, args, err)
	}
	if err := json.Unmarshal(output, answer); err != nil {
		return fmt.Errorf("%s %v: %w", program, args, err)
	}
	return nil
}

// askNode runs a script of the folder npm. The script run has set NODE_PATH to the
// packages.
func askNode(ctx context.Context, question, answer any, script string) error {
	return ask(ctx, question, answer, "node", "npm/"+script)
}

// askPython runs a script with Debian's own interpreter: another one may not have Debian's
// packages.
func askPython(ctx context.Context, question, answer any, script string) error {
	return ask(ctx, question, answer, "/usr/bin/python3", script)
}

// startServer starts a program with additional variables, and returns the first line that it
// prints. The function stop ends it.
func startServer(ctx context.Context, variables []string, program string, args ...string) (line string, stop func(), err error) {
	c := exec.CommandContext(ctx, program, args...)
	c.Env, c.Stderr = append(os.Environ(), variables...), os.Stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := c.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		// If it has ended before, the requests to it have failed.
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}
	line, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("%s %v printed no line: %w", program, args, err)
	}
	return strings.TrimSpace(line), stop, nil
}
