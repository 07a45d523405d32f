package main

import (
	"context"
	"runtime"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/wellknown"
)

// cacheSizes go past the default sizes, where the bounds on bytes hold.
var cacheSizes = []int{256, 1024, 4096, 16384}

// visits are enough for a key to get its table.
const visits = 4

// measureCaches fills the verifier's caches, one at a time, to each size. Key
// tables are for keys of remembered certificates: what these take is taken off.
func measureCaches(ctx context.Context, o options, g *report.Growth) error {
	for _, n := range o.cacheSizes {
		crowd, err := workload.NewCrowd(1, n, workload.Now)
		if err != nil {
			return err
		}
		certificates, err := filled(ctx, crowd, assertion.Config{CertificateCache: n, KeyTables: off})
		if err != nil {
			return err
		}
		both, err := filled(ctx, crowd, assertion.Config{CertificateCache: n, KeyTables: n})
		if err != nil {
			return err
		}
		g.Caches = append(g.Caches,
			report.CacheFigure{Cache: "certificates", Entries: n, Megabytes: megabytes(certificates)},
			report.CacheFigure{Cache: "key tables", Entries: n, Megabytes: megabytes(both - certificates)})
	}
	return nil
}

// filled gives the bytes that a verifier holds on to after it has seen everybody
// in the crowd some times.
func filled(ctx context.Context, crowd *workload.Crowd, c assertion.Config) (int64, error) {
	before := heap()
	v, _, err := crowdVerifier(crowd, wellknown.Config{}, c)
	if err != nil {
		return 0, err
	}
	for _, text := range crowd.Texts {
		for range visits {
			if _, err := v.Verify(ctx, text, workload.Audience); err != nil {
				return 0, err
			}
		}
	}
	held := heap() - before
	runtime.KeepAlive(v)
	return held, nil
}
