package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
)

// workers are the numbers of goroutines; more than there are processors must
// not cost anything.
var workers = []int{1, 2, 4, 8, 16}

// measureWorkers lets more and more goroutines verify the usual mix, in the
// states that differ in what they share. Every goroutine more than one has a
// processor of its own as long as there are any.
func measureWorkers(ctx context.Context, o options, g *report.Growth) error {
	mint, err := workload.NewMint(o.pool)
	if err != nil {
		return err
	}
	pair := workload.Pair{Issuer: "RS256", User: "DS128"}
	for _, state := range []workload.State{workload.Cold, workload.Table} {
		pool, err := mint.Pool(pair, state)
		if err != nil {
			return err
		}
		r, err := mint.NewRunner(pool, state)
		if err != nil {
			return err
		}
		figures, err := workersFigures(ctx, o, func() error {
			_, err := r.Verify(ctx)
			return err
		})
		if err != nil {
			return err
		}
		for _, f := range figures {
			f.State = string(state)
			g.Workers = append(g.Workers, f)
		}
	}
	return nil
}

// workersFigures gives every number of goroutines a turn in each round.
func workersFigures(ctx context.Context, o options, verify func() error) ([]report.WorkersFigure, error) {
	rates := make([][]float64, len(workers))
	for range o.rounds {
		for i, n := range workers {
			rate, err := throughput(ctx, n, min(n, runtime.NumCPU()), o.duration, verify)
			if err != nil {
				return nil, err
			}
			rates[i] = append(rates[i], rate)
		}
	}
	var figures []report.WorkersFigure
	for i, n := range workers {
		figures = append(figures, report.WorkersFigure{
			Workers: n, PerSecond: report.Summarize(rates[i]), ToOne: report.Summarize(report.Ratios(rates[i], rates[0])),
		})
	}
	return figures, nil
}

// throughput gives how many verifications so many goroutines do in a second.
func throughput(ctx context.Context, workers, processors int, d time.Duration, verify func() error) (float64, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	runtime.GC()
	var done atomic.Int64
	group, working := errgroup.WithContext(ctx)
	begin := time.Now()
	for range workers {
		group.Go(func() error {
			for time.Since(begin) < d && working.Err() == nil {
				if err := verify(); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return float64(done.Load()) / time.Since(begin).Seconds(), ctx.Err()
}
