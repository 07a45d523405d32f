package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/wellknown"
)

// off switches a cache of assertion.Config off.
const off = -1

// measureIssuers has assertions come from more and more issuers at random, in
// the default configuration but for the certificates, which are not remembered:
// the users of a smaller crowd would come back sooner and blur the picture.
// Numbers of issuers that do not fit the resolver's default bounds are measured
// with bounds in which they fit, too.
func measureIssuers(ctx context.Context, o options, g *report.Growth) error {
	for n := 1; n <= o.maxIssuers; n *= 10 {
		crowd, err := workload.NewCrowd(n, max(n, o.pool), workload.Now)
		if err != nil {
			return err
		}
		bounds := []string{"default"}
		if n >= fits {
			bounds = append(bounds, "raised")
		}
		for _, bound := range bounds {
			f, err := issuersFigure(ctx, o, crowd, bound)
			if err != nil {
				return err
			}
			g.Issuers = append(g.Issuers, f)
		}
	}
	return nil
}

// fits is a number of issuers from which on the resolver's default bounds may be
// too narrow.
const fits = 1000

func issuersFigure(ctx context.Context, o options, crowd *workload.Crowd, bound string) (f report.IssuersFigure, err error) {
	var config wellknown.Config
	if bound == "raised" {
		config = wellknown.Config{MaxEntries: 2 * len(crowd.Domains), MaxBytes: 1 << 40}
	}
	before := heap()
	v, resolver, err := crowdVerifier(crowd, config, assertion.Config{CertificateCache: off})
	if err != nil {
		return f, err
	}
	for _, domain := range crowd.Domains {
		if _, err := resolver.Authority(ctx, domain, domain); err != nil {
			return f, err
		}
	}
	fetches := crowd.Fetches()
	var turn atomic.Int64
	rate, err := throughput(ctx, runtime.NumCPU(), runtime.NumCPU(), o.duration, func() error {
		i := turn.Add(1) % int64(len(crowd.Texts))
		_, err := v.Verify(ctx, crowd.Texts[i], workload.Audience)
		return err
	})
	if err != nil {
		return f, err
	}
	f = report.IssuersFigure{
		Issuers: len(crowd.Domains), Bounds: bound, PerSecond: rate,
		Fetches:   100 * float64(crowd.Fetches()-fetches) / float64(turn.Load()),
		Megabytes: megabytes(heap() - before),
	}
	runtime.KeepAlive(v)
	return f, nil
}

// crowdVerifier makes a verifier that knows nothing yet, and its resolver.
func crowdVerifier(crowd *workload.Crowd, w wellknown.Config, a assertion.Config) (*assertion.Verifier, *wellknown.Resolver, error) {
	w.InsecureTransport = crowd
	w.Now = func() time.Time { return workload.Now }
	resolver, err := wellknown.NewResolver(w)
	if err != nil {
		return nil, nil, err
	}
	a.Keys, a.Now = resolver, w.Now
	v, err := assertion.NewVerifier(a)
	return v, resolver, err
}

// heap gives the bytes of what is alive.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one only got ready to free
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }
