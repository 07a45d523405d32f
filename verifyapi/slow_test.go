package verifyapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/verifyapi"
)

// TestSlowBodies checks that a body that comes a byte at a time takes no place, and
// times out.
func TestSlowBodies(t *testing.T) {
	const clients = 50
	s := serve(t, verifyapi.Config{InFlight: 1, Queue: -1, ReadTimeout: 2 * time.Second})
	var answered sync.WaitGroup
	for range clients {
		conn := s.dial(t)
		in := bufio.NewReader(conn)
		io.WriteString(conn, "POST /v2 HTTP/1.1\r\nHost: x\r\n"+asJSON+"Content-Length: 9000\r\nExpect: 100-continue\r\n\r\n")
		// The handler is reading the body when this comes.
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusContinue {
			t.Fatal(resp, err)
		}
		done := make(chan struct{})
		go sendSlowly(conn, done)
		answered.Go(func() {
			defer close(done)
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Error(err)
				return
			}
			got := read(t, resp, nil)
			checkHeaders(t, got.Response)
			if got.StatusCode != http.StatusRequestTimeout || !got.Close {
				t.Errorf("%s %v %s", got.Status, got.Header, got.body)
			}
			reason(t, got.body)
		})
	}
	s.checkServes(t)
	s.checkGauges(t, "0", "0", "0")
	answered.Wait()
	s.checkServes(t)
	if n := s.metric(t, `vepverify_verifications_total{class="slow",result="refused"}`); n != fmt.Sprint(clients) {
		t.Errorf("%s requests were counted as slow", n)
	}
}

// sendSlowly sends a byte at a time until done is closed.
func sendSlowly(conn net.Conn, done chan struct{}) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := io.WriteString(conn, " "); err != nil {
				return
			}
		case <-done:
			return
		}
	}
}

// TestUnreadBodies checks that the timeout applies to a body that is not read.
func TestUnreadBodies(t *testing.T) {
	s := serve(t, verifyapi.Config{ReadTimeout: 500 * time.Millisecond})
	var answered sync.WaitGroup
	for line, want := range map[string]int{
		"POST /v2 HTTP/1.1\r\nContent-Type: text/plain":     415,
		"POST /verify HTTP/1.1\r\nContent-Type: text/plain": 415,
		"POST /nothing HTTP/1.1":                            404,
		"PUT /v2 HTTP/1.1":                                  405,
		"POST /status HTTP/1.1":                             405,
		"GET /status HTTP/1.1":                              200,
	} {
		conn := s.dial(t)
		io.WriteString(conn, line+"\r\nHost: x\r\nContent-Length: 9000\r\n\r\n")
		answered.Go(func() {
			got, err := readRaw(conn, "POST")
			if err != nil {
				t.Errorf("%s: %v", line, err)
				return
			}
			checkHeaders(t, got.Response)
			if got.StatusCode != want {
				t.Errorf("%s: %s", line, got.Status)
			}
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: the connection is not closed: %v", line, err)
			}
		})
	}
	answered.Wait()
}

// TestDeadlineEndsWithBody checks that the timeout for the body does not apply to the
// response.
func TestDeadlineEndsWithBody(t *testing.T) {
	for timeout := 100 * time.Millisecond; ; timeout *= 4 {
		slow := source(func(ctx context.Context, _ string) error {
			select {
			case <-time.After(2 * timeout):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		s := serve(t, verifyapi.Config{Verifier: newVerifier(t, assertion.Config{Keys: slow}), ReadTimeout: timeout})
		got := s.post(t, "/v2", jsonType, ask(good))
		if got.StatusCode == http.StatusRequestTimeout {
			continue // this machine is too slow for such a timeout
		}
		checkGood(t, got)
		return
	}
}

// TestStalledIssuers is TestSlowIssuers over real sockets.
func TestStalledIssuers(t *testing.T) {
	const stalled = 20
	server := idptest.NewServer(idp)
	t.Cleanup(server.Close)
	arrived, release := make(chan struct{}), make(chan struct{})
	releaseAll := sync.OnceFunc(func() { close(release) })
	t.Cleanup(releaseAll) // before server.Close, which waits for the handlers
	v := newVerifier(t, assertion.Config{Keys: server.Resolver()})
	s := serve(t, verifyapi.Config{Verifier: v, InFlight: 1, Queue: stalled, QueueTimeout: time.Minute, Lookups: stalled})
	s.checkServes(t)

	answers := make(chan string, stalled)
	for i := range stalled {
		host := fmt.Sprintf("stalled%d.example", i)
		server.Set(host, idptest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			<-release
			http.Error(w, "enough", http.StatusServiceUnavailable)
		})))
		go func() { answers <- s.post(t, "/v2", jsonType, ask(from(host))).body }()
	}
	for range stalled {
		select {
		case <-arrived:
		case body := <-answers:
			t.Fatalf("answered while its issuer is stalled: %s", body)
		}
	}
	s.checkServes(t)
	s.checkGauges(t, "0", "0", fmt.Sprint(stalled))
	checkTooBusy(t, s.post(t, "/v2", jsonType, ask(from("another.example"))))
	s.checkServes(t)
	releaseAll()
	for range stalled {
		if body := <-answers; !strings.Contains(body, `"undecided":true`) {
			t.Error(body)
		}
	}
}

// TestHTTP2 uses HTTP/2 without TLS, as balancers do.
func TestHTTP2(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport}
	post := func(body io.Reader) reply {
		resp, err := c.Post(s.url+"/v2", jsonType, body)
		got := read(t, resp, err)
		if got.ProtoMajor != 2 {
			t.Fatal(got.Proto)
		}
		checkHeaders(t, got.Response)
		return got
	}
	checkGood(t, post(strings.NewReader(ask(good))))
	if got := post(strings.NewReader(pad(ask(good), 10241))); got.StatusCode != 413 {
		t.Error(got.Status)
	}
	if got := post(io.MultiReader(strings.NewReader(pad(ask(good), 1<<20)))); got.StatusCode != 413 { // of unknown length
		t.Error(got.Status)
	}
	checkGood(t, post(io.MultiReader(strings.NewReader(ask(good)))))
}
