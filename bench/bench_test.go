package bench_test

import (
	"context"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/bench"
)

// measured is the mint of the benchmarks; pools are minted when first wanted.
var measured = sync.OnceValues(func() (*bench.Mint, error) { return bench.NewMint(bench.PoolSize) })

func BenchmarkVerify(b *testing.B) {
	each(b, bench.Pair.States, func(b *testing.B, r *bench.Runner) {
		for b.Loop() {
			if _, err := r.Verify(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerifyParallel(b *testing.B) {
	each(b, bench.Pair.States, func(b *testing.B, r *bench.Runner) {
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
	first := func(bench.Pair) []bench.State { return []bench.State{bench.First} }
	each(b, first, func(b *testing.B, r *bench.Runner) {
		for b.Loop() {
			if _, err := r.Verify(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// each runs measure as <issuer>-<user>/<state>. A pair's pools are dropped
// before the next pair's are minted, so that memory stays small.
func each(b *testing.B, states func(bench.Pair) []bench.State, measure func(*testing.B, *bench.Runner)) {
	mint, err := measured()
	if err != nil {
		b.Fatal(err)
	}
	for _, pair := range bench.Pairs() {
		b.Run(pair.String(), func(b *testing.B) {
			runners := make(map[bench.State]func() (*bench.Runner, error))
			for _, s := range states(pair) {
				runners[s] = sync.OnceValues(func() (*bench.Runner, error) { return ready(mint, pair, s) })
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

func ready(mint *bench.Mint, p bench.Pair, s bench.State) (*bench.Runner, error) {
	pool, err := mint.Pool(p, s)
	if err != nil {
		return nil, err
	}
	return mint.NewRunner(pool, s)
}
