package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/internal/arithmetic"
)

// ownName returns the name of the arithmetic of this process.
func ownName() string {
	if arithmetic.Name() == arithmetic.Portable {
		return report.Ours
	}
	return report.IFMA
}

// addPortable adds the portable arithmetic if this process uses another one. It is
// measured in a process of its own, with the instructions switched off.
func (f *suite) addPortable(ctx context.Context, pool int) error {
	if arithmetic.Name() == arithmetic.Portable {
		f.note("%s: this processor has no AVX-512 IFMA, or it is switched off", report.IFMA)
		return nil
	}
	t, err := startPortable(ctx, pool)
	if err != nil {
		return fmt.Errorf("the portable arithmetic: %w", err)
	}
	f.closers = append(f.closers, t.Close)
	for i, p := range pairs {
		for _, s := range append(p.States(), workload.First) {
			f.add(i, report.Ours, string(s), func(d time.Duration) (sample, error) { return t.slot(i, string(s), d) })
		}
	}
	return nil
}

// portableProcess is the process that measures the portable arithmetic.
type portableProcess struct{ *peer }

type slotQuestion struct {
	Pair  int
	State string
	Time  time.Duration
}

type slotAnswer struct {
	Microseconds, Allocations float64
	Error                     string
}

// poolVariable is the environment variable with the pool size of that process.
const poolVariable = "VEPVERIFY_COMPARE_POOL"

func startPortable(ctx context.Context, pool int) (*portableProcess, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, own)
	c.Env = append(os.Environ(), "GODEBUG=cpu.avx512f=off", fmt.Sprint(poolVariable, "=", pool))
	p, err := startPeer(c)
	if err != nil {
		return nil, err
	}
	var used string
	if err = p.answers.Decode(&used); err == nil && used != arithmetic.Portable {
		err = fmt.Errorf("the process uses %q", used)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return &portableProcess{p}, nil
}

func (t *portableProcess) slot(pair int, state string, d time.Duration) (sample, error) {
	var a slotAnswer
	if err := t.exchange(slotQuestion{pair, state, d}, &a); err != nil {
		return sample{}, err
	}
	if a.Error != "" {
		return sample{}, errors.New(a.Error)
	}
	return sample{a.Microseconds, a.Allocations}, nil
}

// servePortable reports whether this process was started by startPortable. If so, it
// serves slots until standard input ends.
func servePortable() bool {
	text, asked := os.LookupEnv(poolVariable)
	if !asked {
		return false
	}
	pool, err := strconv.Atoi(text)
	if err == nil {
		runtime.GOMAXPROCS(1)
		err = answerPortable(pool, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare, portable:", err)
		os.Exit(1)
	}
	return true
}

func answerPortable(pool int, in io.Reader, out io.Writer) error {
	f, err := newSuite(pool)
	if err != nil {
		return err
	}
	defer f.Close()
	answers, questions := json.NewEncoder(out), json.NewDecoder(in)
	if err := answers.Encode(arithmetic.Name()); err != nil {
		return err
	}
	for {
		var q slotQuestion
		if err := questions.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := answers.Encode(f.answer(q)); err != nil {
			return err
		}
	}
}

func (f *suite) answer(q slotQuestion) (a slotAnswer) {
	for _, c := range f.subjects {
		if c.pair == q.Pair && c.name == ownName() && c.state == q.State {
			s, err := c.slot(q.Time)
			if err != nil {
				a.Error = err.Error()
			}
			a.Microseconds, a.Allocations = s.microseconds, s.allocations
			return a
		}
	}
	a.Error = "no such pair and state"
	return a
}
