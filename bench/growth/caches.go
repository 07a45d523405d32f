package main

import (
	"context"
	"runtime"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/wellknown"
)

// cacheSizes exceed the default sizes, so that the bounds on bytes take effect.
var cacheSizes = []int{256, 1024, 4096, 16384}

// visits is enough for a key to get a table.
const visits = 4

// measureCaches fills the verifier's caches, one at a time, to each size. Key tables are
// made for keys of cached certificates, whose memory is subtracted.
func measureCaches(ctx context.Context, o options, g *report.Growth) error {
	for _, n := range o.cacheSizes {
		issuers, err := workload.NewManyIssuers(1, n, workload.Now)
		if err != nil {
			return err
		}
		certificates, err := filled(ctx, issuers, assertion.Config{CertificateCache: n, KeyTables: off})
		if err != nil {
			return err
		}
		both, err := filled(ctx, issuers, assertion.Config{CertificateCache: n, KeyTables: n})
		if err != nil {
			return err
		}
		g.Caches = append(g.Caches,
			report.CacheFigure{Cache: "certificates", Entries: n, Megabytes: megabytes(certificates)},
			report.CacheFigure{Cache: "key tables", Entries: n, Megabytes: megabytes(both - certificates)})
	}
	return nil
}

// filled returns the heap bytes of a verifier after several visits of every user.
func filled(ctx context.Context, issuers *workload.ManyIssuers, c assertion.Config) (int64, error) {
	before := heap()
	v, _, err := newVerifier(issuers, wellknown.Config{}, c)
	if err != nil {
		return 0, err
	}
	for _, text := range issuers.Texts {
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
