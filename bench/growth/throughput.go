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

// workers are the numbers of goroutines. More goroutines than processors should cost
// nothing.
var workers = []int{1, 2, 4, 8, 16}

// measureWorkers verifies with more and more goroutines, in the states that differ in
// what the goroutines share. Each goroutine has a processor of its own while there are
// enough.
func measureWorkers(ctx context.Context, o options, g *report.Growth) error {
	generator, err := workload.NewGenerator(o.pool)
	if err != nil {
		return err
	}
	pair := workload.Pair{Issuer: "RS256", User: "DS128"}
	for _, state := range []workload.State{workload.Cold, workload.Table} {
		pool, err := generator.Pool(pair, state)
		if err != nil {
			return err
		}
		r, err := generator.NewRunner(pool, state)
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

// workersFigures measures each number of goroutines once in each round.
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

// throughput returns the verifications a second of that many goroutines.
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
