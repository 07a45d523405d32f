package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// openLoop sends each request when it is due, whether or not answers have arrived, over as
// many connections as needed.
type openLoop struct {
	addr      string
	requests  [][]byte
	perSecond float64
	// answered is called with each answer, one at a time. took starts when the request
	// was due.
	answered func(i int, v verdict, body []byte, took time.Duration)

	mu   sync.Mutex // guards answered and idle
	idle []*client
}

// run sends the requests, the first one at start, and returns when all are answered.
func (l *openLoop) run(ctx context.Context, start time.Time) {
	var all sync.WaitGroup
	for i, request := range l.requests {
		due := start.Add(time.Duration(float64(i) / l.perSecond * float64(time.Second)))
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		all.Go(func() { l.send(i, request, due) })
	}
	all.Wait()
	for _, c := range l.idle {
		c.close()
	}
}

func (l *openLoop) send(i int, request []byte, due time.Time) {
	c := l.client()
	v := c.ask(request)
	took := time.Since(due)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered(i, v, c.body, took)
	l.idle = append(l.idle, c)
}

// client returns the idle connection that was used last, or a new one.
func (l *openLoop) client() *client {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.idle); n > 0 {
		c := l.idle[n-1]
		l.idle = l.idle[:n-1]
		return c
	}
	return &client{addr: l.addr}
}

// hostileRun is the result of one run.
type hostileRun struct {
	honest, hostile answered
	wrong           int // honest requests with a verdict other than okay, refused or undecided
	serveCPU        time.Duration
	loaderCPU       time.Duration
	peak            int64 // bytes
	fetches         Fetches
}

// hostileTest is one service, its honest requests, and one attack on it.
type hostileTest struct {
	options
	binary   string
	attack   hostileAttack
	honest   *honest
	requests [][]byte // hostile
	rate     float64
	document func(host string) []byte
	tls      *tls.Certificate
}

// run starts a service, warms it up, and attacks it.
func (t *hostileTest) run(ctx context.Context) (r *hostileRun, err error) {
	hosts := &hostileHosts{honest: t.honest.documents, attack: t.document, tls: t.tls, fetches: make(map[string]int)}
	n, err := newNetwork(t.dir, hosts)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	o := t.options
	o.binary = t.binary
	s, err := startService(o, n, append([]string{"--fallback", fallbackDomain}, t.attack.flags...)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	if a := fire(ctx, s.Addr, 4, texts(t.honest.warmUp), nil); a.counts[okay] != len(t.honest.warmUp) {
		return nil, fmt.Errorf("some warm-up requests were not okay: %v", a.named())
	}
	if t.attack.outage {
		outage := time.AfterFunc(t.hostile.duration/2, func() { hosts.outage.Store(true) })
		defer outage.Stop()
	}
	if r, err = t.load(ctx, s); err != nil {
		return nil, err
	}
	r.fetches = hosts.fetched()
	r.peak, err = s.peak()
	return r, err
}

// load sends both kinds of requests for the duration of a run.
func (t *hostileTest) load(ctx context.Context, s *service) (*hostileRun, error) {
	r := new(hostileRun)
	good := &openLoop{addr: s.Addr, requests: texts(t.honest.measured), perSecond: t.hostile.honestRate,
		answered: func(i int, v verdict, body []byte, took time.Duration) {
			r.honest.add(v, took)
			if v == failure || v == okay && !bytes.Contains(body, []byte(`"`+t.honest.measured[i].email+`"`)) {
				r.wrong++
			}
		}}
	bad := &openLoop{addr: s.Addr, requests: t.requests, perSecond: t.rate,
		answered: func(_ int, v verdict, _ []byte, took time.Duration) { r.hostile.add(v, took) }}
	serve, err := s.cpu()
	if err != nil {
		return nil, err
	}
	own, start := ownCPU(), time.Now()
	var both sync.WaitGroup
	both.Go(func() { good.run(ctx, start) })
	both.Go(func() { bad.run(ctx, start) })
	both.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	after, err := s.cpu()
	r.serveCPU, r.loaderCPU = after-serve, ownCPU()-own
	return r, err
}

func texts(requests []honestRequest) [][]byte {
	all := make([][]byte, len(requests))
	for i, r := range requests {
		all[i] = r.text
	}
	return all
}

// cpu returns the processor time of the service, to hundredths of a second.
func (s *service) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may have spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("/proc has no processor time")
	}
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err, err2)
}

// peak returns the service's peak of resident memory, in bytes.
func (s *service) peak() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("/proc has no peak of resident memory")
}
