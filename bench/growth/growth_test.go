package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vepverify/vepverify/bench/internal/command"
	"github.com/vepverify/vepverify/bench/internal/report"
)

func TestParseFlags(t *testing.T) {
	o, err := parseFlags([]string{"--issuers", "10", "--date", "2026-01-02"}, io.Discard)
	if err != nil || o.maxIssuers != 10 || !o.Date.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"--issuers", "0"}, {"--rounds", "0"}, {"--duration", "0s"}, {"--date", "today"}, {"extra"}} {
		if _, err := parseFlags(bad, io.Discard); err == nil {
			t.Errorf("%v: accepted", bad)
		}
	}
}

func TestRun(t *testing.T) {
	folder := t.TempDir()
	o := options{rounds: 1, duration: time.Millisecond, maxIssuers: 10, Record: command.Record{Results: folder}, pool: 12, cacheSizes: []int{32}}
	if err := run(t.Context(), o, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "growth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g report.Growth
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Workers) != 2*len(workers) || len(g.Issuers) != 2 || len(g.Caches) != 2 {
		t.Errorf("%+v", g)
	}
	for _, f := range g.Issuers {
		if f.PerSecond <= 0 || f.Fetches != 0 {
			t.Errorf("%+v", f)
		}
	}
	if c := g.Caches[0]; c.Megabytes <= 0 {
		t.Errorf("%+v: 32 certificates take no memory", c)
	}
}
