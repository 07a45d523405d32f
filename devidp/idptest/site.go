package idptest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// Site is how a host behaves: right, as [Serve] makes it, or in one of the ways
// of PROTOCOL §4. Its methods give a site that is wrong in one point more, so
// that what a careless client would take is otherwise good:
//
//	server.Set("idp.example", idptest.Serve(idp).Expired())
type Site struct {
	unreachable func(ctx context.Context, addr string) error // in place of connecting
	raw         func(*connection)                            // in place of TLS
	leaf        leaf                                         // of the TLS certificate; name empty: the host's
	tls11       bool
	afterTLS    func(*connection)             // in place of HTTP
	answer      func(*http.Request) *response // what is said
	send        func(*connection, *response)  // how it is said; nil: whole and right
}

// response is an HTTP answer before it is sent. It is not changed once made.
type response struct {
	status int
	header http.Header
	body   []byte
}

// Serve is a host that serves the support document of an identity provider,
// as it is now.
func Serve(p *IdP) Site { return JSON(p.Document()) }

// JSON answers 200 with that document as application/json: a value to encode,
// or a [Raw].
func JSON(document any) Site { return Body("application/json", string(text(document))) }

// Disabled is a host that opts out.
func Disabled() Site { return JSON(Object{"disabled": true}) }

// Delegate is a host whose authority is another.
func Delegate(host string) Site { return JSON(Object{"authority": host}) }

// Malformed is a host whose document ends too early.
func Malformed() Site { return JSON(Raw(`{"public-key":`)) }

// Body answers 200 with that type, none when it is empty, and that body.
func Body(contentType, body string) Site {
	header := make(http.Header)
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return constant(&response{http.StatusOK, header, []byte(body)})
}

// Redirect answers 302 to that URL.
func Redirect(url string) Site { return Status(http.StatusFound).Header("Location", url) }

// Status answers with that status and a short text.
func Status(code int) Site {
	return constant(&response{code, http.Header{"Content-Type": {"text/plain"}}, []byte("idptest\n")})
}

func constant(r *response) Site {
	return Site{answer: func(*http.Request) *response { return r }}
}

// Handler answers whatever h does, once h has returned.
func Handler(h http.Handler) Site {
	return Site{answer: func(r *http.Request) *response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return &response{w.Code, w.Result().Header, w.Body.Bytes()}
	}}
}

// Status gives the site with that status.
func (s Site) Status(code int) Site {
	return s.edit(func(r *response) { r.status = code })
}

// Header gives the site with a header, in place of what it has of that name.
func (s Site) Header(name, value string) Site {
	return s.edit(func(r *response) { r.header.Set(name, value) })
}

// edit changes a copy of the answer. It panics for sites that never answer.
func (s Site) edit(change func(*response)) Site {
	answer := s.answering()
	s.answer = func(request *http.Request) *response {
		r := *answer(request)
		r.header = r.header.Clone()
		change(&r)
		return &r
	}
	return s
}

func (s Site) answering() func(*http.Request) *response {
	if s.answer == nil {
		panic("idptest: a site that gives no answer has none to change")
	}
	return s.answer
}

func (s Site) deliver(c *connection, r *response) {
	if s.send != nil {
		s.send(c, r)
		return
	}
	c.Write(append(r.head(len(r.body)), r.body...))
}

// head is the answer's text up to its body, whose length it announces; a
// negative one stands for a body that lasts until the connection ends.
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
