package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
)

// fire sends the requests over that many connections. Each is sent when it is due and a
// connection is free; nil due means as soon as a connection is free. After ctx ends, no
// more are sent.
func fire(ctx context.Context, addr string, connections int, requests [][]byte, due func(i int) time.Time) *answered {
	var (
		all  answered
		mu   sync.Mutex
		next atomic.Int64
		done sync.WaitGroup
	)
	for range connections {
		done.Go(func() {
			c := &client{addr: addr}
			defer c.close()
			own := new(answered)
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					break
				}
				if due != nil {
					time.Sleep(time.Until(due(i)))
				}
				sent := time.Now()
				v := c.ask(requests[i])
				own.add(v, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			all.join(own)
		})
	}
	done.Wait()
	return &all
}

// answered counts and times the answers of one load.
type answered struct {
	counts [verdicts]int
	took   [verdicts][]time.Duration
}

func (a *answered) add(v verdict, took time.Duration) {
	a.counts[v]++
	a.took[v] = append(a.took[v], took)
}

func (a *answered) join(b *answered) {
	for v := range a.counts {
		a.counts[v] += b.counts[v]
		a.took[v] = append(a.took[v], b.took[v]...)
	}
}

// percentile returns the time within which the share of requests was answered.
func percentile(took []time.Duration, share float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.SortFunc(took, cmp.Compare)
	return took[min(len(took)-1, int(share*float64(len(took))))]
}

const provider = "idp.example"

// loads measures throughput, then overload.
func loads(ctx context.Context, o options, out io.Writer) error {
	users, err := workload.NewReturningUsers(provider, o.users, time.Now())
	if err != nil {
		return err
	}
	document, err := users.Document()
	if err != nil {
		return err
	}
	n, err := newNetwork(o.dir, serveDocument(document))
	if err != nil {
		return err
	}
	defer n.Close()
	result := Result{Format: "vepverify-load/1", Date: o.Date, Machine: report.ThisMachine()}
	if result.Throughput, err = measureThroughput(ctx, o, n, users); err != nil {
		return fmt.Errorf("throughput: %w", err)
	}
	result.Throughput.print(out)
	if o.rate == 0 {
		o.rate = 2 * result.Throughput.PerSecond
	}
	if result.Overload, err = measureOverload(ctx, o, n, users); err != nil {
		return fmt.Errorf("overload: %w", err)
	}
	result.Overload.print(out)
	return o.Write("load.json", func(w io.Writer) error { return report.WriteJSON(w, result) })
}

func serveDocument(document []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "max-age=86400")
		_, _ = w.Write(document)
	})
}

// newRequests returns requests that were not sent before.
func newRequests(r *workload.ReturningUsers, n, uses int) ([][]byte, error) {
	texts, err := r.Assertions(n, uses)
	if err != nil {
		return nil, err
	}
	requests := make([][]byte, n)
	for i, text := range texts {
		requests[i] = request(text)
	}
	return requests, nil
}

func measureThroughput(ctx context.Context, o options, n *network, r *workload.ReturningUsers) (t Throughput, err error) {
	requests, err := newRequests(r, o.warmUp+o.users*o.uses, o.uses)
	if err != nil {
		return t, err
	}
	s, err := startService(o, n)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	fire(ctx, s.Addr, o.connections, requests[:o.warmUp], nil)
	limited, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	start, used := time.Now(), s.used()
	a := fire(limited, s.Addr, o.connections, requests[o.warmUp:], nil)
	took, cpu := time.Since(start), s.used().since(used, sum(a.counts))
	if a.counts[okay] == 0 || a.counts[okay] != sum(a.counts) {
		return t, fmt.Errorf("some were not okay: %v", a.named())
	}
	resident, err := s.Resident()
	return Throughput{
		Connections: o.connections, Requests: a.counts[okay], Seconds: took.Seconds(),
		PerSecond: float64(a.counts[okay]) / took.Seconds(), Times: a.times(okay), ResidentMiB: mib(resident), CPU: cpu,
	}, err
}

// overloadConnections is more than the service lets wait.
const overloadConnections = 1000

func measureOverload(ctx context.Context, o options, n *network, r *workload.ReturningUsers) (v Overload, err error) {
	rate := o.rate
	requests, err := newRequests(r, o.warmUp+int(rate*o.duration.Seconds()), o.uses)
	if err != nil {
		return v, err
	}
	s, err := startService(o, n)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	fire(ctx, s.Addr, o.connections, requests[:o.warmUp], nil)
	start, used := time.Now(), s.used()
	due := func(i int) time.Time { return start.Add(time.Duration(float64(i) / rate * float64(time.Second))) }
	a := fire(ctx, s.Addr, overloadConnections, requests[o.warmUp:], due)
	took, cpu := time.Since(start), s.used().since(used, sum(a.counts))
	if a.counts[okay]+a.counts[shed] != sum(a.counts) {
		return v, fmt.Errorf("some were neither okay nor 503: %v", a.named())
	}
	refusals, err := s.refusals()
	return Overload{
		Due: rate, Sent: float64(sum(a.counts)) / took.Seconds(), Accepted: float64(a.counts[okay]) / took.Seconds(), Refused: float64(a.counts[shed]) / took.Seconds(),
		AcceptedTimes: a.times(okay), RefusedTimes: a.times(shed), Handler: refusals, CPU: cpu,
	}, err
}

// used is the processor time of both processes.
type used struct{ service, loader time.Duration }

func (s *service) used() (u used) {
	u.service, _ = s.cpu() // 0 if the system does not report it
	u.loader = ownCPU()
	return u
}

// since returns the processor time used since before, for each of n requests.
func (u used) since(before used, n int) CPU {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(1, n)) }
	return CPU{ServiceUS: each(u.service - before.service), LoaderUS: each(u.loader - before.loader)}
}

func sum(counts [verdicts]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// named returns the counts by name, without zeros.
func (a *answered) named() map[string]int {
	m := make(map[string]int)
	for v, n := range a.counts {
		if n > 0 {
			m[verdictNames[v]] = n
		}
	}
	return m
}

func (a *answered) times(v verdict) Times {
	milliseconds := func(share float64) float64 { return float64(percentile(a.took[v], share)) / float64(time.Millisecond) }
	return Times{P50: milliseconds(0.5), P99: milliseconds(0.99), P999: milliseconds(0.999)}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
