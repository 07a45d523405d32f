package wellknown

import (
	"errors"
	"net"
	"sync"
)

// bounded is a connection from which so many bytes may be read. What is read
// of header and body is bounded elsewhere; this bounds what hosts wrap them in.
type bounded struct {
	net.Conn
	left int
}

var errWire = errors.New("more bytes than an exchange may have")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errWire
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// patient is a connection that gives nothing to read before something was
// written. http.Transport prints the first bytes of an answer that comes before the
// request to the program's log, which is not for hosts to write.
type patient struct {
	net.Conn
	written chan struct{}
	once    sync.Once
}

func newPatient(c net.Conn) *patient {
	return &patient{Conn: c, written: make(chan struct{})}
}

func (p *patient) ready() { p.once.Do(func() { close(p.written) }) }

func (p *patient) Read(b []byte) (int, error) {
	<-p.written
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	p.ready()
	return p.Conn.Write(b)
}

func (p *patient) Close() error {
	p.ready()
	return p.Conn.Close()
}
