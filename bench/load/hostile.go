package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/bench/internal/report"
)

// hostileOptions are the flags of --hostile.
type hostileOptions struct {
	kind       string
	rates      []float64 // hostile requests a second
	honestRate float64
	runs       int
	duration   time.Duration
	before     string // another vepverify to measure; empty means none
}

func (h *hostileOptions) flags(f *flag.FlagSet) {
	h.rates, h.honestRate = []float64{80}, 100
	f.StringVar(&h.kind, "hostile", "", "attack the service: all, or a kind of attack")
	f.Func("hostile-rate", "hostile requests a second; several rates with commas (default 80)", h.setRates)
	f.IntVar(&h.runs, "hostile-runs", 5, "number of runs; medians are reported")
	f.DurationVar(&h.duration, "hostile-duration", 4500*time.Millisecond, "length of a run")
	f.StringVar(&h.before, "hostile-before", "", "second vepverify to attack, alternately with the first")
}

func (h *hostileOptions) setRates(text string) error {
	h.rates = nil
	for field := range strings.SplitSeq(text, ",") {
		rate, err := strconv.ParseFloat(field, 64)
		if err != nil || !(rate > 0 && rate <= 100_000) {
			return errors.New("want numbers above 0")
		}
		h.rates = append(h.rates, rate)
	}
	return nil
}

func (h hostileOptions) check() error {
	if h.runs < 1 || h.duration < 100*time.Millisecond {
		return errors.New("hostile: want at least one run, of at least 100ms")
	}
	return nil
}

// The goals of bench/README.md. Each row is compared with them.
const (
	maxLost      = 1.0   // percent of honest requests refused or undecided
	maxHonestP99 = 50.0  // milliseconds
	maxPeak      = 256.0 // MiB
)

// HostileFormat is the format of a [Hostile] in JSON.
const HostileFormat = "vepverify-hostile/1"

// Hostile is the effect of attacks on honest users.
type Hostile struct {
	Format    string         `json:"format"`
	Date      time.Time      `json:"date"`
	Machine   report.Machine `json:"machine"`
	Portable  bool           `json:"portable"` // GODEBUG asked for the portable code
	Seconds   float64        `json:"secondsPerRun"`
	Runs      int            `json:"runs"`
	PerSecond float64        `json:"honestPerSecond"`
	Rows      []HostileRow   `json:"rows"`
}

// HostileRow is one attack at one rate. Figures are medians of the runs unless noted.
// Percentages are of the honest requests.
type HostileRow struct {
	Service   string  `json:"service"` // before or after
	Attack    string  `json:"attack"`  // "none" means honest requests alone
	Rate      float64 `json:"hostilePerSecond"`
	Refused   float64 `json:"refusedPercent"` // 503, or no answer
	Undecided float64 `json:"undecidedPercent"`
	Wrong     int     `json:"wrong"` // in all runs: honest ones that failed, forged ones that passed
	P50       float64 `json:"p50Milliseconds"`
	P99       float64 `json:"p99Milliseconds"`

	Statuses map[string]float64 `json:"hostileStatuses"` // percent of the hostile requests
	CPU      float64            `json:"cpuMillisecondsPerHostileRequest"`
	Peak     float64            `json:"peakMiB"` // in any run
	Fetches  Fetches            `json:"fetches"` // in the run with most

	// Processor time of the two processes, in seconds.
	ServeCPU  float64 `json:"serveCPUSeconds"`
	LoaderCPU float64 `json:"loaderCPUSeconds"`
	Load      float64 `json:"loadAverage"` // of the machine, over one minute
}

// Fetches is how often support documents were fetched.
type Fetches struct {
	Fallback int `json:"fallback"`
	Provider int `json:"provider"` // the honest one with most
	Others   int `json:"others"`   // the attacker's, and hosts without a document
}

// Good reports whether the row meets the goals.
func (r HostileRow) Good() bool {
	return r.Refused+r.Undecided <= maxLost && r.P99 <= maxHonestP99 && r.Wrong == 0 && r.Peak <= maxPeak
}

func (r HostileRow) print(out io.Writer) {
	verdict := "good"
	if !r.Good() {
		verdict = "MISSED"
	}
	fmt.Fprintf(out, "%-6s %-17s %4.0f/s  %-6s refused %5.1f %%  undecided %5.1f %%  wrong %d  p50 %6.1f ms  p99 %7.1f ms  cpu %7.3f ms  peak %4.0f MiB  fetches %d/%d/%d  cpu s %.2f+%.2f  load %.1f  %s\n",
		r.Service, r.Attack, r.Rate, verdict, r.Refused, r.Undecided, r.Wrong, r.P50, r.P99, r.CPU, r.Peak,
		r.Fetches.Provider, r.Fetches.Fallback, r.Fetches.Others, r.ServeCPU, r.LoaderCPU, r.Load, statusText(r.Statuses))
}

func statusText(statuses map[string]float64) string {
	var all []string
	for name, percent := range statuses {
		all = append(all, fmt.Sprintf("%s %.0f %%", name, percent))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// measureHostile runs the attacks and writes hostile.json.
func measureHostile(ctx context.Context, o options, out io.Writer) error {
	if err := o.hostile.check(); err != nil {
		return err
	}
	attacks, err := attacksOf(o.hostile.kind)
	if err != nil {
		return err
	}
	result := &Hostile{
		Format: HostileFormat, Date: o.Date, Machine: report.ThisMachine(), Portable: strings.Contains(os.Getenv("GODEBUG"), "avx512f=off"),
		Seconds: o.hostile.duration.Seconds(), Runs: o.hostile.runs, PerSecond: o.hostile.honestRate,
	}
	alone, err := result.add(ctx, o, hostileAttack{name: "none"}, 0, nil, out)
	if err != nil {
		return err
	}
	for _, attack := range attacks {
		for _, rate := range o.hostile.rates {
			if _, err := result.add(ctx, o, attack, rate, alone, out); err != nil {
				return fmt.Errorf("%s, %.0f/s: %w", attack.name, rate, err)
			}
		}
	}
	if err := o.Write("hostile.json", func(w io.Writer) error { return report.WriteJSON(w, result) }); err != nil {
		return err
	}
	return result.check()
}

// check returns an error if a verdict was wrong, because the figures are then worthless. A
// missed goal is not an error.
func (h *Hostile) check() error {
	for _, r := range h.Rows {
		if r.Wrong > 0 {
			return fmt.Errorf("%s, %s, %.0f/s: %d wrong verdicts", r.Service, r.Attack, r.Rate, r.Wrong)
		}
	}
	return nil
}

// add measures one attack at one rate, both services alternately, and returns the processor
// time of each. The time of honest requests alone, if given, is subtracted in the row.
func (h *Hostile) add(ctx context.Context, o options, attack hostileAttack, rate float64, alone map[string]float64, out io.Writer) (map[string]float64, error) {
	t, err := newHostileTest(o, attack, rate)
	if err != nil {
		return nil, err
	}
	services := []struct{ name, binary string }{{"before", o.hostile.before}, {"after", o.binary}}
	runs := make(map[string][]*hostileRun)
	for range o.hostile.runs {
		for _, s := range services {
			if t.binary = s.binary; t.binary == "" {
				continue
			}
			r, err := t.run(ctx)
			if err != nil {
				return nil, err
			}
			runs[s.name] = append(runs[s.name], r)
		}
	}
	cpu := make(map[string]float64)
	for _, s := range services {
		if len(runs[s.name]) == 0 {
			continue
		}
		row := t.row(runs[s.name])
		row.Service, row.Load = s.name, loadAverage()
		if len(t.requests) > 0 {
			row.CPU = 1000 * (row.ServeCPU - alone[s.name]) / float64(len(t.requests))
		}
		cpu[s.name] = row.ServeCPU
		row.print(out)
		h.Rows = append(h.Rows, row)
	}
	return cpu, nil
}

// newHostileTest makes the requests that all runs of a row send.
func newHostileTest(o options, attack hostileAttack, rate float64) (*hostileTest, error) {
	t := &hostileTest{options: o, attack: attack, rate: rate}
	var err error
	now, seconds := time.Now(), o.hostile.duration.Seconds()
	if t.honest, err = newHonest(int(o.hostile.honestRate*seconds), now); err != nil {
		return nil, err
	}
	if attack.document != nil {
		if t.document, err = attack.document(); err != nil {
			return nil, err
		}
	}
	if attack.tls != nil {
		chain, err := attack.tls([]string{"*.example", "*." + attackerDomain})
		if err != nil {
			return nil, err
		}
		t.tls = &chain
	}
	m, err := newHostileGenerator(now)
	if err != nil {
		return nil, err
	}
	t.requests = make([][]byte, int(rate*seconds))
	for i := range t.requests {
		if t.requests[i], err = attack.request(m, i); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// row summarizes runs.
func (t *hostileTest) row(runs []*hostileRun) HostileRow {
	of := func(f func(*hostileRun) float64) float64 { return median(runs, f) }
	percent := func(a *answered, v ...verdict) float64 {
		n := 0
		for _, v := range v {
			n += a.counts[v]
		}
		return 100 * float64(n) / float64(max(1, sum(a.counts)))
	}
	row := HostileRow{
		Attack: t.attack.name, Rate: t.rate, Statuses: make(map[string]float64),
		Refused:   of(func(r *hostileRun) float64 { return percent(&r.honest, shed, refused, broken) }),
		Undecided: of(func(r *hostileRun) float64 { return percent(&r.honest, undecided) }),
		P50:       of(func(r *hostileRun) float64 { return milliseconds(r.honest.percentile(0.5)) }),
		P99:       of(func(r *hostileRun) float64 { return milliseconds(r.honest.percentile(0.99)) }),
		ServeCPU:  of(func(r *hostileRun) float64 { return r.serveCPU.Seconds() }),
		LoaderCPU: of(func(r *hostileRun) float64 { return r.loaderCPU.Seconds() }),
	}
	for v, name := range verdictNames {
		if share := of(func(r *hostileRun) float64 { return percent(&r.hostile, verdict(v)) }); share > 0 {
			row.Statuses[name] = share
		}
	}
	for _, r := range runs {
		row.Wrong += r.wrong
		if !t.attack.genuine {
			row.Wrong += r.hostile.counts[okay]
		}
		row.Peak = max(row.Peak, mib(r.peak))
		row.Fetches.Fallback = max(row.Fetches.Fallback, r.fetches.Fallback)
		row.Fetches.Provider = max(row.Fetches.Provider, r.fetches.Provider)
		row.Fetches.Others = max(row.Fetches.Others, r.fetches.Others)
	}
	return row
}

// percentile returns a percentile over all requests, with any verdict.
func (a *answered) percentile(share float64) time.Duration {
	return percentile(slices.Concat(a.took[:]...), share)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median[T any](all []T, of func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = of(one)
	}
	slices.SortFunc(values, cmp.Compare)
	return values[len(values)/2]
}

// loadAverage returns the system's load average, 0 if it has none.
func loadAverage() (load float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(text), &load) // stays zero if it cannot be parsed
	return load
}
