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

// pairs are those that there are goals for.
var pairs = []workload.Pair{
	{Issuer: "RS256", User: "DS128"}, {Issuer: "RS256", User: "RS256"},
	{Issuer: "DS128", User: "DS128"}, {Issuer: "DS256", User: "DS256"},
}

// contestant is who is measured, doing one thing.
type contestant struct {
	pair        int // index in pairs
	name, state string
	// slot works for about that long.
	slot func(time.Duration) (sample, error)
	// samples has one for each round.
	samples []sample
}

// sample is what one verification took in one slot.
type sample struct {
	microseconds float64
	allocations  float64 // below 0: not known
}

// field is everybody who takes part.
type field struct {
	cold, warm  []*workload.Pool // by pair
	contestants []*contestant
	versions    map[string]string
	notes       []string
	closers     []func()
}

// newField mints the pools, and takes in all that Go has.
func newField(size int) (*field, error) {
	f := &field{versions: map[string]string{"Go": runtime.Version()}}
	mint, err := workload.NewMint(size)
	if err != nil {
		return nil, err
	}
	for i, p := range pairs {
		for _, s := range append(p.States(), workload.First) {
			if err := f.addOurs(mint, i, s); err != nil {
				return nil, err
			}
		}
		if err := f.addPlain(i); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *field) addOurs(mint *workload.Mint, pair int, s workload.State) error {
	pool, err := f.pool(mint, pair, s)
	if err != nil {
		return err
	}
	r, err := mint.NewRunner(pool, s)
	if err != nil {
		return err
	}
	f.add(pair, ownName(), string(s), local(func() error {
		_, err := r.Verify(context.Background())
		return err
	}))
	return nil
}

// pool mints each pool once: the first state of its kind comes first.
func (f *field) pool(mint *workload.Mint, pair int, s workload.State) (*workload.Pool, error) {
	pools := &f.warm
	if s == workload.Cold || s == workload.First {
		pools = &f.cold
	}
	if len(*pools) == pair {
		pool, err := mint.Pool(pairs[pair], s)
		if err != nil {
			return nil, err
		}
		*pools = append(*pools, pool)
	}
	return (*pools)[pair], nil
}

func (f *field) addPlain(pair int) error {
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

func (f *field) add(pair int, name, state string, slot func(time.Duration) (sample, error)) {
	f.contestants = append(f.contestants, &contestant{pair: pair, name: name, state: state, slot: slot})
}

func (f *field) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// Close ends what was started.
func (f *field) Close() {
	for _, c := range f.closers {
		c()
	}
}

// measure runs the rounds. One slot of each comes before them, to warm up.
func (f *field) measure(ctx context.Context, rounds int, slot time.Duration, progress io.Writer) error {
	slices.SortStableFunc(f.contestants, func(a, b *contestant) int { return a.pair - b.pair })
	order := slices.Clone(f.contestants)
	for round := range rounds + 1 {
		fmt.Fprintf(progress, "round %d of %d\n", round, rounds)
		for _, c := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			runtime.GC()
			s, err := c.slot(slot)
			if err != nil {
				return fmt.Errorf("%s, %s %s: %w", pairs[c.pair], c.name, c.state, err)
			}
			if round > 0 {
				c.samples = append(c.samples, s)
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// local makes a slot of a verification in this process, one after the other.
func local(verify func() error) func(time.Duration) (sample, error) {
	const batch = 8 // so that reading the clock does not count
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

// comparison sums up what was measured.
func (f *field) comparison(o options) *report.Comparison {
	c := &report.Comparison{
		Format: report.ComparisonFormat, Date: o.Date, Machine: report.ThisMachine(), Versions: f.versions,
		Rounds: o.rounds, Slot: o.slot.String(), Notes: f.notes,
	}
	for i, p := range pairs {
		figures := report.PairFigures{Issuer: p.Issuer, User: p.User}
		base := f.find(i, report.OpenSSL)
		for _, contestant := range f.contestants {
			if contestant.pair == i {
				figures.Figures = append(figures.Figures, contestant.figure(figures.String(), base))
			}
		}
		c.Pairs = append(c.Pairs, figures)
	}
	return c
}

func (f *field) find(pair int, name string) *contestant {
	for _, c := range f.contestants {
		if c.pair == pair && c.name == name {
			return c
		}
	}
	return nil
}

func (c *contestant) figure(pair string, base *contestant) report.Figure {
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

func (c *contestant) microseconds() []float64 {
	var each []float64
	for _, s := range c.samples {
		each = append(each, s.microseconds)
	}
	return each
}
