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

// measureIssuers verifies assertions of more and more issuers in random order. The
// configuration is the default one without the cache of certificates: with few issuers
// users return sooner, which would change the figures. Numbers of issuers that may exceed
// the resolver's default bounds are measured with larger bounds too.
func measureIssuers(ctx context.Context, o options, g *report.Growth) error {
	for n := 1; n <= o.maxIssuers; n *= 10 {
		issuers, err := workload.NewManyIssuers(n, max(n, o.pool), workload.Now)
		if err != nil {
			return err
		}
		bounds := []string{"default"}
		if n >= fits {
			bounds = append(bounds, "raised")
		}
		for _, bound := range bounds {
			f, err := issuersFigure(ctx, o, issuers, bound)
			if err != nil {
				return err
			}
			g.Issuers = append(g.Issuers, f)
		}
	}
	return nil
}

// fits is the number of issuers from which the resolver's default bounds may be too
// small.
const fits = 1000

func issuersFigure(ctx context.Context, o options, issuers *workload.ManyIssuers, bound string) (f report.IssuersFigure, err error) {
	var config wellknown.Config
	if bound == "raised" {
		config = wellknown.Config{MaxEntries: 2 * len(issuers.Domains), MaxBytes: 1 << 40}
	}
	before := heap()
	v, resolver, err := newVerifier(issuers, config, assertion.Config{CertificateCache: off})
	if err != nil {
		return f, err
	}
	for _, domain := range issuers.Domains {
		if _, err := resolver.Authority(ctx, domain, domain); err != nil {
			return f, err
		}
	}
	fetches := issuers.Fetches()
	var turn atomic.Int64
	rate, err := throughput(ctx, runtime.NumCPU(), runtime.NumCPU(), o.duration, func() error {
		i := turn.Add(1) % int64(len(issuers.Texts))
		_, err := v.Verify(ctx, issuers.Texts[i], workload.Audience)
		return err
	})
	if err != nil {
		return f, err
	}
	f = report.IssuersFigure{
		Issuers: len(issuers.Domains), Bounds: bound, PerSecond: rate,
		Fetches:   100 * float64(issuers.Fetches()-fetches) / float64(turn.Load()),
		Megabytes: megabytes(heap() - before),
	}
	runtime.KeepAlive(v)
	return f, nil
}

// newVerifier returns a verifier with empty caches, and its resolver.
func newVerifier(issuers *workload.ManyIssuers, w wellknown.Config, a assertion.Config) (*assertion.Verifier, *wellknown.Resolver, error) {
	w.InsecureTransport = issuers
	w.Now = func() time.Time { return workload.Now }
	resolver, err := wellknown.NewResolver(w)
	if err != nil {
		return nil, nil, err
	}
	a.Keys, a.Now = resolver, w.Now
	v, err := assertion.NewVerifier(a)
	return v, resolver, err
}

// heap returns the bytes of live objects.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // frees what the first one only marked
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }
