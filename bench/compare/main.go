// Compare measures complete verifications by this module beside three others,
// in one run: the standard library's crypto and encoding/json (workload.Plain),
// OpenSSL's arithmetic alone (with -tags openssl), and browserid-local-verify,
// Mozilla's verifier for Node, where npm is there to install it.
//
//	go run -tags openssl ./bench/compare
//
// Where the processor has AVX-512 IFMA both that and the portable code are
// measured, the latter in a process of its own.
//
// It prints the figures with the goals beside them, and writes latest.json and,
// when OpenSSL was measured, verify.svg into bench/results.
//
// In each round everybody has one slot for each pair of algorithms, one after
// the other, and the order is turned around in every other round: what slows
// the machine down for seconds slows all of them. Before a slot the garbage is
// collected. A ratio is taken within a round; printed is the median of the
// rounds, with the quartiles. Go runs on one processor (GOMAXPROCS 1) while it
// is measured, its garbage collector included.
//
// See the package comment of bench for the states and the pools. Node parses
// the support document in each verification, twice: it has no cache of its own
// to keep it in. It runs in a process of its own, whose other threads may use
// another processor.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/vepverify/vepverify/bench/internal/command"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
)

// options are the command line.
type options struct {
	command.Record
	rounds        int
	slot          time.Duration
	node          bool
	nodeDirectory string
	pool          int // assertions in each pool; smaller in tests
}

func main() {
	if beTier() {
		return
	}
	command.Main("compare", func(ctx context.Context, args []string) error {
		o, err := parseFlags(args, os.Stderr)
		if err != nil {
			return err
		}
		return run(ctx, o, os.Stdout, os.Stderr)
	})
}

func parseFlags(args []string, usage io.Writer) (o options, err error) {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.SetOutput(usage)
	f.IntVar(&o.rounds, "rounds", 11, "how many rounds")
	f.DurationVar(&o.slot, "duration", 150*time.Millisecond, "the time for each figure in each round")
	o.Record.Flags(f)
	f.BoolVar(&o.node, "node", true, "measure browserid-local-verify too, installing it with npm")
	f.StringVar(&o.nodeDirectory, "node-dir", "", "where to install that (default: in the user's cache folder)")
	o.pool = workload.PoolSize
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.slot <= 0 {
		return o, errors.New("no arguments are wanted, and rounds and a duration above 0")
	}
	return o, nil
}

func run(ctx context.Context, o options, out, progress io.Writer) error {
	fmt.Fprintln(progress, "minting assertions")
	field, err := newField(o.pool)
	if err != nil {
		return err
	}
	defer field.Close()
	if err := field.addPortable(ctx, o.pool); err != nil {
		return err
	}
	field.addOpenSSL()
	if o.node {
		fmt.Fprintln(progress, "starting Node")
		field.addNode(ctx, o.nodeDirectory)
	} else {
		field.note("browserid-local-verify: not asked for")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if err := field.measure(ctx, o.rounds, o.slot, progress); err != nil {
		return err
	}
	c := field.comparison(o)
	if err := c.WriteTable(out); err != nil {
		return err
	}
	return write(c, &o.Record)
}

// write keeps the figures, and draws them if there is anything to draw.
func write(c *report.Comparison, to *command.Record) error {
	err := to.Write("latest.json", func(w io.Writer) error { return report.WriteJSON(w, c) })
	if err != nil || c.Versions[report.OpenSSL] == "" {
		return err
	}
	return to.Write("verify.svg", c.WriteChart)
}
