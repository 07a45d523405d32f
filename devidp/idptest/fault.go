package idptest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"time"
)

// Sizes beyond what a client may take (PROTOCOL §8: 64 KiB of body, 16 KiB of
// header).
const (
	overLimit = 64<<10 + 1
	bombSize  = 8 << 20
)

// Oversized puts spaces behind the body, to 64 KiB and one byte.
func (s Site) Oversized() Site {
	return s.edit(func(r *response) { r.body = spaced(r.body, overLimit) })
}

// Gzip compresses the body, which the resolver does not ask for.
func (s Site) Gzip() Site {
	return s.edit(func(r *response) {
		r.body = compress(r.body)
		r.header.Set("Content-Encoding", "gzip")
	})
}

// GzipBomb puts spaces behind the body, to 8 MiB, and compresses it to less
// than 64 KiB.
func (s Site) GzipBomb() Site {
	return s.edit(func(r *response) { r.body = spaced(r.body, bombSize) }).Gzip()
}

func compress(data []byte) []byte {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		panic("idptest: " + err.Error()) // it is a level
	}
	w.Write(data) // a bytes.Buffer takes everything
	w.Close()
	return packed.Bytes()
}

func spaced(body []byte, size int) []byte {
	return append(bytes.Clone(body), bytes.Repeat([]byte{' '}, max(0, size-len(body)))...)
}

// Endless puts spaces behind the body that never end.
func (s Site) Endless() Site {
	return s.sent(func(c *connection, r *response) {
		c.Write(append(r.head(-1), r.body...))
		c.repeat(bytes.Repeat([]byte{' '}, 1<<10))
	})
}

// EndlessHeader sends headers that never end.
func (s Site) EndlessHeader() Site {
	return s.sent(func(c *connection, r *response) {
		head := r.head(len(r.body))
		c.Write(head[:len(head)-len("\r\n")])
		c.repeat([]byte("X-Idptest: " + string(bytes.Repeat([]byte{'x'}, 100)) + "\r\n"))
	})
}

// repeat sends the same until the client leaves or the server is closed.
func (c *connection) repeat(text []byte) {
	for {
		if _, err := c.Write(text); err != nil {
			return
		}
	}
}

// ByteByByte sends the answer, header and body, one byte in each interval.
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
		c.reset() // fails only when the client is gone
	})
}

// HalfThenClose announces the whole body by Content-Length, sends half of it and
// closes the connection in good order.
func (s Site) HalfThenClose() Site {
	return s.sent(func(c *connection, r *response) { c.Write(r.half()) })
}

// HalfChunked sends half of the body as a chunk, and closes the connection in
// good order without the last chunk.
func (s Site) HalfChunked() Site {
	return s.edit(func(r *response) { r.header.Set("Transfer-Encoding", "chunked") }).sent(func(c *connection, r *response) {
		half := r.body[:len(r.body)/2]
		c.Write(fmt.Appendf(r.head(-1), "%x\r\n%s\r\n", len(half), half))
	})
}

// Unframed announces no length: the body ends where the connection does, in
// good order.
func (s Site) Unframed() Site {
	return s.sent(func(c *connection, r *response) { c.Write(append(r.head(-1), r.body...)) })
}

// HalfUnframed announces no length, sends half of the body and closes the TCP
// connection under TLS without a word: what anybody on the way can do.
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

// half is the answer up to the middle of its body.
func (r *response) half() []byte { return append(r.head(len(r.body)), r.body[:len(r.body)/2]...) }

// sent says how the answer is sent. There is one way at a time.
func (s Site) sent(send func(*connection, *response)) Site {
	s.answering()
	s.send = send
	return s
}

// Expired has a TLS certificate that expired an hour ago.
func (s Site) Expired() Site {
	s.speaksTLS()
	s.leaf.expired = true
	return s
}

// SelfSigned has a TLS certificate of no authority's.
func (s Site) SelfSigned() Site {
	s.speaksTLS()
	s.leaf.selfSigned = true
	return s
}

// WrongName has a TLS certificate of another host's.
func (s Site) WrongName() Site {
	s.speaksTLS()
	s.leaf.name = "another-host.example"
	return s
}

// TLS11 speaks no TLS later than 1.1.
func (s Site) TLS11() Site {
	s.speaksTLS()
	s.tls11 = true
	return s
}

// speaksTLS panics for sites on which a fault of TLS would go unseen.
func (s Site) speaksTLS() {
	if s.unreachable != nil || s.raw != nil {
		panic("idptest: a site without TLS has no fault of TLS")
	}
}

// StallAfterTLS completes the TLS handshake, and then sends nothing.
func StallAfterTLS() Site { return Site{afterTLS: (*connection).stall} }

// StallBeforeTLS accepts the connection, and then sends nothing.
func StallBeforeTLS() Site { return Site{raw: (*connection).stall} }

// Reset accepts the connection and resets it.
func Reset() Site {
	return Site{raw: func(c *connection) { c.reset() }} // fails only when the client is gone
}

// PlainHTTP answers in HTTP without TLS, as a web server does on port 80.
func PlainHTTP() Site { return NotTLS("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") }

// NotTLS says text to whoever connects, as some other protocol would. It is
// taken for something other than TLS from its fifth byte on.
func NotTLS(text string) Site {
	return Site{raw: func(c *connection) {
		c.Write([]byte(text))
		c.stall()
	}}
}
