// Compare measures complete verifications by this module and by three others in one
// run: the standard library's crypto and encoding/json (workload.Plain), OpenSSL's
// arithmetic alone (with -tags openssl), and browserid-local-verify, Mozilla's verifier
// for Node, if npm can install it.
//
//	go run -tags openssl ./bench/compare
//
// If the processor has AVX-512 IFMA, both that and the portable code are measured, the
// latter in a process of its own.
//
// Compare prints the figures and the goals, and writes latest.json into bench/results,
// and verify.svg if OpenSSL was measured.
//
// In each round every subject has one slot for each pair of algorithms, one after the
// other. The order is reversed in every other round, so that a slow second of the machine
// slows all of them. Garbage is collected before a slot. A ratio is computed within a
// round. The median of the rounds is printed, with the quartiles. Go runs on one
// processor (GOMAXPROCS 1) while it is measured, with its garbage collector.
//
// Package workload defines the states and the pools. Node parses the support document
// twice in each verification, because it has no cache of documents. It runs in a process
// of its own, whose other threads may use another processor.
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
	pool          int // assertions in each pool; fewer in tests
}

func main() {
	if servePortable() {
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
	f.IntVar(&o.rounds, "rounds", 11, "number of rounds")
	f.DurationVar(&o.slot, "duration", 150*time.Millisecond, "time for each figure in each round")
	o.Record.Flags(f)
	f.BoolVar(&o.node, "node", true, "measure browserid-local-verify too, and install it with npm")
	f.StringVar(&o.nodeDirectory, "node-dir", "", "folder to install it in (default: in the user's cache folder)")
	o.pool = workload.PoolSize
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.slot <= 0 {
		return o, errors.New("want no arguments, and --rounds and --duration above 0")
	}
	return o, nil
}

func run(ctx context.Context, o options, out, progress io.Writer) error {
	fmt.Fprintln(progress, "making assertions")
	suite, err := newSuite(o.pool)
	if err != nil {
		return err
	}
	defer suite.Close()
	if err := suite.addPortable(ctx, o.pool); err != nil {
		return err
	}
	suite.addOpenSSL()
	if o.node {
		fmt.Fprintln(progress, "starting Node")
		suite.addNode(ctx, o.nodeDirectory)
	} else {
		suite.note("browserid-local-verify: --node=false")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if err := suite.measure(ctx, o.rounds, o.slot, progress); err != nil {
		return err
	}
	c := suite.comparison(o)
	if err := c.WriteTable(out); err != nil {
		return err
	}
	return write(c, &o.Record)
}

// write writes the figures, and the chart if OpenSSL was measured.
func write(c *report.Comparison, to *command.Record) error {
	err := to.Write("latest.json", func(w io.Writer) error { return report.WriteJSON(w, c) })
	if err != nil || c.Versions[report.OpenSSL] == "" {
		return err
	}
	return to.Write("verify.svg", c.WriteChart)
}
