package idptest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"code.dny.dev/ssrf"
)

// Site is the behaviour of a host: correct, as [Serve] makes it, or wrong in one of
// the ways of PROTOCOL §4. Its methods return a site that is wrong in one more
// point. The rest stays correct, so that a client without that check accepts it:
//
//	server.Set("idp.example", idptest.Serve(idp).Expired())
type Site struct {
	unreachable func(ctx context.Context, addr string) error // in place of connecting
	raw         func(*connection)                            // in place of TLS
	leaf        leaf                                         // the TLS certificate; an empty name means the host's
	tls11       bool                                         // TLS 1.1 at most
	afterTLS    func(*connection)                            // in place of HTTP
	answer      func(*http.Request) *response
	send        func(*connection, *response) // nil means complete and well-formed
}

// response is an HTTP response before it is sent. It must not be modified once
// made.
type response struct {
	status int
	header http.Header
	body   []byte
}

// Serve returns a site that serves the current support document of an identity
// provider.
func Serve(p *IdP) Site { return JSON(p.Document()) }

// JSON returns a site that answers with status 200 and a document, as
// application/json. The document is a value to encode, or a [Raw].
func JSON(document any) Site { return body("application/json", string(text(document))) }

// Disabled returns a site that opts out of BrowserID.
func Disabled() Site { return JSON(Object{"disabled": true}) }

// Delegate returns a site that delegates to another host.
func Delegate(host string) Site { return JSON(Object{"authority": host}) }

// Status returns a site that answers with that status and a short text.
func Status(code int) Site {
	return constant(&response{code, http.Header{"Content-Type": {"text/plain"}}, []byte("idptest\n")})
}

// Handler returns a site that answers as h does. The response is sent when h returns.
func Handler(h http.Handler) Site {
	return Site{answer: func(r *http.Request) *response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return &response{w.Code, w.Result().Header, w.Body.Bytes()}
	}}
}

// StallAfterTLS returns a site that completes the TLS handshake and then sends
// nothing.
func StallAfterTLS() Site { return Site{afterTLS: (*connection).stall} }

// NXDomain returns the site of a host that does not exist, like all hosts that were
// not set. It is simulated: [Server.DialContext] returns the error of Go's resolver, and no packet
// is sent.
func NXDomain() Site {
	return lookupFails(net.DNSError{Err: "no such host", IsNotFound: true})
}

// lookupFails returns a site whose lookup in DNS fails with a copy of e.
func lookupFails(e net.DNSError) Site {
	return Site{unreachable: func(_ context.Context, addr string) error {
		e := e
		e.Name, _, _ = net.SplitHostPort(addr)
		return dialError(&e)
	}}
}

// PrivateAddress returns the site of a host whose address is 10.0.0.1. The answer of
// DNS is simulated. The error is that of the guard of package code.dny.dev/ssrf, which
// refuses the address before anything is sent.
func PrivateAddress() Site {
	return Site{unreachable: func(ctx context.Context, _ string) error {
		guarded := net.Dialer{Control: ssrf.New().Safe}
		conn, err := guarded.DialContext(ctx, "tcp", "10.0.0.1:443")
		if err == nil {
			conn.Close()
			panic("idptest: the guard accepted a private address")
		}
		return err
	}}
}

// dialError returns the error of a dial that failed.
func dialError(cause error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: cause} }

// body returns a site that answers with status 200, that text, and that Content-Type
// unless it is empty.
func body(contentType, text string) Site {
	header := make(http.Header)
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return constant(&response{http.StatusOK, header, []byte(text)})
}

// constant returns a site that always answers with r.
func constant(r *response) Site {
	return Site{answer: func(*http.Request) *response { return r }}
}

// Status returns the site with another status. It panics if the site never responds.
func (s Site) Status(code int) Site {
	return s.edit(func(r *response) { r.status = code })
}

// Header returns the site with a header set. It panics if the site never responds.
func (s Site) Header(name, value string) Site {
	return s.edit(func(r *response) { r.header.Set(name, value) })
}

// Expired returns the site with a TLS certificate that expired an hour ago. It panics
// if the site does not speak TLS.
func (s Site) Expired() Site {
	s.mustSpeakTLS()
	s.leaf.expired = true
	return s
}

// mustSpeakTLS panics if a fault of TLS would have no effect.
func (s Site) mustSpeakTLS() {
	if s.unreachable != nil || s.raw != nil {
		panic("idptest: a fault of TLS, on a site without TLS")
	}
}

// edit returns the site with a changed response. It panics if the site never
// responds.
func (s Site) edit(change func(*response)) Site {
	s.mustAnswer()
	answer := s.answer
	s.answer = func(request *http.Request) *response {
		r := *answer(request)
		r.header = r.header.Clone()
		change(&r)
		return &r
	}
	return s
}

// mustAnswer panics if a change of the response would have no effect.
func (s Site) mustAnswer() {
	if s.answer == nil {
		panic("idptest: a change of the response, on a site that does not respond")
	}
}

// deliver sends a response.
func (s Site) deliver(c *connection, r *response) {
	if s.send != nil {
		s.send(c, r)
		return
	}
	c.Write(append(r.head(len(r.body)), r.body...))
}

// head returns the response up to its body. It announces a body of that length; a
// negative length means a body that ends with the connection.
func (r *response) head(length int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", r.status, http.StatusText(r.status))
	r.header.WriteSubset(&b, map[string]bool{"Content-Length": true, "Connection": true})
	b.WriteString("Connection: close\r\n")
	if length >= 0 && r.status != http.StatusNoContent && r.status != http.StatusNotModified {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}
