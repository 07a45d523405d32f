package vepauth_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/vepauth"
)

// connections is the number of clients. Each has one connection to each of the servers.
const connections = 32

// raceDetector reports whether the race detector is on, which makes everything ten times
// slower.
var raceDetector bool

// burst sends signed requests to two servers concurrently, over many connections.
type burst struct {
	*testing.T
	client   *http.Client
	servers  [2]string
	requests []*http.Request // signed, without a server
	accepted []atomic.Int32  // by request
	answers  [600]atomic.Int32
}

func newBurst(t *testing.T, redis *redistest.Server, requests int) *burst {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	t.Cleanup(transport.CloseIdleConnections)
	v := &burst{
		T: t, client: &http.Client{Transport: transport, Timeout: time.Minute},
		servers:  [2]string{startServer(t, redis.URL()), startServer(t, redis.URL())},
		accepted: make([]atomic.Int32, requests),
	}
	tokens, err := sharedTokens()
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.MakeToken(nil, vepauth.Grant{Result: grant(alice).Result, Scope: vepauth.Scope{Origin: rp}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range requests {
		r := mustRequest(t, "GET", fmt.Sprint(data, "?", i), nil)
		if err := vepauth.Sign(r, vepauth.Credentials{ID: token.ID, Secret: token.Secret}); err != nil {
			t.Fatal(err)
		}
		v.requests = append(v.requests, r)
	}
	return v
}

// send sends the requests with these numbers, each to both servers at once. It calls after,
// unless it is nil, with the number of requests sent.
func (v *burst) send(from, to int, after func(sent int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for i := range next {
				var both sync.WaitGroup
				for _, server := range v.servers {
					both.Go(func() { v.sendTo(server, i) })
				}
				both.Wait()
			}
		})
	}
	for i := from; i < to; i++ {
		if after != nil {
			after(i - from)
		}
		next <- i
	}
	close(next)
	wg.Wait()
}

func (v *burst) sendTo(server string, i int) {
	r := v.requests[i].Clone(v.Context())
	r.URL.Scheme, r.URL.Host = "http", server
	response, err := v.client.Do(r)
	if err != nil {
		v.Error(err)
		return
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		v.Error(err)
	}
	v.answers[response.StatusCode].Add(1)
	if response.StatusCode == 200 {
		v.accepted[i].Add(1)
	}
}

// take returns how many answers had a status since the last call for it.
func (v *burst) take(status int) int { return int(v.answers[status].Swap(0)) }

// expect checks the number of answers of each kind, and that there are no others.
func (v *burst) expect(what string, accepted, refused, unavailable int) {
	v.Helper()
	got := [...]int{v.take(200), v.take(401), v.take(503)}
	if got != [...]int{accepted, refused, unavailable} {
		v.Errorf("%s: %d accepted, %d refused, %d unavailable; want %d, %d, %d", what, got[0], got[1], got[2], accepted, refused, unavailable)
	}
	for status := range v.answers {
		if n := v.take(status); n > 0 {
			v.Errorf("%s: %d answers of %d", what, n, status)
		}
	}
}

// TestReplayToAnotherProcess checks that two server processes that share Redis accept each of
// many requests exactly once, although both get each request at once.
func TestReplayToAnotherProcess(t *testing.T) {
	n := 10_000
	if testing.Short() || raceDetector {
		n = 1000
	}
	v := newBurst(t, redistest.Start(t), n)
	v.send(0, n, nil)
	v.expect("at once", n, n, 0)
	for i := range v.accepted {
		if got := v.accepted[i].Load(); got != 1 {
			t.Errorf("request %d was accepted %d times", i, got)
		}
	}
	v.send(0, n/10, nil)
	v.expect("replayed", 0, n/10*2, 0)
}

// TestReplayWhileRedisCrashes kills Redis during the requests and restarts it later. While it
// is down every answer is 503, and no request is ever accepted twice.
func TestReplayWhileRedisCrashes(t *testing.T) {
	part := 250
	if testing.Short() || raceDetector {
		part = 100
	}
	some := part / 5
	redis := redistest.Start(t)
	v := newBurst(t, redis, 4*part)

	v.send(0, 2*part, func(sent int) {
		if sent == part {
			redis.Kill()
		}
	})
	if v.take(503) == 0 || v.take(200) == 0 {
		t.Error("nothing was accepted before the crash, or nothing refused after")
	}
	v.take(401)

	v.send(2*part, 2*part+some, nil)
	v.expect("without Redis", 0, 0, 2*some)

	v.send(2*part+some, 3*part, func(sent int) {
		if sent == some {
			redis.Restart()
		}
	})
	v.awaitRedis(3 * part)
	v.send(3*part+1, 4*part, nil)
	if fresh := v.take(200); fresh == 0 {
		t.Error("nothing is accepted after the restart")
	}
	v.send(0, 4*part, nil) // every request again
	v.send(0, 4*part, nil)
	for i := range v.accepted {
		if got := v.accepted[i].Load(); got > 1 {
			t.Errorf("request %d was accepted %d times", i, got)
		}
	}
	v.take(200)
	v.take(401)
	v.send(0, part, nil)
	v.expect("in the end", 0, 2*part, 0)
}

// awaitRedis repeats a request until neither server answers 503.
func (v *burst) awaitRedis(i int) {
	v.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		v.take(503)
		v.send(i, i+1, nil)
		if v.take(503) == 0 {
			return
		}
	}
	v.Fatal("the servers do not find Redis again")
}
