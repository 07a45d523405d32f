package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
)

// pairs are the pairs of BrowserID that have goals.
var pairs = []workload.Pair{
	{Issuer: "RS256", User: "DS128"}, {Issuer: "RS256", User: "RS256"},
	{Issuer: "DS128", User: "DS128"}, {Issuer: "DS256", User: "DS256"},
}

// subject is one implementation in one state, for one pair.
type subject struct {
	pair        int // index in the pairs of the suite
	name, state string
	// slot verifies for about the given time.
	slot func(time.Duration) (sample, error)
	// samples has one sample for each round.
	samples []sample
}

// sample is the cost of one verification in one slot.
type sample struct {
	microseconds float64
	allocations  float64 // negative means unknown
}

// suite is the set of subjects.
type suite struct {
	pairs      []workload.Pair
	base       string           // the name of the subject to which ratios are
	cold, warm []*workload.Pool // by pair
	subjects   []*subject
	versions   map[string]string
	notes      []string
	closers    []func()
}

// newSuite makes the pools, and adds the subjects that are Go code.
func newSuite(size int) (*suite, error) {
	f := &suite{pairs: pairs, base: report.OpenSSL, versions: map[string]string{"Go": runtime.Version()}}
	generator, err := workload.NewGenerator(size)
	if err != nil {
		return nil, err
	}
	for i, p := range pairs {
		for _, s := range append(p.States(), workload.First) {
			if err := f.addOurs(generator, i, s); err != nil {
				return nil, err
			}
		}
		if err := f.addPlain(i); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *suite) addOurs(generator *workload.Generator, pair int, s workload.State) error {
	pool, err := f.pool(generator, pair, s)
	if err != nil {
		return err
	}
	r, err := generator.NewRunner(pool, s)
	if err != nil {
		return err
	}
	f.add(pair, ownName(), string(s), local(func() error {
		_, err := r.Verify(context.Background())
		return err
	}))
	return nil
}

// pool returns the pool for a state, made once for the states that share it.
func (f *suite) pool(generator *workload.Generator, pair int, s workload.State) (*workload.Pool, error) {
	pools := &f.warm
	if s == workload.Cold || s == workload.First {
		pools = &f.cold
	}
	if len(*pools) == pair {
		pool, err := generator.Pool(pairs[pair], s)
		if err != nil {
			return nil, err
		}
		*pools = append(*pools, pool)
	}
	return (*pools)[pair], nil
}

func (f *suite) addPlain(pair int) error {
	pool := f.cold[pair]
	text, err := pool.Key.MarshalJSON()
	if err != nil {
		return err
	}
	key, err := workload.ParsePlainKey(text)
	if err != nil {
		return err
	}
	issuers, turn := map[string]workload.PlainKey{pool.Domain: key}, 0
	f.add(pair, "Go's standard library", "", local(func() error {
		turn++
		_, err := workload.Plain(pool.Texts[turn%len(pool.Texts)], workload.Audience, workload.Now, issuers)
		return err
	}))
	return nil
}

func (f *suite) add(pair int, name, state string, slot func(time.Duration) (sample, error)) {
	f.subjects = append(f.subjects, &subject{pair: pair, name: name, state: state, slot: slot})
}

func (f *suite) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// Close stops the processes of the suite.
func (f *suite) Close() {
	for _, c := range f.closers {
		c()
	}
}

// measure runs the rounds, after one round to warm up.
func (f *suite) measure(ctx context.Context, rounds int, slot time.Duration, progress io.Writer) error {
	slices.SortStableFunc(f.subjects, func(a, b *subject) int { return a.pair - b.pair })
	order := slices.Clone(f.subjects)
	for round := range rounds + 1 {
		fmt.Fprintf(progress, "round %d of %d\n", round, rounds)
		for _, c := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			runtime.GC()
			s, err := c.slot(slot)
			if err != nil {
				return fmt.Errorf("%s, %s %s: %w", f.pairs[c.pair], c.name, c.state, err)
			}
			if round > 0 {
				c.samples = append(c.samples, s)
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// local returns a slot function that calls verify repeatedly in this process.
func local(verify func() error) func(time.Duration) (sample, error) {
	const batch = 8 // amortizes reading the clock
	return func(d time.Duration) (sample, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var n int
		begin, took := time.Now(), time.Duration(0)
		for took < d {
			for range batch {
				if err := verify(); err != nil {
					return sample{}, err
				}
			}
			n += batch
			took = time.Since(begin)
		}
		runtime.ReadMemStats(&after)
		return sample{perOne(took, n), float64(after.Mallocs-before.Mallocs) / float64(n)}, nil
	}
}

func perOne(took time.Duration, n int) float64 {
	return float64(took.Nanoseconds()) / 1000 / float64(n)
}

// comparison summarizes the samples.
func (f *suite) comparison(o options) *report.Comparison {
	c := &report.Comparison{
		Format: report.ComparisonFormat, Date: o.Date, Machine: report.ThisMachine(), Versions: f.versions,
		Rounds: o.rounds, Slot: o.slot.String(), Base: f.base, Notes: f.notes,
	}
	for i, p := range f.pairs {
		figures := report.PairFigures{Issuer: p.Issuer, User: p.User}
		base := f.find(i, f.base)
		for _, subject := range f.subjects {
			if subject.pair == i {
				figures.Figures = append(figures.Figures, subject.figure(figures.String(), base))
			}
		}
		c.Pairs = append(c.Pairs, figures)
	}
	return c
}

func (f *suite) find(pair int, name string) *subject {
	for _, c := range f.subjects {
		if c.pair == pair && c.name == name {
			return c
		}
	}
	return nil
}

func (c *subject) figure(pair string, base *subject) report.Figure {
	figure := report.Figure{Name: c.name, State: c.state, Microseconds: report.Summarize(c.microseconds())}
	if base != nil {
		ratio := report.Summarize(report.Ratios(c.microseconds(), base.microseconds()))
		figure.Ratio = &ratio
	}
	if c.samples[0].allocations >= 0 {
		var each []float64
		for _, s := range c.samples {
			each = append(each, s.allocations)
		}
		median := report.Summarize(each).Median
		figure.Allocations = &median
	}
	figure.RatioGoal = report.RatioGoal(c.name, pair, c.state)
	figure.AllocationGoal = report.AllocationGoal(c.name, pair, c.state)
	return figure
}

func (c *subject) microseconds() []float64 {
	var each []float64
	for _, s := range c.samples {
		each = append(each, s.microseconds)
	}
	return each
}
