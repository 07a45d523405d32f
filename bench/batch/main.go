// Batch measures the command vepverify batch: its throughput as a share of the engine's,
// and its memory.
//
//	go run ./bench/batch                       throughput, compared with the engine's
//	go run ./bench/batch --lines 10000000      memory, on generated lines
//
// Assertions are of many users with DS128 keys, certified by an RS256 issuer. All are
// distinct, and ten share a certificate. There are two orders. In "spread", a user's
// assertions are so far apart that the certificate is evicted in between. In "together",
// they are in a row.
//
// Throughput: in each round the engine verifies all assertions from memory, with one
// goroutine for each processor, and the command, a process of its own, verifies the same
// from a file into a file, its start and end included. The order of the two alternates. A
// ratio is computed within a round; the medians are printed. Both start each turn with
// empty caches.
//
// Memory: the assertions in the order "spread" are written to the command's standard input
// repeatedly, each with another id. The answers are read and discarded. The figure is
// the kernel's VmHWM, the peak of resident memory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vepverify/vepverify/bench/internal/command"
)

// options are the flags.
type options struct {
	rounds, assertions int
	lines              int64
	command            string
}

func parseFlags(args []string, complaints io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("batch", flag.ContinueOnError)
	f.SetOutput(complaints)
	f.IntVar(&o.rounds, "rounds", 7, "rounds of the throughput measurement")
	f.IntVar(&o.assertions, "assertions", 60_000, "distinct assertions, ten for each user")
	f.Int64Var(&o.lines, "lines", 0, "measure memory on this many lines, in place of throughput")
	f.StringVar(&o.command, "command", "", "program to measure (default: build cmd/vepverify)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.assertions < perUser || o.lines < 0 {
		return o, errors.New("want no arguments, --rounds above 0, --assertions of at least 10, --lines not negative")
	}
	return o, nil
}

func main() {
	command.Main("batch", func(ctx context.Context, args []string) error {
		o, err := parseFlags(args, os.Stderr)
		if err != nil {
			return err
		}
		return run(ctx, o, os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, o options, out, progress io.Writer) error {
	folder, err := os.MkdirTemp("", "vepverify-batch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if o.command == "" {
		if o.command, err = command.Build(ctx, folder, progress); err != nil {
			return err
		}
	}
	fmt.Fprintf(progress, "making %d assertions\n", o.assertions)
	c, err := newInputs(o.assertions, filepath.Join(folder, "keys.json"))
	if err != nil {
		return err
	}
	if o.lines > 0 {
		return measureMemory(ctx, o, c, out, progress)
	}
	return measureThroughput(ctx, o, c, folder, out, progress)
}
