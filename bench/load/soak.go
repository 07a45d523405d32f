package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/bench/internal/workload"
)

// What resident memory may do after the first third of the soak, in percent.
const (
	soakGrowth = 10 // of the median, from the first half to the second
	soakPeak   = 50 // above the median; a busy machine answers late, and more requests wait
)

// soak measures the memory of the service under good and bad requests.
func soak(ctx context.Context, o options, out io.Writer) (err error) {
	issuers, err := workload.NewManyIssuers(o.issuers, o.issuers, time.Now())
	if err != nil {
		return err
	}
	n, err := newNetwork(o.dir, hosts{issuers})
	if err != nil {
		return err
	}
	defer n.Close()
	s, err := startService(o, n, "--timeout", "2s")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	ctx, cancel := context.WithTimeout(ctx, o.soak)
	defer cancel()
	memory := watch(ctx, s, out)
	a := soakRequests(ctx, o, s.Addr, issuers)
	return (<-memory).check(out, a)
}

// soakConnections is the number of connections of the soak.
const soakConnections = 64

// soakRequests sends the mix until ctx ends.
func soakRequests(ctx context.Context, o options, addr string, issuers *workload.ManyIssuers) *answered {
	all := new(answered)
	for round := 0; ctx.Err() == nil; round++ {
		requests := mix(issuers, o.soakRate*10, round)
		start := time.Now()
		due := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second / time.Duration(o.soakRate)) }
		a := fire(ctx, addr, soakConnections, requests, due)
		for v := range a.counts {
			all.counts[v] += a.counts[v] // without the times, which would fill the memory
		}
	}
	return all
}

// mix returns n requests, three in four with a valid assertion. All assertions occur before
// any repeats, so that as many issuers as possible are named.
func mix(issuers *workload.ManyIssuers, n, round int) [][]byte {
	random := rand.New(rand.NewPCG(uint64(round), 1))
	requests := make([][]byte, n)
	for i := range requests {
		text := issuers.Texts[(round*n+i)%len(issuers.Texts)]
		requests[i] = request(text)
		if random.IntN(4) == 0 {
			requests[i] = badRequests[random.IntN(len(badRequests))](text, random)
		}
	}
	return requests
}

// badRequests make bad requests of an assertion.
var badRequests = []func(text string, random *rand.Rand) []byte{
	func(text string, random *rand.Rand) []byte { return request(text[:random.IntN(len(text))]) },
	func(text string, random *rand.Rand) []byte { // another letter somewhere
		i := random.IntN(len(text))
		return request(text[:i] + "x" + text[i+1:])
	},
	func(text string, random *rand.Rand) []byte { // not a token
		return request(strings.Repeat("x", random.IntN(3000)) + text)
	},
	func(text string, _ *rand.Rand) []byte {
		return bytes.Replace(request(text), []byte("https://rp."), []byte("https://no."), 1)
	},
	func(text string, _ *rand.Rand) []byte { return post([]byte(`{"assertion":` + text)) },
	func(string, *rand.Rand) []byte { return post([]byte("{}")) },
	func(text string, _ *rand.Rand) []byte { return post([]byte(strings.Repeat(text, 9))) }, // too large
	func(string, *rand.Rand) []byte { return []byte("GET /v2 HTTP/1.1\r\nHost: verifier\r\n\r\n") },
	func(string, *rand.Rand) []byte { return []byte("GET / HTTP/1.1\r\nHost: " + "verifier\x00\r\n\r\n") },
}

// hosts serves the issuers' documents. One in ten is faulty.
type hosts struct{ issuers *workload.ManyIssuers }

// ServeHTTP implements http.Handler.
func (h hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	document := h.issuers.Document(r.Host)
	w.Header().Set("Content-Type", "application/json")
	switch digit := strings.TrimSuffix(r.Host, ".example"); {
	case document == nil:
		w.WriteHeader(http.StatusNotFound)
	case strings.HasSuffix(digit, "03"):
		w.WriteHeader(http.StatusInternalServerError)
	case strings.HasSuffix(digit, "13"):
		_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20))
	case strings.HasSuffix(digit, "23"):
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html>")
	case strings.HasSuffix(digit, "33"):
		_, _ = w.Write(document[:len(document)/2])
	case strings.HasSuffix(digit, "43"):
		panic(http.ErrAbortHandler)
	case strings.HasSuffix(digit, "553"): // one in a thousand does not answer
		<-r.Context().Done()
	default:
		_, _ = w.Write(document)
	}
}

// memory is the resident memory of a process, in bytes, once a second.
type memory struct {
	samples []int64
	err     error
}

// watch reads the memory once a second until ctx ends, and prints it every 30 s.
func watch(ctx context.Context, s *service, out io.Writer) <-chan memory {
	result := make(chan memory, 1)
	go func() {
		var m memory
		defer func() { result <- m }()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			resident, err := s.Resident()
			if err != nil {
				m.err = err
				return
			}
			m.samples = append(m.samples, resident)
			if n := len(m.samples); n%30 == 0 {
				fmt.Fprintf(out, "after %d s: %.1f MiB resident\n", n, mib(resident))
			}
		}
	}()
	return result
}

// check prints the figures. It returns an error if memory grew or had a high peak, or if a request
// had no answer.
func (m memory) check(out io.Writer, a *answered) error {
	if m.err != nil {
		return m.err
	}
	settled := m.samples[len(m.samples)/3:]
	if len(settled) < 2 {
		return errors.New("too short to measure memory")
	}
	low, high, middle := mib(slices.Min(settled)), mib(slices.Max(settled)), median(settled, mib)
	growth := percent(median(settled[len(settled)/2:], mib), median(settled[:len(settled)/2], mib))
	fmt.Fprintf(out, "soak, %d s: %v\n", len(m.samples), a.named())
	fmt.Fprintf(out, "resident after the first third: %.1f to %.1f MiB, median %.1f (%+.1f %% to %+.1f %%), growth %+.1f %%\n",
		low, high, middle, percent(low, middle), percent(high, middle), growth)
	switch {
	case growth > soakGrowth:
		return fmt.Errorf("resident memory grew by more than %d %%", soakGrowth)
	case percent(high, middle) > soakPeak:
		return fmt.Errorf("a peak of resident memory is more than %d %% above its median", soakPeak)
	}
	if a.counts[okay] == 0 || a.counts[broken] > 0 {
		return errors.New("no request was okay, or a request had no answer")
	}
	return nil
}

func percent(x, of float64) float64 { return 100 * (x/of - 1) }
