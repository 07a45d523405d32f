package fetch_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/fetch"
)

const remote = "remote text"

// TestClientFirstConn checks that nothing can be read from a host before it is asked,
// because net/http would log it.
func TestClientFirstConn(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn := fetch.NewClientFirstConn(near)
	read := make(chan error)
	go func() {
		_, err := io.ReadFull(conn, make([]byte, len(remote)))
		read <- err
	}()
	far.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := io.WriteString(far, remote); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes read before anything was written, %v", n, err)
	}
	far.SetWriteDeadline(time.Time{})
	go io.WriteString(conn, "?")
	io.ReadFull(far, make([]byte, 1))
	io.WriteString(far, remote)
	if err := <-read; err != nil {
		t.Error(err)
	}
	// Close ends a Read that waits.
	conn = fetch.NewClientFirstConn(near)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		read <- err
	}()
	conn.Close()
	if err := <-read; err == nil {
		t.Error("read from a closed connection")
	}
}
