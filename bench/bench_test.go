package bench_test

import (
	"context"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/bench/internal/workload"
)

// measured is the mint of the benchmarks; pools are minted when first wanted.
var measured = sync.OnceValues(func() (*workload.Mint, error) { return workload.NewMint(workload.PoolSize) })

func BenchmarkVerify(b *testing.B) {
	each(b, workload.Pair.States, func(b *testing.B, r *workload.Runner) {
		for b.Loop() {
			if _, err := r.Verify(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerifyParallel(b *testing.B) {
	each(b, workload.Pair.States, func(b *testing.B, r *workload.Runner) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := r.Verify(context.Background()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkVerifyFirst is apart from BenchmarkVerify because no goal is set for
// it: every cache is on, and the user is new.
func BenchmarkVerifyFirst(b *testing.B) {
	first := func(workload.Pair) []workload.State { return []workload.State{workload.First} }
	each(b, first, func(b *testing.B, r *workload.Runner) {
		for b.Loop() {
			if _, err := r.Verify(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// each runs measure as <issuer>-<user>/<state>. A pair's pools are dropped
// before the next pair's are minted, so that memory stays small.
func each(b *testing.B, states func(workload.Pair) []workload.State, measure func(*testing.B, *workload.Runner)) {
	mint, err := measured()
	if err != nil {
		b.Fatal(err)
	}
	for _, pair := range workload.Pairs() {
		b.Run(pair.String(), func(b *testing.B) {
			runners := make(map[workload.State]func() (*workload.Runner, error))
			for _, s := range states(pair) {
				runners[s] = sync.OnceValues(func() (*workload.Runner, error) { return ready(mint, pair, s) })
				b.Run(string(s), func(b *testing.B) {
					r, err := runners[s]()
					if err != nil {
						b.Fatal(err)
					}
					b.ReportAllocs()
					b.ResetTimer()
					measure(b, r)
				})
			}
		})
	}
}

func ready(mint *workload.Mint, p workload.Pair, s workload.State) (*workload.Runner, error) {
	pool, err := mint.Pool(p, s)
	if err != nil {
		return nil, err
	}
	return mint.NewRunner(pool, s)
}
