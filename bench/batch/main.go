// Batch measures the command vepverify batch: how much of the engine's own
// throughput is left of it, and how much memory it takes.
//
//	go run ./bench/batch                       throughput, beside the engine's own
//	go run ./bench/batch --lines 10000000      memory, on lines made on the fly
//
// Assertions are of many users with DS128 keys, certified by an RS256 issuer;
// all are distinct, and ten have a certificate in common. They come in two
// orders: "spread", each user's far from another, so that more certificates
// come in between than are remembered, and "together", ten in a row.
//
// Throughput: in each round the engine, one goroutine for each processor, verifies
// all assertions from memory, and the command, a process of its own, answers
// the same from a file, into a file, its start and end included. Who is first
// changes from round to round. A ratio is taken within a round; printed are the
// medians. Both begin every turn with empty caches.
//
// Memory: the assertions, in the order "spread", go to the command's standard input
// again and again, each with an id of its own, and its answers nowhere. The figure is
// the kernel's VmHWM: the most memory that was resident at any time.
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
	f.IntVar(&o.rounds, "rounds", 7, "rounds to measure throughput in")
	f.IntVar(&o.assertions, "assertions", 60_000, "distinct assertions to mint, ten a user")
	f.Int64Var(&o.lines, "lines", 0, "lines to measure memory on, in place of throughput")
	f.StringVar(&o.command, "command", "", "the program to measure; built from cmd/vepverify when empty")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.assertions < perUser || o.lines < 0 {
		return o, errors.New("rounds and lines are positive, there are ten assertions or more, and there are no arguments")
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
	fmt.Fprintf(progress, "minting %d assertions\n", o.assertions)
	c, err := newCrowd(o.assertions, filepath.Join(folder, "keys.json"))
	if err != nil {
		return err
	}
	if o.lines > 0 {
		return measureMemory(ctx, o, c, out, progress)
	}
	return measureThroughput(ctx, o, c, folder, out, progress)
}
