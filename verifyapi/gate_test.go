package verifyapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/verifyapi"
	"github.com/vepverify/vepverify/wellknown"
)

// The tests of this file run in bubbles of package synctest: time advances only
// when all goroutines are blocked, and Wait returns when they are.

// start sends a request for a verification, and returns a channel for the response.
func (w *watched) start(ctx context.Context, body string) <-chan *http.Response {
	answer := make(chan *http.Response, 1)
	r := httptest.NewRequestWithContext(ctx, "POST", "/v2", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	go func() {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		answer <- rec.Result()
	}()
	return answer
}

// responseOf returns a response that must have been sent.
func responseOf(t *testing.T, answer <-chan *http.Response) reply {
	t.Helper()
	select {
	case r := <-answer:
		return read(t, r, nil)
	default:
		t.Fatal("no response yet")
		return reply{}
	}
}

// checkUnanswered checks that the requests have no response yet.
func checkUnanswered(t *testing.T, answers ...<-chan *http.Response) {
	t.Helper()
	for i, answer := range answers {
		select {
		case r := <-answer:
			t.Fatalf("request %d has a response already: %s", i, r.Status)
		default:
		}
	}
}

// countAnswered returns how many of the requests have a response.
func countAnswered(answers []<-chan *http.Response) (n int) {
	for _, answer := range answers {
		n += len(answer)
	}
	return n
}

// checkGauges checks the values of the three gauges.
func (w *watched) checkGauges(t *testing.T, inFlight, queued, lookups string) {
	t.Helper()
	for name, want := range map[string]string{
		"vepverify_verifications_in_flight": inFlight, "vepverify_verifications_queued": queued, "vepverify_lookups_waiting": lookups,
	} {
		if got := w.metric(t, name); got != want {
			t.Errorf("%s %s, not %s", name, got, want)
		}
	}
}

// checkTooBusy checks that the request was refused as "too busy".
func checkTooBusy(t *testing.T, r reply) {
	t.Helper()
	checkHeaders(t, r.Response)
	if r.StatusCode != 503 || r.body != `{"status":"failure","reason":"too busy"}` || r.Header.Get("Retry-After") != "1" {
		t.Errorf("%s %v %s", r.Status, r.Header, r.body)
	}
}

// checkGood checks the response to a request that asks for good.
func checkGood(t *testing.T, r reply) {
	t.Helper()
	if r.StatusCode != 200 || r.body != goodAnswer {
		t.Errorf("%s %s", r.Status, r.body)
	}
}

// blocking returns a verifier of which each verification waits for one release.
func blocking(t *testing.T) (v *assertion.Verifier, release chan struct{}) {
	release = make(chan struct{})
	return newVerifier(t, assertion.Config{Keys: source(func(ctx context.Context, _ string) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})}), release
}

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, release := blocking(t)
		w := watch(t, verifyapi.Config{Verifier: v, InFlight: 2, Queue: 1})
		first, second := w.start(t.Context(), ask(good)), w.start(t.Context(), ask(good))
		synctest.Wait()
		third := w.start(t.Context(), ask(good))
		synctest.Wait()
		w.checkGauges(t, "2", "1", "0")

		fourth := w.start(t.Context(), ask(good))
		synctest.Wait()
		checkTooBusy(t, responseOf(t, fourth))
		checkUnanswered(t, first, second, third)

		// A wrong request is refused without a place.
		wrong := w.start(t.Context(), "{}")
		synctest.Wait()
		if r := responseOf(t, wrong); r.StatusCode != 400 {
			t.Errorf("%s %s", r.Status, r.body)
		}

		// The request in the queue is next, and leaves room for another one.
		release <- struct{}{}
		synctest.Wait()
		w.checkGauges(t, "2", "0", "0")
		fifth := w.start(t.Context(), ask(good))
		synctest.Wait()
		w.checkGauges(t, "2", "1", "0")
		for range 4 - 1 {
			release <- struct{}{}
		}
		synctest.Wait()
		for _, answer := range []<-chan *http.Response{first, second, third, fifth} {
			checkGood(t, responseOf(t, answer))
		}
		w.checkGauges(t, "0", "0", "0")
		if n := w.metric(t, `vepverify_verifications_total{class="queue_full",result="shed"}`); n != "1" {
			t.Errorf("%s were shed", n)
		}
		if log := w.log.String(); !strings.Contains(log, `level=WARN msg="too busy" error="too busy: the queue is full`) {
			t.Errorf("the cause is not logged: %s", log)
		}
	})
}

func TestNoQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, release := blocking(t)
		w := watch(t, verifyapi.Config{Verifier: v, InFlight: 1, Queue: -1})
		first := w.start(t.Context(), ask(good))
		synctest.Wait()
		second := w.start(t.Context(), ask(good))
		synctest.Wait()
		checkTooBusy(t, responseOf(t, second))
		release <- struct{}{}
		synctest.Wait()
		checkGood(t, responseOf(t, first))
	})
}

func TestQueueTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, release := blocking(t)
		w := watch(t, verifyapi.Config{Verifier: v, InFlight: 1, Queue: 1, QueueTimeout: time.Minute})
		first := w.start(t.Context(), ask(good))
		synctest.Wait()
		second := w.start(t.Context(), ask(good))
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		checkUnanswered(t, first, second)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		checkTooBusy(t, responseOf(t, second))
		w.checkGauges(t, "1", "0", "0")
		release <- struct{}{}
		synctest.Wait()
		checkGood(t, responseOf(t, first))
	})
}

// TestClientDisconnects checks that a client that has gone takes no place, and is not
// logged as an error.
func TestClientDisconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, release := blocking(t)
		w := watch(t, verifyapi.Config{Verifier: v, InFlight: 1, Queue: 1})
		ctx, disconnect := context.WithCancel(t.Context())
		running := w.start(ctx, ask(good))
		synctest.Wait()
		waiting := w.start(ctx, ask(good))
		synctest.Wait()
		w.checkGauges(t, "1", "1", "0")
		disconnect()
		synctest.Wait()
		responseOf(t, running)
		responseOf(t, waiting)
		w.checkGauges(t, "0", "0", "0")
		if n := w.metric(t, `vepverify_verifications_total{class="client_gone",result="cancelled"}`); n != "2" {
			t.Errorf("%s cancelled", n)
		}
		for line := range strings.Lines(w.log.String()) {
			if !strings.Contains(line, "level=DEBUG") {
				t.Errorf("logged: %s", line)
			}
		}
		next := w.start(t.Context(), ask(good))
		release <- struct{}{}
		synctest.Wait()
		checkGood(t, responseOf(t, next))
	})
}

// network is the transport of a resolver. A host answers when its channel is closed.
type network struct {
	t        *testing.T
	released map[string]chan struct{} // a host without a channel never answers
	status   map[string]int           // of a host that answers at once, without a document
}

// RoundTrip returns the same document for every host.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if status := n.status[r.URL.Host]; status != 0 {
		return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Body: http.NoBody}, nil
	}
	select {
	case <-n.released[r.URL.Host]:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(string(idp.Document().JSON()))),
	}, nil
}

// slowNetwork is a network on which idp.example answers at once and the other hosts
// when their channel is closed, and a resolver on it.
func slowNetwork(t *testing.T, hosts ...string) (*network, *wellknown.Resolver) {
	n := &network{t: t, released: map[string]chan struct{}{"idp.example": make(chan struct{})}}
	close(n.released["idp.example"])
	for _, host := range hosts {
		n.released[host] = make(chan struct{})
	}
	r, err := wellknown.NewResolver(wellknown.Config{InsecureTransport: n})
	if err != nil {
		t.Fatal(err)
	}
	return n, r
}

// from returns an assertion by the issuer host, for a user of that host.
func from(host string) string {
	return idptest.New(host, idptest.Key("RS256")).At(now).Backed("alice@"+host, user, audience)
}

// TestSlowIssuers checks that slow issuers delay only the requests that need them.
func TestSlowIssuers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, resolver := slowNetwork(t, "a.example", "b.example", "c.example")
		w := watch(t, verifyapi.Config{
			Verifier: newVerifier(t, assertion.Config{Keys: resolver}), InFlight: 1, Queue: -1, Lookups: 2,
		})
		known := func() {
			t.Helper()
			answer := w.start(t.Context(), ask(good))
			synctest.Wait()
			checkGood(t, responseOf(t, answer))
		}
		known()
		a := w.start(t.Context(), ask(from("a.example")))
		synctest.Wait()
		w.checkGauges(t, "0", "0", "1")
		known()
		b := w.start(t.Context(), ask(from("b.example")))
		synctest.Wait()
		w.checkGauges(t, "0", "0", "2")
		known()

		c := w.start(t.Context(), ask(from("c.example")))
		synctest.Wait()
		checkTooBusy(t, responseOf(t, c))
		known()
		checkUnanswered(t, a, b)

		close(n.released["a.example"])
		synctest.Wait()
		if r := responseOf(t, a); !strings.Contains(r.body, `"issuer":"a.example"`) {
			t.Errorf("%s", r.body)
		}
		// A lookup of an issuer that never answers times out.
		time.Sleep(8 * time.Second)
		synctest.Wait()
		if r := responseOf(t, b); r.StatusCode != 200 || !strings.Contains(r.body, `"undecided":true`) {
			t.Errorf("%s %s", r.Status, r.body)
		}
		w.checkGauges(t, "0", "0", "0")
		for name, want := range map[string]string{
			`vepverify_verifications_total{class="lookups_full",result="shed"}`:     "1",
			`vepverify_verifications_total{class="unavailable",result="undecided"}`: "1",
			`vepverify_lookups_total{result="supported"}`:                           "2",
			`vepverify_lookups_total{result="unavailable"}`:                         "1",
			`vepverify_lookups_total{result="shed"}`:                                "1",
			`vepverify_lookup_cache_hits_total`:                                     "3",
		} {
			if got := w.metric(t, name); got != want {
				t.Errorf("%s %s, not %s", name, got, want)
			}
		}
	})
}

// TestPlaceAfterLookup checks that a request waits for a place again after its
// lookup, and that the limit of the queue does not apply.
func TestPlaceAfterLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, resolver := slowNetwork(t, "a.example")
		hold := make(chan struct{})
		w := watch(t, verifyapi.Config{
			Verifier: newVerifier(t, assertion.Config{Keys: holdingSource{resolver, hold}}), InFlight: 1, Queue: -1,
		})
		ctx, disconnect := context.WithCancel(t.Context())
		a := w.start(t.Context(), ask(from("a.example")))
		synctest.Wait() // until it has released its place: the next request finds no other, and no queue
		gone := w.start(ctx, ask(from("a.example")))
		synctest.Wait()
		w.checkGauges(t, "0", "0", "2")
		holder := w.start(t.Context(), ask(from("hold.example")))
		synctest.Wait()
		w.checkGauges(t, "1", "0", "2")

		close(n.released["a.example"])
		synctest.Wait()
		checkUnanswered(t, a, gone, holder)
		w.checkGauges(t, "1", "0", "2")

		disconnect()
		synctest.Wait()
		responseOf(t, gone)
		w.checkGauges(t, "1", "0", "1")

		close(hold)
		synctest.Wait()
		responseOf(t, holder)
		if r := responseOf(t, a); !strings.Contains(r.body, `"issuer":"a.example"`) {
			t.Errorf("%s", r.body)
		}
		w.checkGauges(t, "0", "0", "0")
	})
}

// holdingSource is a resolver. A lookup of hold.example keeps its place until hold
// is closed.
type holdingSource struct {
	*wellknown.Resolver
	hold chan struct{}
}

func (s holdingSource) Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	if host == "hold.example" {
		<-s.hold
		return nil, errors.New("held long enough")
	}
	return s.Resolver.Authority(ctx, host, emailDomain)
}

// blockingGuard is a one-use guard that waits for release, so that a test sees the
// verifications that have a place.
type blockingGuard struct {
	release chan struct{}
	waiting atomic.Int64 // calls
}

func (g *blockingGuard) FirstUse(context.Context, string, time.Time) (bool, error) {
	g.waiting.Add(1)
	<-g.release
	g.waiting.Add(-1)
	return true, nil
}

// TestDisconnectInLookup checks that requests whose clients disconnect during a
// lookup do not all run at once when it ends.
func TestDisconnectInLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, resolver := slowNetwork(t, "a.example")
		guard := &blockingGuard{release: make(chan struct{})}
		w := watch(t, verifyapi.Config{
			Verifier: newVerifier(t, assertion.Config{Keys: resolver, OneUse: guard}), InFlight: 1, Queue: -1,
		})
		ctx, disconnect := context.WithCancel(t.Context())
		var gone []<-chan *http.Response
		for range 5 {
			gone = append(gone, w.start(ctx, ask(from("a.example"))))
			synctest.Wait()
		}
		w.checkGauges(t, "0", "0", "5")
		close(n.released["a.example"])
		synctest.Wait()
		w.checkGauges(t, "1", "0", "4")
		disconnect()
		synctest.Wait()
		for range gone {
			if n := guard.waiting.Load(); n > 2 {
				t.Errorf("%d verifications at once, with one place and clients that have gone", n)
			}
			guard.release <- struct{}{}
			synctest.Wait()
		}
		for _, answer := range gone {
			responseOf(t, answer)
		}
		w.checkGauges(t, "0", "0", "0")
	})
}

// TestLookupsOfOneDomain checks that requests for stalled hosts of one registrable
// domain leave lookups to other domains.
func TestLookupsOfOneDomain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := []string{"b.example", "c.example"}
		for i := range 20 {
			hosts = append(hosts, fmt.Sprintf("h%d.wild.example", i))
		}
		n, resolver := slowNetwork(t, hosts...)
		w := watch(t, verifyapi.Config{
			Verifier: newVerifier(t, assertion.Config{Keys: resolver}), InFlight: 4, Lookups: 16,
		})
		var wild []<-chan *http.Response
		for _, host := range hosts[2:] {
			wild = append(wild, w.start(t.Context(), ask(from(host))))
			synctest.Wait()
		}
		const share = 16 / 4
		w.checkGauges(t, "0", "0", fmt.Sprint(share))
		for _, answer := range wild[share:] {
			checkTooBusy(t, responseOf(t, answer))
		}
		b, c := w.start(t.Context(), ask(from("b.example"))), w.start(t.Context(), ask(from("c.example")))
		synctest.Wait()
		checkUnanswered(t, b, c)
		close(n.released["b.example"])
		close(n.released["c.example"])
		synctest.Wait()
		for _, answer := range []<-chan *http.Response{b, c} {
			if r := responseOf(t, answer); !strings.Contains(r.body, `"status":"okay"`) {
				t.Errorf("%s %s", r.Status, r.body)
			}
		}
		if n := w.metric(t, `vepverify_verifications_total{class="lookups_of_domain",result="shed"}`); n != "16" {
			t.Errorf("%s were shed", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.checkGauges(t, "0", "0", "0")
	})
}

// TestQueuesInTurn checks that requests whose lookups end at the same time do not
// delay new requests by more than one each, nor the other way round.
func TestQueuesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, resolver := slowNetwork(t, "a.example")
		guard := &blockingGuard{release: make(chan struct{})}
		w := watch(t, verifyapi.Config{
			Verifier: newVerifier(t, assertion.Config{Keys: resolver, OneUse: guard}), InFlight: 1, Queue: 3, QueueTimeout: time.Hour,
		})
		known := w.start(t.Context(), ask(good)) // its document is fetched
		synctest.Wait()
		guard.release <- struct{}{}
		synctest.Wait()
		checkGood(t, responseOf(t, known))

		var resumed, fresh []<-chan *http.Response
		for range 3 {
			resumed = append(resumed, w.start(t.Context(), ask(from("a.example"))))
			synctest.Wait()
		}
		close(n.released["a.example"])
		synctest.Wait()
		w.checkGauges(t, "1", "0", "2")
		for range 3 {
			fresh = append(fresh, w.start(t.Context(), ask(good)))
			synctest.Wait()
		}
		w.checkGauges(t, "1", "3", "2")
		for i := range 3 { // one of each in turn; resumed requests are in any order
			guard.release <- struct{}{}
			synctest.Wait()
			if n := countAnswered(resumed); n != i+1 {
				t.Errorf("%d resumed requests have a response, want %d", n, i+1)
			}
			checkUnanswered(t, fresh[i:]...)
			guard.release <- struct{}{}
			synctest.Wait()
			checkGood(t, responseOf(t, fresh[i]))
		}
		w.checkGauges(t, "0", "0", "0")
	})
}

// watchOnePlace returns a handler with one place and a queue of one. A request that
// has the place holds it until the guard is released.
func watchOnePlace(t *testing.T, resolver *wellknown.Resolver) (*watched, *blockingGuard) {
	guard := &blockingGuard{release: make(chan struct{})}
	return watch(t, verifyapi.Config{
		Verifier: newVerifier(t, assertion.Config{Keys: resolver, OneUse: guard}), InFlight: 1, Queue: 1, QueueTimeout: time.Hour,
	}), guard
}

// TestLoadsTakePlaces checks that a fetched document is loaded in one of the places,
// and that the request that waits for it has a place afterwards.
func TestLoadsTakePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, resolver := slowNetwork(t, "a.example")
		w, guard := watchOnePlace(t, resolver)
		a := w.start(t.Context(), ask(from("a.example")))
		synctest.Wait()
		loaded := make(chan error, 1) // of the same fetch
		go func() {
			_, err := resolver.Authority(t.Context(), "a.example", "a.example")
			loaded <- err
		}()
		holder := w.start(t.Context(), ask(good))
		synctest.Wait()
		w.checkGauges(t, "1", "0", "1")
		close(n.released["a.example"])
		synctest.Wait()
		if len(loaded) > 0 {
			t.Error("the document was loaded while all places were taken")
		}
		guard.release <- struct{}{}
		synctest.Wait()
		checkGood(t, responseOf(t, holder))
		if len(loaded) != 1 {
			t.Fatal("the document is not loaded although a place is free")
		}
		if err := <-loaded; err != nil {
			t.Error(err)
		}
		guard.release <- struct{}{}
		synctest.Wait()
		if r := responseOf(t, a); !strings.Contains(r.body, `"status":"okay"`) {
			t.Errorf("%s %s", r.Status, r.body)
		}
		w.checkGauges(t, "0", "0", "0")
	})
}

// TestLoadTimeout checks that a load without a place before the deadline of its fetch
// leaves the queue, and that the place goes to others.
func TestLoadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, resolver := slowNetwork(t, "a.example")
		w, guard := watchOnePlace(t, resolver)
		a := w.start(t.Context(), ask(from("a.example")))
		synctest.Wait()
		holder := w.start(t.Context(), ask(good))
		synctest.Wait()
		close(n.released["a.example"])
		time.Sleep(time.Minute)
		synctest.Wait()
		checkUnanswered(t, holder, a) // the lookup has ended, and a waits for a place
		guard.release <- struct{}{}
		synctest.Wait()
		checkGood(t, responseOf(t, holder))
		if r := responseOf(t, a); !strings.Contains(r.body, `"undecided":true`) {
			t.Errorf("%s %s", r.Status, r.body)
		}
		next := w.start(t.Context(), ask(good))
		synctest.Wait()
		guard.release <- struct{}{}
		synctest.Wait()
		checkGood(t, responseOf(t, next))
		w.checkGauges(t, "0", "0", "0")
	})
}

// TestManyLoads checks that many lookups end, and their requests run, with one
// place.
func TestManyLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 20
		hosts := make([]string, many)
		for i := range hosts {
			hosts[i] = fmt.Sprintf("h%d.example", i)
		}
		n, resolver := slowNetwork(t, hosts...)
		w := watch(t, verifyapi.Config{
			Verifier: newVerifier(t, assertion.Config{Keys: resolver}), InFlight: 1, Queue: many, QueueTimeout: time.Hour,
		})
		var answers []<-chan *http.Response
		for _, host := range hosts {
			answers = append(answers, w.start(t.Context(), ask(from(host))), w.start(t.Context(), ask(good)))
			synctest.Wait()
		}
		for _, host := range hosts {
			close(n.released[host])
		}
		synctest.Wait()
		for _, answer := range answers {
			if r := responseOf(t, answer); !strings.Contains(r.body, `"status":"okay"`) {
				t.Errorf("%s %s", r.Status, r.body)
			}
		}
		w.checkGauges(t, "0", "0", "0")
	})
}
