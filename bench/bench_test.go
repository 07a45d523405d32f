package bench_test

import (
	"context"
	"sync"
	"testing"

	"github.com/vepverify/vepverify/bench/internal/workload"
)

// generated is the generator of the benchmarks. Pools are made when first used.
var generated = sync.OnceValues(func() (*workload.Generator, error) { return workload.NewGenerator(workload.PoolSize) })

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

// BenchmarkVerifyFirst measures the state first. It is not part of BenchmarkVerify because
// it has no goal.
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

// each runs measure as <issuer>-<user>/<state>. The pools of a pair are released before those
// of the next pair are made, so that memory stays small.
func each(b *testing.B, states func(workload.Pair) []workload.State, measure func(*testing.B, *workload.Runner)) {
	generator, err := generated()
	if err != nil {
		b.Fatal(err)
	}
	for _, pair := range workload.Pairs() {
		b.Run(pair.String(), func(b *testing.B) {
			runners := make(map[workload.State]func() (*workload.Runner, error))
			for _, s := range states(pair) {
				runners[s] = sync.OnceValues(func() (*workload.Runner, error) { return ready(generator, pair, s) })
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

func ready(generator *workload.Generator, p workload.Pair, s workload.State) (*workload.Runner, error) {
	pool, err := generator.Pool(p, s)
	if err != nil {
		return nil, err
	}
	return generator.NewRunner(pool, s)
}
