package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
)

// peer is a process that answers requests, both in JSON.
type peer struct {
	process *exec.Cmd
	stdin   io.WriteCloser
	ask     *json.Encoder
	answers *json.Decoder
}

func startPeer(c *exec.Cmd) (*peer, error) {
	c.Stderr = os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return &peer{c, stdin, json.NewEncoder(stdin), json.NewDecoder(stdout)}, nil
}

func (p *peer) exchange(question, answer any) error {
	if err := p.ask.Encode(question); err != nil {
		return err
	}
	return p.answers.Decode(answer)
}

// Close closes the process's standard input, which ends it, and waits.
func (p *peer) Close() {
	p.stdin.Close()
	_ = p.process.Wait() // its exit status does not change the figures
}
