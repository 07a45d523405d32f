package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/bench/internal/command"
	"github.com/vepverify/vepverify/bench/internal/openssl"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/internal/testtool"
)

func TestMain(m *testing.M) {
	if !servePortable() {
		os.Exit(m.Run())
	}
}

func TestParseFlags(t *testing.T) {
	o, err := parseFlags([]string{"--rounds", "3", "--duration", "20ms", "--date", "2026-01-02", "--node=false"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.rounds != 3 || o.slot != 20*time.Millisecond || o.node || !o.Date.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", o)
	}
	for _, bad := range [][]string{{"--rounds", "0"}, {"--duration", "-1s"}, {"--date", "today"}, {"extra"}, {"--unknown"}} {
		if _, err := parseFlags(bad, io.Discard); err == nil {
			t.Errorf("%v: accepted", bad)
		}
	}
}

// readComparison returns the comparison in a file.
func readComparison(t *testing.T, path string) *report.Comparison {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := report.ReadComparison(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRun runs short rounds of the subjects that need nothing installed.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	o := options{rounds: 2, slot: time.Millisecond, Record: command.Record{Results: folder, Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}, pool: 12}
	var out bytes.Buffer
	if err := run(t.Context(), o, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	c := readComparison(t, filepath.Join(folder, "latest.json"))
	checkComparison(t, c)
	if !strings.Contains(out.String(), "vepverify, table") || !strings.Contains(out.String(), "browserid-local-verify: --node=false") {
		t.Errorf("the table:\n%s", out.String())
	}
	if _, err := os.Stat(filepath.Join(folder, "verify.svg")); (err == nil) != openssl.Available {
		t.Errorf("the chart: %v", err)
	}
}

// runEVP runs short rounds of the subjects that verify tokens, and returns the comparison.
func runEVP(t *testing.T, node bool) *report.Comparison {
	t.Helper()
	folder := t.TempDir()
	o := options{rounds: 2, slot: time.Millisecond, Record: command.Record{Results: folder}, pool: 4, evp: true, node: node}
	if err := run(t.Context(), o, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	c := readComparison(t, filepath.Join(folder, "evp.json"))
	chart, err := os.ReadFile(filepath.Join(folder, "evp.svg"))
	if err != nil || !strings.Contains(string(chart), "issuer RS256, user Ed25519") || strings.Contains(string(chart), "OpenSSL") {
		t.Errorf("the chart: %v\n%s", err, chart)
	}
	return c
}

func TestRunEVP(t *testing.T) {
	c := runEVP(t, false)
	if len(c.Pairs) != len(evpPairs) || len(c.Notes) != 1 {
		t.Fatalf("%d pairs, notes %q", len(c.Pairs), c.Notes)
	}
	for _, p := range c.Pairs {
		if len(p.Figures) != 2 || p.Figures[0].Name != report.Ours || p.Figures[1].Name != report.Crypto {
			t.Fatalf("%s: %+v", p, p.Figures)
		}
		for _, f := range p.Figures {
			if f.Microseconds.Median <= 0 || f.Ratio == nil || f.Allocations == nil {
				t.Errorf("%s: %+v", p, f)
			}
		}
	}
}

// TestRunEVPNode runs the packages of npm. They must be installed if CI=true.
func TestRunEVPNode(t *testing.T) {
	testtool.Path(t, "node")
	if _, err := evpFolder(""); err != nil {
		testtool.Unavailable(t, err.Error())
	}
	c := runEVP(t, true)
	for _, p := range c.Pairs {
		if len(p.Figures) != 4 || p.Figures[3].Microseconds.Median <= 0 {
			t.Errorf("%s: %+v, notes %q", p, p.Figures, c.Notes)
		}
	}
	for _, name := range append(evpPackages, "Node") {
		if c.Versions[name] == "" {
			t.Errorf("no version of %s: %v", name, c.Versions)
		}
	}
}

func checkComparison(t *testing.T, c *report.Comparison) {
	t.Helper()
	if len(c.Pairs) != len(pairs) || c.Rounds != 2 {
		t.Fatalf("%d pairs, %d rounds", len(c.Pairs), c.Rounds)
	}
	for _, p := range c.Pairs {
		goals := make(map[string]int)
		for _, f := range p.Figures {
			if f.Microseconds.Median <= 0 || f.Microseconds.Low > f.Microseconds.High || (f.Ratio != nil) != openssl.Available {
				t.Errorf("%s: %+v", p, f)
			}
			if f.RatioGoal > 0 {
				goals[f.Name]++
			}
		}
		want := map[string]int{report.Ours: 3}
		if p.User == "RS256" {
			want[report.Ours] = 2
		}
		if ownName() == report.IFMA {
			want[report.IFMA] = 2
		}
		if !maps.Equal(goals, want) {
			t.Errorf("%s: goals %v, want %v", p, goals, want)
		}
	}
}
