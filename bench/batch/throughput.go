package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/wellknown"
)

// goal is the share of the engine's throughput to reach.
const goal = 0.75

// measureThroughput prints a line for each order.
func measureThroughput(ctx context.Context, o options, c *inputs, folder string, out, progress io.Writer) error {
	for _, order := range []struct {
		name  string
		texts []string
	}{{"spread", c.spread}, {"together", c.together}} {
		lines := filepath.Join(folder, order.name+".ndjson")
		if err := writeLines(lines, order.texts); err != nil {
			return err
		}
		engine := func() (float64, error) { return c.engine(order.texts) }
		batch := func() (float64, error) { return c.batch(ctx, o.command, lines, len(order.texts)) }
		var engines, batches []float64
		for round := range o.rounds + 1 { // one to warm up
			if err := ctx.Err(); err != nil {
				return err
			}
			e, b, err := inTurn(round%2 == 0, engine, batch)
			if err != nil {
				return err
			}
			fmt.Fprintf(progress, "%s, round %d of %d: engine %.0f/s, batch %.0f/s\n", order.name, round, o.rounds, e, b)
			if round > 0 {
				engines, batches = append(engines, e), append(batches, b)
			}
		}
		ratio := report.Summarize(report.Ratios(batches, engines))
		fmt.Fprintf(out, "%-8s  engine %6.0f/s  batch %6.0f/s  %3.0f %% of the engine (quartiles %.0f to %.0f; goal %.0f)\n",
			order.name, report.Summarize(engines).Median, report.Summarize(batches).Median,
			100*ratio.Median, 100*ratio.Low, 100*ratio.High, 100*goal)
	}
	return nil
}

// inTurn calls both functions, and first calls first if firstFirst is set.
func inTurn(firstFirst bool, first, second func() (float64, error)) (a, b float64, err error) {
	if firstFirst {
		if a, err = first(); err != nil {
			return 0, 0, err
		}
		b, err = second()
		return a, b, err
	}
	if b, err = second(); err != nil {
		return 0, 0, err
	}
	a, err = first()
	return a, b, err
}

func writeLines(name string, texts []string) error {
	var b []byte
	for i, text := range texts {
		b = appendLine(b, int64(i), text)
	}
	return os.WriteFile(name, b, 0o600)
}

// engine returns the engine's verifications a second, on all processors.
func (c *inputs) engine(texts []string) (float64, error) {
	issuers, err := wellknown.LoadStatic(c.documents)
	if err != nil {
		return 0, err
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: issuers, Now: func() time.Time { return workload.Now }})
	if err != nil {
		return 0, err
	}
	runtime.GC()
	var group errgroup.Group
	var next atomic.Int64
	begin := time.Now()
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for {
				i := next.Add(1) - 1
				if i >= int64(len(texts)) {
					return nil
				}
				if _, err := v.Verify(context.Background(), texts[i], workload.Audience); err != nil {
					return err
				}
			}
		})
	}
	err = group.Wait()
	return float64(len(texts)) / time.Since(begin).Seconds(), err
}

// batch returns the command's answers a second, and checks that all are okay.
func (c *inputs) batch(ctx context.Context, program, lines string, n int) (float64, error) {
	answers, err := os.Create(lines + ".answers")
	if err != nil {
		return 0, err
	}
	defer answers.Close()
	runtime.GC() // as before the engine's turn, so that it does not run beside the command
	cmd := c.command(ctx, program, lines)
	cmd.Stdout = answers
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	written, err := os.ReadFile(answers.Name())
	if err != nil {
		return 0, err
	}
	if got := bytes.Count(written, []byte(`,"status":"okay",`)); got != n {
		return 0, fmt.Errorf("%d of %d answers are okay", got, n)
	}
	return float64(n) / took.Seconds(), nil
}
