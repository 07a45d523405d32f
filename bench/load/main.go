// Load measures the service, vepverify serve, over sockets: its throughput and latency, its
// behaviour at twice that rate, and its memory over time.
//
//	go run ./bench/load                        throughput, then overload
//	go run ./bench/load --soak 10m             memory, in place of these
//	go run ./bench/load --hostile all          honest requests during attacks, in place of these
//
// The service is built and runs in a process of its own, on the same processors as this
// one. It fetches its issuers' documents over TLS, through a proxy in this process that
// replaces the Internet.
//
// # Throughput and overload
//
// The assertions are of 10 000 users of one provider (RS256) with DS128 keys. No assertion is
// sent twice, and ten share a certificate. First, each of 32 connections sends its next
// request when it has its answer. Then requests are sent at twice the resulting rate,
// whether or not answers have arrived, over a thousand connections. The two processes share
// the processors, so the rate that was really sent is printed too. The service refuses the
// excess; the time of a refusal in its handler is read from its metrics.
//
// # Soak
//
// Good and bad requests are mixed, from assertions of 100 000 issuers to bodies that are not
// JSON. The resident memory of the service is read once a second. The command fails if, after
// the first third of the time, it differs from its median by more than a tenth.
//
// # Hostile
//
// 100 honest requests a second, and hostile ones of one kind at --hostile-rate, are sent when
// they are due, whether or not answers have arrived. The rows are medians of
// --hostile-runs; hostileAttacks lists the kinds.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"time"

	"github.com/vepverify/vepverify/bench/internal/command"
)

// options are the command line.
type options struct {
	command.Record
	users, uses int
	warmUp      int // requests before the measured ones
	connections int
	duration    time.Duration
	rate        float64 // requests due a second, for overload
	soak        time.Duration
	issuers     int
	soakRate    int
	binary      string
	dir         string // for temporary files
	hostile     hostileOptions
	floor       floorOptions
}

func main() {
	command.Main("load", func(ctx context.Context, args []string) error {
		if file := os.Getenv(floorEnv); file != "" {
			return serveFloor(ctx, file)
		}
		o, err := parseFlags(args, os.Stderr)
		if err != nil {
			return err
		}
		return run(ctx, o, os.Stdout)
	})
}

func parseFlags(args []string, usage io.Writer) (o options, err error) {
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.SetOutput(usage)
	f.IntVar(&o.users, "users", 10_000, "number of users")
	f.IntVar(&o.uses, "uses", 10, "number of assertions with the same certificate")
	f.IntVar(&o.connections, "connections", 32, "number of connections, for throughput")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "length of the measurements of throughput and of overload")
	f.Float64Var(&o.rate, "rate", 0, "requests due in a second, for overload (default: twice the throughput)")
	f.DurationVar(&o.soak, "soak", 0, "measure memory for this long, in place of the two")
	f.IntVar(&o.issuers, "issuers", 100_000, "number of issuers in the soak")
	f.IntVar(&o.soakRate, "soak-rate", 2000, "requests a second in the soak")
	f.StringVar(&o.binary, "binary", "", "vepverify to load (default: build it)")
	o.hostile.flags(f)
	o.floor.flags(f)
	o.Record.Flags(f)
	o.warmUp = 2000
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.users < 1 || o.uses < 1 || o.connections < 1 || o.duration <= 0 || o.rate < 0 || o.soak < 0 || o.issuers < 1 || o.soakRate < 1 {
		return o, errors.New("want no arguments, and numbers above 0")
	}
	return o, nil
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	if o.dir, err = os.MkdirTemp("", "vepverify-load-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	if o.binary == "" {
		if o.binary, err = command.Build(ctx, o.dir, os.Stderr); err != nil {
			return err
		}
	}
	if o.hostile.kind != "" {
		return measureHostile(ctx, o, out)
	}
	if o.floor.rounds > 0 {
		return measureFloor(ctx, o, out)
	}
	if o.soak > 0 {
		return soak(ctx, o, out)
	}
	return loads(ctx, o, out)
}
