// Package report writes the results of bench/compare and bench/growth: as JSON, as a
// table for the terminal, and as a chart for the documents. It measures nothing.
//
// Start with [Comparison], [Comparison.WriteTable], [Comparison.WriteChart] and
// [WriteJSON]. [Summarize] and [Ratios] are the statistics, [RatioGoal] and
// [AllocationGoal] the goals.
package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// ComparisonFormat is the format of a [Comparison] in JSON.
const ComparisonFormat = "vepverify-comparison/1"

// Comparison is the result of one run of bench/compare.
type Comparison struct {
	Format   string            `json:"format"`
	Date     time.Time         `json:"date"`
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // of what was measured
	Rounds   int               `json:"rounds"`
	Slot     string            `json:"slot"`           // time for each figure in each round
	Base     string            `json:"base,omitempty"` // the name of the figures to which ratios are; empty means OpenSSL
	Pairs    []PairFigures     `json:"pairs"`
	// Notes lists what was not measured, with reasons.
	Notes []string `json:"notes,omitempty"`
}

// PairFigures are the figures of one pair of algorithms.
type PairFigures struct {
	Issuer  string   `json:"issuer"`
	User    string   `json:"user"`
	Figures []Figure `json:"figures"`
}

func (p PairFigures) String() string { return p.Issuer + "/" + p.User }

// Names of figures that have goals, or are the base of ratios.
const (
	Ours    = "vepverify"      // in portable code
	IFMA    = "vepverify IFMA" // with AVX-512 IFMA
	OpenSSL = "OpenSSL"
	Crypto  = "Go's crypto" // the base of tokens of the Email Verification Protocol
)

// base returns the name of the figures to which ratios are.
func (c *Comparison) base() string { return cmp.Or(c.Base, OpenSSL) }

// HasRatios reports whether the base was measured.
func (c *Comparison) HasRatios() bool {
	_, _, ok := c.extremes()
	return ok
}

// Figure is the cost of one verification on one core.
type Figure struct {
	Name         string   `json:"name"`
	State        string   `json:"state,omitempty"` // of our caches; empty for others
	Microseconds Spread   `json:"microseconds"`
	Ratio        *Spread  `json:"ratio,omitempty"`       // to that of the base, round by round
	Allocations  *float64 `json:"allocations,omitempty"` // on Go's heap
	// Goals; 0 means none.
	RatioGoal      float64 `json:"ratioGoal,omitempty"`
	AllocationGoal float64 `json:"allocationGoal,omitempty"`
}

// Machine describes the machine of a measurement.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Arch  string `json:"arch"`
}

// ThisMachine describes the machine that runs the program.
func ThisMachine() Machine {
	return Machine{CPU: processor("/proc/cpuinfo"), Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH}
}

// processor returns the processor's model name from Linux's /proc/cpuinfo.
func processor(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// WriteJSON writes a result as indented JSON.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// ReadComparison reads a comparison that [WriteJSON] wrote.
func ReadComparison(r io.Reader) (*Comparison, error) {
	c := new(Comparison)
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	if c.Format != ComparisonFormat {
		return nil, fmt.Errorf("comparison: format %q, want %q", c.Format, ComparisonFormat)
	}
	return c, nil
}
