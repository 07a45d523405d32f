package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/bench/internal/report"
)

func TestSummarize(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   report.Spread
	}{
		{"one", []float64{7}, report.Spread{Median: 7, Low: 7, High: 7}},
		{"odd, unsorted", []float64{5, 1, 4, 2, 3}, report.Spread{Median: 3, Low: 2, High: 4}},
		{"even", []float64{1, 2, 3, 4}, report.Spread{Median: 2.5, Low: 1.75, High: 3.25}},
		{"an outlier", []float64{1, 1, 1, 1, 1000}, report.Spread{Median: 1, Low: 1, High: 1}},
	} {
		before := append([]float64(nil), c.values...)
		if got := report.Summarize(c.values); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if !cmp.Equal(before, c.values) {
			t.Errorf("%s: the values were changed", c.name)
		}
	}
}

// TestRatios checks that a round in which everything takes twice as long changes no ratio.
func TestRatios(t *testing.T) {
	got := report.Ratios([]float64{10, 20, 30}, []float64{5, 10, 10})
	if !cmp.Equal(got, []float64{2, 2, 3}) {
		t.Errorf("%v", got)
	}
}

// comparison returns a comparison with long names and figures, and others.
func comparison() *report.Comparison {
	spread := func(m float64) report.Spread { return report.Spread{Median: m, Low: 0.9 * m, High: 1.1 * m} }
	figure := func(name, state string, µs, ratio float64) report.Figure {
		r := spread(ratio)
		return report.Figure{Name: name, State: state, Microseconds: spread(µs), Ratio: &r}
	}
	allocations := 11.02
	ours := figure(report.Ours, "table", 8, 0.031)
	ours.Allocations, ours.RatioGoal, ours.AllocationGoal = &allocations, 0.33, 12
	missed := figure(report.Ours, "cold", 88, 1.16)
	missed.RatioGoal = 1.15
	return &report.Comparison{
		Format: report.ComparisonFormat, Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		Machine: report.Machine{CPU: "Some <CPU> & more @ 3 GHz", Cores: 2, OS: "linux", Arch: "amd64"}, Versions: map[string]string{"Go": "go1.26"},
		Rounds: 11, Slot: "150ms", Notes: []string{"something: no reason"},
		Pairs: []report.PairFigures{
			{Issuer: "RS256", User: "DS128", Figures: []report.Figure{ours, missed, figure("browserid-local-verify", "", 123456, 48.7)}},
			{Issuer: "DS256", User: "DS256", Figures: []report.Figure{
				figure(report.OpenSSL, "", 85, 1), {Name: "Go's standard library", Microseconds: spread(99.95)},
			}},
		},
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.WriteJSON(&b, comparison()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	got, err := report.ReadComparison(&b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(comparison(), got); d != "" {
		t.Error(d)
	}
	for name, bad := range map[string]string{
		"format": strings.Replace(text, report.ComparisonFormat, "other/1", 1), "member": strings.Replace(text, `"rounds"`, `"rings"`, 1), "end": text[:40],
	} {
		if _, err := report.ReadComparison(strings.NewReader(bad)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := comparison().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ line, has string }{
		{"vepverify, table", "≤ 0.33  met"}, {"vepverify, table", "≤ 12 met"}, {"vepverify, cold", "≤ 1.15  NOT MET"},
		{"Go's standard library", "–"}, {"not measured", "something: no reason"}, {"issuer DS256", "user DS256"},
	} {
		found := false
		for line := range strings.Lines(b.String()) {
			found = found || strings.HasPrefix(line, want.line) && strings.Contains(line, want.has)
		}
		if !found {
			t.Errorf("no line %q with %q in\n%s", want.line, want.has, b.String())
		}
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		pair, state        string
		ratio, allocations float64
	}{
		{"RS256/DS128", "cold", 1.35, 12}, {"RS256/RS256", "cold", 1.6, 24}, {"RS256/DS128", "cert", 1, 4},
		{"DS128/DS128", "cold", 1.25, 12}, {"DS256/DS256", "cert", 0.65, 4}, {"DS256/DS256", "table", 0.24, 4},
		{"RS256/RS256", "table", 0, 4}, {"DS128/DS128", "first", 0, 0},
	} {
		if got := report.RatioGoal(report.Ours, c.pair, c.state); got != c.ratio {
			t.Errorf("%s %s: ratio %v, want %v", c.pair, c.state, got, c.ratio)
		}
		if got := report.AllocationGoal(report.Ours, c.pair, c.state); got != c.allocations {
			t.Errorf("%s %s: %v allocations, want %v", c.pair, c.state, got, c.allocations)
		}
	}
	for name, want := range map[string]float64{report.IFMA: 0.45, report.OpenSSL: 0} {
		if got := report.RatioGoal(name, "RS256/RS256", "cold"); got != want {
			t.Errorf("%s: ratio goal %v, want %v", name, got, want)
		}
	}
	if got := report.AllocationGoal(report.OpenSSL, "RS256/DS128", "cold"); got != 0 {
		t.Errorf("OpenSSL has a goal of %v allocations", got)
	}
}

func TestGrowth(t *testing.T) {
	one := report.Spread{Median: 1000, Low: 990, High: 1010}
	g := &report.Growth{Format: report.GrowthFormat,
		Workers: []report.WorkersFigure{{State: "cold", Workers: 2, PerSecond: one, ToOne: report.Spread{Median: 1.93, Low: 1.9, High: 1.95}}},
		Issuers: []report.IssuersFigure{{Issuers: 100000, Bounds: "raised", PerSecond: 1234, Fetches: 12.5, Megabytes: 159}},
		Caches:  []report.CacheFigure{{Cache: "certificates", Entries: 4096, Megabytes: 12.7}},
	}
	var b bytes.Buffer
	if err := g.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1.93", "100000", "12.5", "159.0", "12.70"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
}

func TestThisMachine(t *testing.T) {
	if m := report.ThisMachine(); m.CPU == "" || m.Cores < 1 || m.OS == "" || m.Arch == "" {
		t.Errorf("%+v", m)
	}
}

func TestChart(t *testing.T) {
	for name, c := range map[string]*report.Comparison{"usual": comparison(), "all equal": allEqual()} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := c.WriteChart(&b); err != nil {
				t.Fatal(err)
			}
			checkChart(t, elements(t, b.String()))
		})
	}
	unmeasured := comparison()
	for _, p := range unmeasured.Pairs {
		for i := range p.Figures {
			p.Figures[i].Ratio = nil
		}
	}
	if err := unmeasured.WriteChart(io.Discard); err == nil {
		t.Error("a chart without ratios")
	}
}

func allEqual() *report.Comparison {
	c := comparison()
	for _, p := range c.Pairs {
		for i := range p.Figures {
			p.Figures[i].Ratio = &report.Spread{Median: 1, Low: 1, High: 1}
		}
	}
	return c
}

// element is a visible element of the chart: its box, and its text.
type element struct {
	kind, class              string
	left, right, top, bottom float64
	text                     string
}

func elements(t *testing.T, svg string) (all []element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "text" && start.Name.Local != "rect" && start.Name.Local != "svg" {
			continue
		}
		if e := (element{kind: start.Name.Local}); e.kind == "text" {
			if e.text, err = text(d); err != nil {
				t.Fatal(err)
			}
			all = append(all, place(t, e, start))
		} else {
			all = append(all, place(t, e, start))
		}
	}
}

func text(d *xml.Decoder) (string, error) {
	token, err := d.Token()
	data, _ := token.(xml.CharData)
	return string(data), err
}

// place computes the box of an element, that of a text with wide letters.
func place(t *testing.T, e element, start xml.StartElement) element {
	t.Helper()
	number := make(map[string]float64)
	for _, a := range start.Attr {
		if n, err := strconv.ParseFloat(a.Value, 64); err == nil {
			number[a.Name.Local] = n
		} else if a.Name.Local == "class" {
			e.class = a.Value
		}
	}
	width, height := number["width"], number["height"]
	e.left, e.top = number["x"], number["y"]
	if e.kind == "text" {
		width, height = 7.9*float64(utf8.RuneCountInString(e.text)), 14
		if strings.Contains(e.class, "faint") {
			width, height = width*6.6/7.9, 12
		}
		e.top -= height - 3
		if strings.Contains(e.class, "end") {
			e.left -= width
		}
		if strings.Contains(e.class, "middle") {
			e.left -= width / 2
		}
	}
	e.right, e.bottom = e.left+width, e.top+height
	if math.IsNaN(e.left+e.right+e.top+e.bottom) || math.IsInf(e.left+e.right, 0) {
		t.Errorf("%+v has no position", e)
	}
	return e
}

// checkChart checks that everything is on the background, and that nothing overlaps.
func checkChart(t *testing.T, all []element) {
	t.Helper()
	ground, drawn := all[0], []element{}
	bars := 0
	for _, e := range all[1:] {
		if e.class == "ground" {
			continue
		}
		if e.left < 0 || e.top < 0 || e.right > ground.right || e.bottom > ground.bottom {
			t.Errorf("%+v is not on the chart, %+v", e, ground)
		}
		if e.kind == "rect" {
			bars++
		}
		drawn = append(drawn, e)
	}
	for i, a := range drawn {
		for _, b := range drawn[:i] {
			if a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom {
				t.Errorf("%+v overlaps %+v", a, b)
			}
		}
	}
	if bars < 4 {
		t.Errorf("%d bars", bars)
	}
}
