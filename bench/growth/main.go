// Growth measures how the cost of verifying grows: throughput against the
// number of goroutines that verify at once, throughput and memory against the
// number of distinct issuers, and memory against the size of the caches.
//
//	go run ./bench/growth
//
// It prints tables, and writes growth.json into bench/results. Issuers and users
// have DS128 keys; with the defaults it takes some minutes and 1 GB of memory,
// most of it for the 100 000 issuers and their assertions.
//
// Issuers are real ones for a real wellknown.Resolver, but for the network: a
// function answers in place of it, in no time. What a fetch costs in the figures
// is its own work, such as reading and checking the document.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/vepverify/vepverify/bench"
	"github.com/vepverify/vepverify/bench/report"
)

// options are the command line.
type options struct {
	rounds     int
	duration   time.Duration
	maxIssuers int
	results    string
	date       time.Time
	pool       int   // assertions in each pool, and
	cacheSizes []int // entries of caches; smaller in tests
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string, usage io.Writer) (o options, err error) {
	f := flag.NewFlagSet("growth", flag.ContinueOnError)
	f.SetOutput(usage)
	f.IntVar(&o.rounds, "rounds", 5, "how many rounds, for the number of goroutines")
	f.DurationVar(&o.duration, "duration", time.Second, "the time for each figure of throughput")
	f.IntVar(&o.maxIssuers, "issuers", 100_000, "the most distinct issuers")
	f.StringVar(&o.results, "results", filepath.Join("bench", "results"), "the folder to write to; empty: write nothing")
	o.pool, o.cacheSizes = bench.PoolSize, cacheSizes
	date := f.String("date", "", "the date to note, as 2006-01-02 (default: today)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.duration <= 0 || o.maxIssuers < 1 {
		return o, errors.New("no arguments are wanted, and rounds, a duration and issuers above 0")
	}
	o.date = time.Now().UTC().Truncate(24 * time.Hour)
	if *date != "" {
		o.date, err = time.Parse(time.DateOnly, *date)
	}
	return o, err
}

func run(ctx context.Context, o options, out io.Writer) error {
	g := &report.Growth{Format: report.GrowthFormat, Date: o.date, Machine: report.ThisMachine()}
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
	if o.results == "" {
		return nil
	}
	return create(filepath.Join(o.results, "growth.json"), func(w io.Writer) error { return report.WriteJSON(w, g) })
}

func create(path string, content func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return content(f)
}
