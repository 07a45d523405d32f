// Load loads the service, vepverify serve, over real sockets: how many
// verifications a second it answers and how fast, what it does when twice as
// many come, and whether its memory stays where it is.
//
//	go run ./bench/load                        throughput, then overload
//	go run ./bench/load --soak 10m             memory, in place of these
//	go run ./bench/load --hostile all          honest requests during attacks, in place of these
//
// The service is built and runs in a process of its own, on the same processors
// as this one. Its issuers' documents come to it over TLS, through a proxy in
// this process, which stands in for the Internet.
//
// # Throughput and overload
//
// 10 000 users of one provider, RS256, with DS128 keys; no assertion is sent
// twice, and ten have the same certificate. First, each of 32 connections sends
// its next request when it has its answer. Then requests are sent at twice the
// rate that came out of that, whether or not answers have come, as far as a thousand
// connections and the processors, which the two processes share, can carry it: the
// rate that was really sent is printed too. The service refuses what is too much;
// how long a refusal stayed in its handler is taken from its own metrics.
//
// # Soak
//
// Good and bad requests in a mix, from assertions of 100 000 issuers to bodies
// that are no JSON, while the resident memory of the service is read once a second.
// What it takes after the first third of the time must not differ from its median
// by more than a tenth, or else the command fails.
//
// # Hostile
//
// 100 honest requests a second, and hostile ones of one kind at --hostile-rate, both
// sent when they are due, whether or not answers have come. The rows that come out
// are medians of --hostile-runs; hostileAttacks lists the kinds.
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
	warmUp      int // requests before those that are measured
	connections int
	duration    time.Duration
	rate        float64 // due in a second, for overload
	soak        time.Duration
	issuers     int
	soakRate    int
	binary      string
	dir         string // for what is needed only while this runs
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
	f.IntVar(&o.users, "users", 10_000, "how many users")
	f.IntVar(&o.uses, "uses", 10, "how many assertions have the same certificate")
	f.IntVar(&o.connections, "connections", 32, "how many connections, for throughput")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "how long throughput is measured, and overload")
	f.Float64Var(&o.rate, "rate", 0, "requests due in a second, for overload (default: twice the throughput)")
	f.DurationVar(&o.soak, "soak", 0, "how long to watch memory, in place of the two")
	f.IntVar(&o.issuers, "issuers", 100_000, "how many issuers the soak names")
	f.IntVar(&o.soakRate, "soak-rate", 2000, "how many requests a second the soak sends")
	f.StringVar(&o.binary, "binary", "", "the vepverify to load (default: build it)")
	o.hostile.flags(f)
	o.floor.flags(f)
	o.Record.Flags(f)
	o.warmUp = 2000
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.users < 1 || o.uses < 1 || o.connections < 1 || o.duration <= 0 || o.rate < 0 || o.soak < 0 || o.issuers < 1 || o.soakRate < 1 {
		return o, errors.New("no arguments are wanted, and numbers above 0")
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
