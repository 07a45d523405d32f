package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHostile attacks the service briefly, and checks that verdicts are right.
func TestHostile(t *testing.T) {
	o := small(t)
	o.hostile.kind, o.hostile.runs, o.hostile.duration, o.hostile.rates = "evict", 1, 200*time.Millisecond, []float64{40}
	var out bytes.Buffer
	if err := run(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.Results, "hostile.json"))
	if err != nil {
		t.Fatal(err)
	}
	var h Hostile
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	if len(h.Rows) != 2 || h.Rows[0].Attack != "none" || h.Rows[1].Attack != "evict" || h.Rows[1].Fetches.Fallback == 0 {
		t.Errorf("%+v", h.Rows)
	}
	if !strings.Contains(out.String(), "evict") {
		t.Errorf("the output lacks the attack: %s", &out)
	}
}

// TestHostileGenerator checks that each attack makes different requests of allowed size.
func TestHostileGenerator(t *testing.T) {
	const maxBody = 10 << 10 // of the service
	for _, a := range hostileAttacks {
		m, err := newHostileGenerator(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		first, err := a.request(m, 0)
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
		second, err := a.request(m, 1)
		if err != nil || bytes.Equal(first, second) {
			t.Errorf("%s: two requests are equal, or %v", a.name, err)
		}
		if len(first) > maxBody {
			t.Errorf("%s: %d bytes", a.name, len(first))
		}
		if a.document == nil {
			continue
		}
		if document, err := a.document(); err != nil || len(document("h1."+attackerDomain)) == 0 {
			t.Errorf("%s: no document: %v", a.name, err)
		}
	}
}

func TestHostileFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-hostile", "flood"}, {"-hostile", "all", "-hostile-rate", "0"}, {"-hostile", "all", "-hostile-rate", "80,x"},
		{"-hostile", "all", "-hostile-runs", "0"}, {"-hostile", "all", "-hostile-duration", "1ms"},
	} {
		o, err := parseFlags(args, t.Output())
		if err == nil {
			o.binary = "none" // so that nothing is built
			err = run(t.Context(), o, t.Output())
		}
		if err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	if o, err := parseFlags([]string{"-hostile", "rsa", "-hostile-rate", "80,600"}, t.Output()); err != nil || len(o.hostile.rates) != 2 {
		t.Errorf("%v, %v", o.hostile.rates, err)
	}
}

func TestHostileRow(t *testing.T) {
	good := HostileRow{Undecided: 0.5, Refused: 0.5, P99: 50, Peak: 256}
	for _, test := range []struct {
		change func(*HostileRow)
		good   bool
	}{
		{func(*HostileRow) {}, true},
		{func(r *HostileRow) { r.Undecided++ }, false},
		{func(r *HostileRow) { r.P99++ }, false},
		{func(r *HostileRow) { r.Peak++ }, false},
		{func(r *HostileRow) { r.Wrong++ }, false},
	} {
		row := good
		test.change(&row)
		if row.Good() != test.good {
			t.Errorf("%+v: %v", row, row.Good())
		}
	}
	if err := (&Hostile{Rows: []HostileRow{{Wrong: 1}}}).check(); err == nil {
		t.Error("no error for a wrong verdict")
	}
}
