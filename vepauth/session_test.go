package vepauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/vepauth"
)

// TestTransportRenews checks that expired credentials are replaced after a challenge.
func TestTransportRenews(t *testing.T) {
	forAllSchemes(t, func(t *testing.T, r *remote) {
		for range 3 {
			res, err := r.client.Get(r.origin + "/x")
			wantAnswer(t, "at first", res, err, 200, alice+" ")
			r.take()
			r.advance(5*time.Minute + time.Second)

			res, err = r.client.Post(r.origin+"/x", "text/plain", streamed("x"))
			wantAnswer(t, "a body that cannot be sent again", res, err, 401, "")
			r.want(t, "a body that cannot be sent again", "POST signed /x Unauthorized")

			res, err = r.client.Get(r.origin + "/x")
			wantAnswer(t, "expired", res, err, 200, alice+" ")
			r.want(t, "expired", "GET signed /x Unauthorized", "POST /request_token OK", "GET signed /x OK")
			res, err = r.client.Get(r.origin + "/x")
			wantAnswer(t, "renewed", res, err, 200, alice+" ")
			r.want(t, "renewed", "GET signed /x OK")
		}
	})
}

// durationTokens is a TokenManager whose answers contain the duration of the tokens.
type durationTokens struct{ *vepauth.SignedTokens }

func (m durationTokens) MakeToken(r *http.Request, g vepauth.Grant) (vepauth.Token, error) {
	token, err := m.SignedTokens.MakeToken(r, g)
	token.Extra = map[string]any{"duration": 300}
	return token, err
}

// TestTransportDuration checks that a client does not use a token that it knows has expired.
func TestTransportDuration(t *testing.T) {
	c := newClock()
	tokens := signedTokens(t, vepauth.SignedTokensConfig{Now: c.now})
	r := newRemote(t, true, vepauth.Config{Tokens: durationTokens{tokens}, Now: c.now, Verifier: verifier(t, c.now)})
	r.site.clock, r.transport.Now = c, c.now
	res, err := r.client.Get(r.origin + "/x")
	wantAnswer(t, "first", res, err, 200, alice+" ")
	c.advance(299 * time.Second)
	res, err = r.client.Get(r.origin + "/x")
	wantAnswer(t, "still good", res, err, 200, alice+" ")
	r.take()
	c.advance(time.Second)
	res, err = r.client.Post(r.origin+"/x", "text/plain", streamed("x"))
	wantAnswer(t, "expired", res, err, 200, alice+" x")
	r.want(t, "expired", "POST /request_token OK", "POST signed /x OK")

	c.advance(5 * time.Minute)
	failed := errors.New("no")
	r.transport.Assertion = func(context.Context, string) (string, error) { return "", failed }
	if _, err := r.client.Get(r.origin + "/x"); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	r.want(t, "no assertion")
}

// TestTransportLoop checks that a request is sent at most twice, whatever the answers.
func TestTransportLoop(t *testing.T) {
	r := newRemote(t, false, vepauth.Config{})
	next := r.requestLog.next
	r.requestLog.next = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/request_token" {
			next.ServeHTTP(w, q)
			return
		}
		r.site.auth.Challenge(w, q)
	})
	const refused = "GET signed /x Unauthorized"
	renewed := []string{refused, "POST /request_token OK", refused}
	for _, want := range [][]string{{"GET /x Unauthorized", "POST /request_token OK", refused}, renewed, renewed} {
		res, err := r.client.Get(r.origin + "/x")
		wantAnswer(t, "always refused", res, err, 401, "")
		r.want(t, "always refused", want...)
	}
}

// TestTransportDropsRefused checks that cached credentials that were tried and refused are
// dropped, although the Transport prefers others before the challenge.
func TestTransportDropsRefused(t *testing.T) {
	r := newRemote(t, false, vepauth.Config{
		TokenURL: "/{application}/token", Applications: map[string][]string{"a": nil, "b": nil},
		ApplicationOf: func(q *http.Request) (string, string) { return q.URL.Query().Get("for"), "" },
	})
	for _, path := range []string{"/a/x?for=a", "/b/x?for=b"} {
		res, err := r.client.Get(r.origin + path)
		wantAnswer(t, path, res, err, 200, alice+" ")
	}
	r.advance(6 * time.Minute)
	for _, status := range []int{401, 200, 200} {
		res, err := r.client.Get(r.origin + "/b/x?for=a")
		wantAnswer(t, "another's path", res, err, status, alice+" ")
	}
}

// concurrently runs a function in n goroutines at once.
func concurrently(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// TestTransportShares checks that concurrent requests that need credentials share them.
func TestTransportShares(t *testing.T) {
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		r := newRemote(t, false, vepauth.Config{Scheme: scheme})
		for _, what := range []string{"none yet", "expired"} {
			concurrently(50, func(i int) {
				path := fmt.Sprintf("/%d?x=%[1]d", i)
				res, err := r.client.Post(r.origin+path, "text/plain", nil)
				wantAnswer(t, what, res, err, 200, alice+" ")
			})
			if n := r.count("POST /request_token OK"); n != 1 {
				t.Errorf("%s: %d tokens", what, n)
			}
			r.advance(6 * time.Minute)
		}
	}
}

// handlerTransport sends requests to a handler without a socket, for tests in a synctest bubble.
type handlerTransport struct{ http.Handler }

func (d handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	got := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	got.Header = r.Header.Clone()
	w := httptest.NewRecorder()
	d.ServeHTTP(w, got)
	return w.Result(), nil
}

// TestTransportSharesFailure checks that all waiting requests get the error of an exchange.
func TestTransportSharesFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		made, decided := 0, make(chan struct{})
		failed := errors.New("no")
		client := &http.Client{Transport: &vepauth.Transport{
			Base: handlerTransport{s.auth.Require(nil)}, Now: s.now,
			Assertion: func(context.Context, string) (string, error) {
				made++
				<-decided
				return "", failed
			},
		}}
		heard := make(chan error, 20)
		for range cap(heard) {
			go func() {
				_, err := client.Get(rp + "/x")
				heard <- err
			}()
		}
		synctest.Wait() // until all are waiting
		close(decided)
		for range cap(heard) {
			if err := <-heard; !errors.Is(err, failed) {
				t.Errorf("%v", err)
			}
		}
		if made != 1 {
			t.Errorf("asked for %d assertions", made)
		}
	})
}

// TestTransportContext checks that a waiting request can be canceled, and that another one
// begins an exchange if the one that began it is canceled.
func TestTransportContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		var made atomic.Int32
		client := &http.Client{Transport: &vepauth.Transport{
			Base: handlerTransport{s.auth.Require(http.HandlerFunc(echo))}, Now: s.now,
			Assertion: func(ctx context.Context, _ string) (string, error) {
				if made.Add(1) == 1 {
					<-ctx.Done()
					return "", ctx.Err()
				}
				return backed(), nil
			},
		}}
		get := func(ctx context.Context) chan error {
			done := make(chan error, 1)
			go func() {
				res, err := client.Do(mustRequest(t, "GET", rp+"/x", nil).WithContext(ctx))
				if err == nil && res.StatusCode != 200 {
					err = errors.New(res.Status)
				}
				done <- err
			}()
			synctest.Wait()
			return done
		}
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		starter, waiter, remaining := get(first), get(second), get(t.Context())
		if made.Load() != 1 {
			t.Errorf("%d exchanges at once", made.Load())
		}
		cancelSecond()
		if err := <-waiter; !errors.Is(err, context.Canceled) {
			t.Errorf("the waiting request: %v", err)
		}
		cancelFirst()
		if err := <-starter; !errors.Is(err, context.Canceled) {
			t.Errorf("the request with the exchange: %v", err)
		}
		if err := <-remaining; err != nil || made.Load() != 2 {
			t.Errorf("the remaining request: %v, after %d assertions", err, made.Load())
		}
	})
}

// TestTransportPanic checks that a panic of Assertion does not leave other requests waiting.
func TestTransportPanic(t *testing.T) {
	r := newRemote(t, false, vepauth.Config{})
	r.transport.Assertion = func(context.Context, string) (string, error) { panic("oh") }
	func() {
		defer func() { recover() }()
		r.client.Get(r.origin + "/x")
		t.Error("no panic")
	}()
	r.transport.Assertion = r.assertion
	res, err := r.client.Get(r.origin + "/x")
	wantAnswer(t, "afterwards", res, err, 200, alice+" ")
}
