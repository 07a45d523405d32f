package idptest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"code.dny.dev/ssrf"
	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// fetch requests a support document with a client that has no limits.
func fetch(ctx context.Context, s *idptest.Server) (*http.Response, []byte, error) {
	client := http.Client{
		Transport: &http.Transport{
			DialContext: s.DialContext, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: s.RootCAs()},
		},
		Timeout:       longTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://idp.example/.well-known/browserid?domain=idp.example", nil)
	if err != nil {
		return nil, nil, err
	}
	r, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// TestFaultErrors checks the error that a client without limits reports for each fault.
func TestFaultErrors(t *testing.T) {
	idp := idptest.New("idp.example").At(now)
	good := idptest.Serve(idp)
	for name, c := range map[string]struct {
		site idptest.Site
		is   func(error) bool
	}{
		"no such host": {idptest.NXDomain(), func(err error) bool {
			e, ok := as[*net.DNSError](err)
			return ok && e.IsNotFound && e.Name == "idp.example"
		}},
		"servers fail":    {idptest.ServFail(), func(err error) bool { e, ok := as[*net.DNSError](err); return ok && !e.IsNotFound && e.Temporary() }},
		"DNS timeout":     {idptest.DNSTimeout(), func(err error) bool { e, ok := as[*net.DNSError](err); return ok && e.Timeout() }},
		"refused":         {idptest.Refused(), is(syscall.ECONNREFUSED)},
		"private address": {idptest.PrivateAddress(), is(ssrf.ErrProhibitedIP)},
		"reset":           {idptest.Reset(), wasReset},
		"plain HTTP":      {idptest.PlainHTTP(), is(http.ErrSchemeMismatch)},
		"not TLS":         {idptest.NotTLS("SSH-2.0-idptest\r\n"), func(err error) bool { _, ok := as[tls.RecordHeaderError](err); return ok }},
		"expired": {good.Expired(), func(err error) bool {
			e, ok := as[x509.CertificateInvalidError](err)
			return ok && e.Reason == x509.Expired
		}},
		"self-signed": {good.SelfSigned(), func(err error) bool { _, ok := as[x509.UnknownAuthorityError](err); return ok }},
		"wrong name":  {good.WrongName(), func(err error) bool { _, ok := as[x509.HostnameError](err); return ok }},
		"TLS 1.1": {good.TLS11(), func(err error) bool {
			_, ok := as[tls.AlertError](err)
			return ok || strings.Contains(err.Error(), "protocol version")
		}},
		"half":          {good.HalfThenClose(), is(io.ErrUnexpectedEOF)},
		"half, chunked": {good.HalfChunked(), is(io.ErrUnexpectedEOF)},
		"half, reset":   {good.HalfThenReset(), wasReset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.Set("idp.example", c.site)
			if _, _, err := fetch(t.Context(), s); err == nil || !c.is(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

func as[E error](err error) (found E, ok bool) { return found, errors.As(err, &found) }

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// wasReset reports whether err is that of a reset connection. Systems report the reset to
// the reader or to the writer.
func wasReset(err error) bool { return is(syscall.ECONNRESET)(err) || is(syscall.EPIPE)(err) }

// TestFaultsKeepDocument checks that a client without limits receives the document, and
// with the fault's status and size.
func TestFaultsKeepDocument(t *testing.T) {
	idp := idptest.New("idp.example").At(now)
	good := idptest.Serve(idp)
	document := []byte(idp.Document().JSON())
	for name, c := range map[string]struct {
		site   idptest.Site
		size   int // zero: the document's
		status int
	}{
		"nothing":      {good, 0, 200},
		"503":          {good.Status(503), 0, 503},
		"redirect":     {good.Status(302).Header("Location", "https://idp.example/"), 0, 302},
		"byte by byte": {good.ByteByByte(time.Microsecond), 0, 200},
		"unframed":     {good.Unframed(), 0, 200},
		"oversized":    {good.Oversized(), 64<<10 + 1, 200},
		"gzip bomb":    {good.GzipBomb(), 8 << 20, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.Set("idp.example", c.site)
			r, body, err := fetch(t.Context(), s)
			if err != nil || r.StatusCode != c.status {
				t.Fatalf("%v, %v", r, err)
			}
			if !bytes.Equal(bytes.TrimRight(body, " "), document) {
				t.Errorf("another document, of %d bytes", len(body))
			}
			if c.size != 0 && len(body) != c.size {
				t.Errorf("%d bytes, want %d", len(body), c.size)
			}
		})
	}
}

// TestHalfUnframed checks that a client that does not look for the end of TLS receives
// half of the body, without an error.
func TestHalfUnframed(t *testing.T) {
	idp := idptest.New("idp.example").At(now)
	s := newServer(t)
	s.Set("idp.example", idptest.Serve(idp).HalfUnframed())
	_, body, err := fetch(t.Context(), s)
	if document := idp.Document().JSON(); err != nil || string(body) != string(document[:len(document)/2]) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

// TestRequests checks that requests are recorded, and that a delegation keeps ?domain=.
func TestRequests(t *testing.T) {
	authority := idptest.New("authority.example").At(now)
	s := newServer(t, authority)
	s.Set("IDP.example", idptest.Delegate("authority.example"))
	user := idptest.Key("DS128")
	r, err := verify(t, assertion.Config{Keys: s.Resolver()}, authority.Backed(email, user, audience))
	if err != nil || r.Issuer != "authority.example" {
		t.Fatalf("%v, %v", r, err)
	}
	if diff := cmp.Diff([]string{"authority.example:443", "idp.example:443"}, s.Dialled()); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"idp.example", "Authority.example:443"} {
		got := s.Requests(name)
		if len(got) != 1 || got[0].Domain != "idp.example" || got[0].Path != "/.well-known/browserid" ||
			!strings.EqualFold(got[0].Host+":443", strings.TrimSuffix(name, ":443")+":443") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestOffline checks that an assertion that is wrong in itself causes no dial.
func TestOffline(t *testing.T) {
	idp := idptest.New("idp.example").At(now)
	s := newServer(t, idp)
	user := idptest.Key("DS128")
	text := idptest.Backed(idp.Certificate(email, user.Public()), idp.Assertion(audience, user).With("exp", 0))
	_, err := verify(t, assertion.Config{Keys: s.Resolver()}, text)
	wantClass(t, err, assertion.ErrExpired)
	if got := s.Dialled(); len(got) != 0 {
		t.Errorf("dialled %v", got)
	}
}

// TestNewKeys changes an issuer's key. Cache-Control and the clock decide when a
// resolver fetches the new one.
func TestNewKeys(t *testing.T) {
	old := idptest.New("idp.example").At(now)
	renewed := idptest.New("idp.example", idptest.Key("RS256-2")).At(now)
	s := newServer(t)
	s.Set("idp.example", idptest.Serve(old).Header("Cache-Control", "max-age=240"), idptest.Serve(renewed))
	clock := now
	c := s.Config()
	c.Now = func() time.Time { return clock }
	config := assertion.Config{Keys: newResolver(t, c)}
	user := idptest.Key("DS128")
	for _, step := range []struct {
		after time.Duration
		idp   *idptest.IdP
		want  answer
		dials int
	}{
		{0, old, okay, 1},
		{0, renewed, failure, 1},                       // too recent to be fetched again
		{90 * time.Second, old, okay, 1},               // still cached
		{90 * time.Second, renewed, okay, 2},           // no key fits: fetched again
		{90 * time.Second, old, failure, 2},            // the old key is gone
		{40 * time.Minute, renewed, okay, 2},           // before the last quarter of its life, in which it is renewed
		{90*time.Second + time.Hour, renewed, okay, 3}, // without Cache-Control: an hour
	} {
		clock = now.Add(step.after)
		r, err := verify(t, config, step.idp.Backed(email, user, audience))
		if got := outcome(t, r, err); got != step.want || s.Dials("idp.example") != step.dials {
			t.Errorf("after %v: %s (%v) with %d dials, want %s with %d",
				step.after, got, err, s.Dials("idp.example"), step.want, step.dials)
		}
	}
}

// TestOutage checks that a known provider stays known while its host fails.
func TestOutage(t *testing.T) {
	idp := idptest.New("idp.example").At(now)
	for name, c := range map[string]struct {
		then idptest.Site
		want answer
	}{
		"503":       {idptest.Status(503), okay},
		"gone":      {idptest.NXDomain(), okay},
		"plain":     {idptest.PlainHTTP(), okay},
		"expired":   {idptest.Serve(idp).Expired(), okay},
		"404":       {idptest.Status(404), failure},
		"disabled":  {idptest.Disabled(), failure},
		"malformed": {idptest.Malformed(), failure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.Set("idp.example", idptest.Serve(idp), c.then)
			clock := now
			config := s.Config()
			config.Now = func() time.Time { return clock }
			resolver := newResolver(t, config)
			text := idp.Backed(email, idptest.Key("DS128"), audience)
			if _, err := verify(t, assertion.Config{Keys: resolver}, text); err != nil {
				t.Fatal(err)
			}
			clock = now.Add(2 * time.Hour)
			r, err := verify(t, assertion.Config{Keys: resolver}, text)
			if got := outcome(t, r, err); got != c.want || s.Dials("idp.example") != 2 {
				t.Errorf("%s (%v), %d dials", got, err, s.Dials("idp.example"))
			}
		})
	}
}

// TestClose closes the server while a client waits at each point where a host can stall.
func TestClose(t *testing.T) {
	good := idptest.Serve(idptest.New("idp.example"))
	for name, c := range map[string]struct {
		site  idptest.Site
		until func(reached func()) *httptrace.ClientTrace
	}{
		"dial":         {idptest.Blackhole(), getConn},
		"before TLS":   {idptest.StallBeforeTLS(), handshakeStart},
		"after TLS":    {idptest.StallAfterTLS(), wroteRequest},
		"slow":         {good.ByteByByte(time.Hour), wroteRequest},
		"after header": {good.StallAfterHeader(), firstByte},
		"endless":      {good.Endless(), firstByte},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := idptest.NewServer()
			s.Set("idp.example", c.site)
			there := make(chan struct{})
			ctx := httptrace.WithClientTrace(t.Context(), c.until(sync.OnceFunc(func() { close(there) })))
			var client sync.WaitGroup
			client.Go(func() {
				if _, _, err := fetch(ctx, s); errors.Is(err, context.DeadlineExceeded) {
					t.Error("only the client's deadline ended the fetch")
				}
			})
			<-there
			s.Close()
			client.Wait()
			if _, err := s.DialContext(t.Context(), "tcp", "idp.example:443"); !errors.Is(err, net.ErrClosed) {
				t.Errorf("dial after Close: %v", err)
			}
		})
	}
}

func getConn(reached func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GetConn: func(string) { reached() }}
}

func handshakeStart(reached func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{TLSHandshakeStart: reached}
}

func wroteRequest(reached func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { reached() }}
}

func firstByte(reached func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotFirstResponseByte: reached}
}

// TestManyDials checks that connections reach their hosts when many arrive at once.
func TestManyDials(t *testing.T) {
	s := newServer(t)
	names := []string{"a.example", "b.example", "c.example", "d.example"}
	for _, name := range names {
		s.Set(name, idptest.NotTLS("this is "+name+"\n"))
	}
	var all sync.WaitGroup
	for range 50 {
		for _, name := range names {
			all.Go(func() {
				conn, err := s.DialContext(context.Background(), "tcp", name+":443")
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				want := "this is " + name + "\n"
				got := make([]byte, len(want))
				if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
	}
	all.Wait()
}

// TestPanics checks that changes without effect, and unknown names, panic.
func TestPanics(t *testing.T) {
	for name, mistake := range map[string]func(){
		"TLS fault without TLS":   func() { idptest.PlainHTTP().Expired() },
		"TLS fault of no host":    func() { idptest.NXDomain().WrongName() },
		"header without answer":   func() { idptest.StallAfterTLS().Header("A", "b") },
		"half without answer":     func() { idptest.Refused().HalfThenClose() },
		"unknown key":             func() { idptest.Key("RS512") },
		"claims of raw JSON":      func() { idptest.Token{Claims: idptest.Raw("{}")}.With("a", 1) },
		"header of raw JSON":      func() { idptest.Token{Header: idptest.Raw("{}")}.WithHeader("a", 1) },
		"document without a text": func() { idptest.JSON(func() {}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			mistake()
		})
	}
}

func TestRootPEM(t *testing.T) {
	s := newServer(t)
	block, rest := pem.Decode(s.RootPEM())
	if block == nil || len(rest) != 0 {
		t.Fatal("not one PEM block")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	if !pool.Equal(s.RootCAs()) {
		t.Error("not the certificate of RootCAs")
	}
}
