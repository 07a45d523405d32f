package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/testtool"
)

// small returns options with which a run takes a moment.
func small(t *testing.T) options {
	t.Helper()
	o, err := parseFlags([]string{
		"-users", "20", "-uses", "3", "-connections", "2", "-duration", "200ms", "-issuers", "20", "-soak-rate", "100",
		"-results", t.TempDir(), "-date", "2026-01-01",
	}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	o.warmUp = 20
	return o
}

// TestLoads runs the service briefly, and checks that every request is answered.
func TestLoads(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), small(t), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"throughput, 2 connections: ", "overload, "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q: %s", want, &out)
		}
	}
}

func TestSoak(t *testing.T) {
	o := small(t)
	o.soak = 3 * time.Second
	var out bytes.Buffer
	// Memory need not be flat in the first seconds.
	if err := run(t.Context(), o, &out); err != nil && !strings.Contains(err.Error(), "not flat") {
		t.Fatal(err)
	}
	for _, want := range []string{"okay:", "failure:", "refused:", "resident after the first third"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q: %s", want, &out)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"-users", "0"}, {"-duration", "0"}, {"-soak", "-1s"}, {"-date", "today"}, {"-nonsense"}} {
		if _, err := parseFlags(args, t.Output()); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestPercentile(t *testing.T) {
	var took []time.Duration
	for i := 100; i > 0; i-- {
		took = append(took, time.Duration(i)*time.Millisecond)
	}
	for share, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := percentile(took, share); got != want*time.Millisecond {
			t.Errorf("%v: %v, want %v ms", share, got, int(want))
		}
	}
	if percentile(nil, 0.5) != 0 {
		t.Error("percentile of no times: not 0")
	}
}

func TestMemoryCheck(t *testing.T) {
	a := &answered{}
	a.counts[okay] = 1
	steady := []int64{1, 2, 3, 100, 101, 102, 103, 104, 105}
	for _, test := range []struct {
		samples []int64
		okay    int
		good    bool
	}{
		{steady, 1, true},
		{append(steady, 150), 1, true}, // a peak
		{append(steady, 160), 1, false},
		{append(steady, 50), 1, true},
		{append(steady, 120, 121, 122, 123, 124, 125, 126, 127), 1, false}, // growth
		{append(steady, 108, 109, 110, 111, 112, 113, 114, 115), 1, true},
		{steady, 0, false},
		{nil, 1, false},
	} {
		a := *a
		a.counts[okay] = test.okay
		var out bytes.Buffer
		if err := (memory{samples: test.samples}).check(&out, &a); (err == nil) != test.good {
			t.Errorf("%v with %d okay: %v", test.samples, test.okay, err)
		}
	}
	if math.Abs(percent(110, 100)-10) > 1e-9 {
		t.Error("110 is not 10 % more than 100")
	}
}

func TestReadRefusals(t *testing.T) {
	const text = `# HELP vepverify_shed_duration_seconds Time.
# TYPE vepverify_shed_duration_seconds histogram
vepverify_shed_duration_seconds_bucket{le="0.001"} 1
vepverify_shed_duration_seconds_bucket{le="0.01"} 3
vepverify_shed_duration_seconds_bucket{le="+Inf"} 4
vepverify_shed_duration_seconds_sum 0.02
vepverify_shed_duration_seconds_count 4
`
	r, err := readRefusals(strings.NewReader(text))
	if err != nil || r != (Refusals{Count: 4, Within10: 0.75, MeanMS: 5}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := readRefusals(strings.NewReader("other_metric 1\n")); err == nil {
		t.Error("metrics without refusals are accepted")
	}
}

func TestMain(m *testing.M) {
	if file := os.Getenv(floorEnv); file != "" { // this process is the floor of TestFloor
		if err := serveFloor(context.Background(), file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestFloor loads both servers for a second each.
func TestFloor(t *testing.T) {
	testtool.Path(t, "wrk")
	o := small(t)
	o.floor.rounds, o.duration = 1, time.Second
	var out bytes.Buffer
	if err := run(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"floor: ", "service: ", "more a request: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q: %s", want, &out)
		}
	}
}
