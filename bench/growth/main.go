// Growth measures how the cost of verifying grows: throughput against the
// number of goroutines that verify at once, throughput and memory against the
// number of distinct issuers, and memory against the size of the caches.
//
//	go run ./bench/growth
//
// Growth prints tables, and writes growth.json into bench/results. Issuers and users
// have DS128 keys. With the defaults it takes some minutes and 1 GB of memory, most of it
// for the 100 000 issuers and their assertions.
//
// A wellknown.Resolver fetches the issuers' documents from a function that replaces the
// network and answers at once. The figures contain the work of a fetch, such as parsing and
// checking the document, and no waiting.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"time"

	"github.com/vepverify/vepverify/bench/internal/command"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
)

// options are the command line.
type options struct {
	command.Record
	rounds     int
	duration   time.Duration
	maxIssuers int
	pool       int   // assertions in each pool; fewer in tests
	cacheSizes []int // entries of caches; fewer in tests
}

func main() {
	command.Main("growth", func(ctx context.Context, args []string) error {
		o, err := parseFlags(args, os.Stderr)
		if err != nil {
			return err
		}
		return run(ctx, o, os.Stdout)
	})
}

func parseFlags(args []string, usage io.Writer) (o options, err error) {
	f := flag.NewFlagSet("growth", flag.ContinueOnError)
	f.SetOutput(usage)
	f.IntVar(&o.rounds, "rounds", 5, "number of rounds, for the numbers of goroutines")
	f.DurationVar(&o.duration, "duration", time.Second, "time for each figure of throughput")
	f.IntVar(&o.maxIssuers, "issuers", 100_000, "largest number of distinct issuers")
	o.Record.Flags(f)
	o.pool, o.cacheSizes = workload.PoolSize, cacheSizes
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.duration <= 0 || o.maxIssuers < 1 {
		return o, errors.New("want no arguments, and --rounds, --duration and --issuers above 0")
	}
	return o, nil
}

func run(ctx context.Context, o options, out io.Writer) error {
	g := &report.Growth{Format: report.GrowthFormat, Date: o.Date, Machine: report.ThisMachine()}
	for _, measure := range []func(context.Context, options, *report.Growth) error{
		measureWorkers, measureIssuers, measureCaches,
	} {
		if err := measure(ctx, o, g); err != nil {
			return err
		}
	}
	if err := g.WriteTable(out); err != nil {
		return err
	}
	return o.Write("growth.json", func(w io.Writer) error { return report.WriteJSON(w, g) })
}
