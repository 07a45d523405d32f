package idptest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// The sites of this file are the faults of PROTOCOL §4 that only the tests of this
// package need. Relying parties see the same three answers by the sites that the
// package exports.

var KeyNames = keyNames

var Body = body

// Malformed returns a site whose document ends too early.
func Malformed() Site { return JSON(Raw(`{"public-key":`)) }

// Redirect returns a site that answers 302 to that URL.
func Redirect(url string) Site { return Status(http.StatusFound).Header("Location", url) }

// ServFail returns the site of a host whose name servers fail. Simulated.
func ServFail() Site {
	return lookupFails(net.DNSError{Err: "server misbehaving", IsTemporary: true})
}

// DNSTimeout returns the site of a host whose name servers do not answer. The lookup
// times out at once. Simulated.
func DNSTimeout() Site {
	return lookupFails(net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true})
}

// Refused returns the site of a host that refuses connections. Simulated.
func Refused() Site {
	return Site{unreachable: func(context.Context, string) error {
		return dialError(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}}
}

// Blackhole returns the site of a host that drops every packet: connecting takes until
// the client times out or the server is closed. Simulated.
func Blackhole() Site {
	return Site{unreachable: func(ctx context.Context, _ string) error {
		<-ctx.Done()
		return dialError(ctx.Err())
	}}
}

// StallBeforeTLS returns a site that accepts the connection, and then sends nothing.
func StallBeforeTLS() Site { return Site{raw: (*connection).stall} }

// Reset returns a site that accepts the connection and resets it.
func Reset() Site {
	return Site{raw: func(c *connection) { c.reset() }} // fails only if the client is gone
}

// reset ends the connection with a TCP reset.
func (c *connection) reset() error {
	tcp, ok := c.tcp.(*net.TCPConn)
	if !ok {
		return errors.New("not a TCP connection")
	}
	if err := tcp.SetLinger(0); err != nil {
		return err
	}
	return tcp.Close()
}

// PlainHTTP returns a site that answers in HTTP without TLS, as a web server
// does on port 80.
func PlainHTTP() Site { return NotTLS("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") }

// NotTLS returns a site that sends text on every connection, as another protocol
// does. A client detects from the fifth byte on that it is not TLS.
func NotTLS(text string) Site {
	return Site{raw: func(c *connection) {
		c.Write([]byte(text))
		c.stall()
	}}
}

// SelfSigned has a self-signed TLS certificate.
func (s Site) SelfSigned() Site {
	s.mustSpeakTLS()
	s.leaf.selfSigned = true
	return s
}

// WrongName has a TLS certificate of another host.
func (s Site) WrongName() Site {
	s.mustSpeakTLS()
	s.leaf.name = "another-host.example"
	return s
}

// TLS11 speaks no TLS later than 1.1.
func (s Site) TLS11() Site {
	s.mustSpeakTLS()
	s.tls11 = true
	return s
}

// Sizes over a client's limits (PROTOCOL §8: 64 KiB of body, 16 KiB of header).
const (
	overLimit = 64<<10 + 1
	bombSize  = 8 << 20
)

// Oversized appends spaces to the body, up to 64 KiB and one byte.
func (s Site) Oversized() Site {
	return s.edit(func(r *response) { r.body = padded(r.body, overLimit) })
}

// Gzip compresses the body, which the resolver does not ask for.
func (s Site) Gzip() Site {
	return s.edit(func(r *response) {
		r.body = compress(r.body)
		r.header.Set("Content-Encoding", "gzip")
	})
}

// GzipBomb appends spaces to the body, up to 8 MiB, and compresses it to less than
// 64 KiB.
func (s Site) GzipBomb() Site {
	return s.edit(func(r *response) { r.body = padded(r.body, bombSize) }).Gzip()
}

func compress(data []byte) []byte {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		panic("idptest: " + err.Error()) // BestSpeed is a level
	}
	w.Write(data) // a bytes.Buffer returns no error
	w.Close()
	return packed.Bytes()
}

func padded(body []byte, size int) []byte {
	return append(bytes.Clone(body), bytes.Repeat([]byte{' '}, max(0, size-len(body)))...)
}

// Endless appends spaces to the body, without end.
func (s Site) Endless() Site {
	return s.sent(func(c *connection, r *response) {
		c.Write(append(r.head(-1), r.body...))
		c.repeat(bytes.Repeat([]byte{' '}, 1<<10))
	})
}

// EndlessHeader sends headers without end.
func (s Site) EndlessHeader() Site {
	return s.sent(func(c *connection, r *response) {
		head := r.head(len(r.body))
		c.Write(head[:len(head)-len("\r\n")])
		c.repeat([]byte("X-Idptest: " + string(bytes.Repeat([]byte{'x'}, 100)) + "\r\n"))
	})
}

// repeat sends text again and again until the client leaves or the server is
// closed.
func (c *connection) repeat(text []byte) {
	for {
		if _, err := c.Write(text); err != nil {
			return
		}
	}
}

// ByteByByte sends the response, header and body, one byte in each interval.
func (s Site) ByteByByte(interval time.Duration) Site {
	return s.sent(func(c *connection, r *response) {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		all := append(r.head(len(r.body)), r.body...)
		for i := range all {
			select {
			case <-ticker.C:
			case <-c.server.ctx.Done():
				return
			}
			if _, err := c.Write(all[i : i+1]); err != nil {
				return
			}
		}
	})
}

// HalfThenReset sends half of the body and resets the connection.
func (s Site) HalfThenReset() Site {
	return s.sent(func(c *connection, r *response) {
		c.Write(r.half())
		c.reset() // fails only if the client is gone
	})
}

// HalfThenClose announces the whole body by Content-Length, sends half of it and
// closes the connection properly.
func (s Site) HalfThenClose() Site {
	return s.sent(func(c *connection, r *response) { c.Write(r.half()) })
}

// HalfChunked sends half of the body as a chunk, and closes the connection properly
// without the last chunk.
func (s Site) HalfChunked() Site {
	return s.edit(func(r *response) { r.header.Set("Transfer-Encoding", "chunked") }).sent(func(c *connection, r *response) {
		half := r.body[:len(r.body)/2]
		c.Write(fmt.Appendf(r.head(-1), "%x\r\n%s\r\n", len(half), half))
	})
}

// Unframed announces no length: the body ends where the connection does, which is
// closed properly.
func (s Site) Unframed() Site {
	return s.sent(func(c *connection, r *response) { c.Write(append(r.head(-1), r.body...)) })
}

// HalfUnframed announces no length, sends half of the body and closes the TCP
// connection without closing TLS. An attacker on the network can do that.
func (s Site) HalfUnframed() Site {
	return s.sent(func(c *connection, r *response) {
		c.Write(append(r.head(-1), r.body[:len(r.body)/2]...))
		c.tcp.Close()
	})
}

// StallAfterHeader sends the header, and then nothing.
func (s Site) StallAfterHeader() Site {
	return s.sent(func(c *connection, r *response) {
		c.Write(r.head(len(r.body)))
		c.stall()
	})
}

// half returns the response up to the middle of its body.
func (r *response) half() []byte { return append(r.head(len(r.body)), r.body[:len(r.body)/2]...) }

// sent returns the site with another way to send the response. There is one way
// at a time.
func (s Site) sent(send func(*connection, *response)) Site {
	s.mustAnswer()
	s.send = send
	return s
}
