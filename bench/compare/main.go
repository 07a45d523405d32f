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
//	go run ./bench/compare --evp
//
// measures tokens of the Email Verification Protocol instead, and writes evp.json and evp.svg.
// The subjects are package evp, whose caches have the documents of the issuer; the two
// signature checks alone, by the packages of Go; and two packages of npm if they are installed.
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
	evp           bool
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
	f.BoolVar(&o.evp, "evp", false, "measure tokens of the Email Verification Protocol")
	f.BoolVar(&o.node, "node", true, "measure packages of npm too: browserid-local-verify, which is installed, or those of evp/internal/npm")
	f.StringVar(&o.nodeDirectory, "node-dir", "", "folder of the packages of npm (default: in the user's cache folder)")
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
	prepare := prepareBrowserID
	if o.evp {
		prepare = prepareEVP
	}
	suite, err := prepare(ctx, o, progress)
	if suite != nil {
		defer suite.Close()
	}
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if err := suite.measure(ctx, o.rounds, o.slot, progress); err != nil {
		return err
	}
	c := suite.comparison(o)
	if err := c.WriteTable(out); err != nil {
		return err
	}
	if o.evp {
		return write(c, &o.Record, "evp.json", "evp.svg")
	}
	return write(c, &o.Record, "latest.json", "verify.svg")
}

// prepareBrowserID returns the subjects that verify assertions.
func prepareBrowserID(ctx context.Context, o options, progress io.Writer) (*suite, error) {
	fmt.Fprintln(progress, "making assertions")
	suite, err := newSuite(o.pool)
	if err != nil {
		return nil, err
	}
	if err := suite.addPortable(ctx, o.pool); err != nil {
		return suite, err
	}
	suite.addOpenSSL()
	if o.node {
		fmt.Fprintln(progress, "starting Node")
		suite.addNode(ctx, o.nodeDirectory)
	} else {
		suite.note("browserid-local-verify: --node=false")
	}
	return suite, nil
}

// write writes the figures, and the chart if the base of the ratios was measured.
func write(c *report.Comparison, to *command.Record, figures, chart string) error {
	err := to.Write(figures, func(w io.Writer) error { return report.WriteJSON(w, c) })
	if err != nil || !c.HasRatios() {
		return err
	}
	return to.Write(chart, c.WriteChart)
}
