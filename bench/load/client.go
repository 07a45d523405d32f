package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/bench/internal/workload"
)

// verdict is the outcome of one request.
type verdict byte

const (
	okay verdict = iota
	failure
	undecided
	refused // 4xx
	shed    // 503
	broken  // no answer, or a malformed one
	verdicts
)

var verdictNames = [verdicts]string{"okay", "failure", "undecided", "refused", "shed", "broken"}

// request returns the bytes of a request that verifies an assertion.
func request(assertion string) []byte {
	return post(body(assertion))
}

func body(assertion string) []byte {
	return fmt.Appendf(nil, `{"assertion":%q,"audience":%q}`, assertion, workload.Audience)
}

// post returns the bytes of a request with the body.
func post(body []byte) []byte {
	head := fmt.Appendf(nil, "POST /v2 HTTP/1.1\r\nHost: verifier\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	return append(head, body...)
}

// client is a keep-alive connection. It is small because net/http's client would take
// most of the processor time that the service needs.
type client struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

// answerTimeout is how long an answer may take. After that the connection counts as
// broken.
const answerTimeout = 30 * time.Second

// ask sends a request and reads its answer, over a new connection if the previous one was
// closed.
func (c *client) ask(request []byte) verdict {
	if c.conn == nil && c.dial() != nil {
		return broken
	}
	v, err := c.exchange(request)
	if err != nil {
		c.close()
		return broken
	}
	return v
}

func (c *client) dial() error {
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return err
	}
	c.conn, c.in = conn, bufio.NewReaderSize(conn, 8<<10)
	return nil
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *client) exchange(request []byte) (verdict, error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return broken, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return broken, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil || len(line) < len("HTTP/1.1 200") {
		return broken, fmt.Errorf("no status line: %w", err)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return broken, err
	}
	last, err := c.rest()
	if last {
		defer c.close()
	}
	if err != nil {
		return broken, err
	}
	return c.verdict(status), nil
}

// rest reads header and body. last reports whether the connection ends after them.
func (c *client) rest() (last bool, err error) {
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return last, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Content-Length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return last, err
			}
		case "Connection":
			last = string(value) == "close"
		}
	}
	if length < 0 && last {
		c.body, err = io.ReadAll(c.in)
		return last, err
	}
	if length < 0 {
		return last, errors.New("an answer without a length")
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.in, c.body)
	return last, err
}

func (c *client) verdict(status int) verdict {
	switch {
	case status == 503:
		return shed
	case status >= 400 && status < 500:
		return refused
	case status != 200:
		return broken
	case bytes.Contains(c.body, []byte(`"status":"okay"`)):
		return okay
	case bytes.Contains(c.body, []byte(`"undecided":true`)):
		return undecided
	}
	return failure
}
