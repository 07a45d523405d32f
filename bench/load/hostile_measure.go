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
	"syscall"
	"time"
)

// openLoop sends each request when it is due, whether or not answers have come,
// over as many connections as that takes.
type openLoop struct {
	addr      string
	requests  [][]byte
	perSecond float64
	// answered is called with each answer, one at a time. took counts from when
	// the request was due.
	answered func(i int, v verdict, body []byte, took time.Duration)

	mu   sync.Mutex // guards answered and idle
	idle []*client
}

// run sends the requests from start on, and returns when all have answers.
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

// client returns the connection that was used last, or a new one.
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

// hostileRun is what one run measured.
type hostileRun struct {
	honest, hostile answered
	wrong           int // honest requests with another verdict than okay, refused, or undecided
	serveCPU        time.Duration
	loaderCPU       time.Duration
	peak            int64 // bytes
	fetches         Fetches
}

// hostileTest is one service, what honest users send it, and one attack on it.
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

// run starts a service, makes it know the honest issuers, and attacks it.
func (t *hostileTest) run(ctx context.Context) (r *hostileRun, err error) {
	web := &hostileWeb{honest: t.honest.documents, attack: t.document, tls: t.tls, fetches: make(map[string]int)}
	n, err := newInternet(t.dir, web)
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
		return nil, fmt.Errorf("before the attack, not all were okay: %v", a.named())
	}
	if t.attack.outage {
		outage := time.AfterFunc(t.hostile.duration/2, func() { web.outage.Store(true) })
		defer outage.Stop()
	}
	if r, err = t.load(ctx, s); err != nil {
		return nil, err
	}
	r.fetches = web.fetched()
	r.peak, err = s.peak()
	return r, err
}

// load sends both kinds of requests for as long as the options say.
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

// ownCPU is the time that this process has had on all processors.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpu is the time that the service has had on all processors, in hundredths of a
// second.
func (s *service) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // what is before may have spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("/proc has no processor time")
	}
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err, err2)
}

// peak is the most memory that the service has had resident, in bytes.
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
