// Package report writes down what bench/compare and bench/growth measured: as
// JSON, as a table for the terminal and as a chart for the README. It measures
// nothing.
//
// Start with [Comparison], which [Comparison.WriteTable] and
// [Comparison.WriteChart] show and [WriteJSON] keeps. [Summarize] and [Ratios]
// are its statistics, [RatioGoal] and [AllocationGoal] what was set out for.
package report

import (
	"bufio"
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

// Comparison is what one run of bench/compare found.
type Comparison struct {
	Format   string            `json:"format"`
	Date     time.Time         `json:"date"`
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // of what was measured
	Rounds   int               `json:"rounds"`
	Slot     string            `json:"slot"` // time for each figure in each round
	Pairs    []PairFigures     `json:"pairs"`
	// Notes say what was not measured, and why.
	Notes []string `json:"notes,omitempty"`
}

// PairFigures are the figures of one pair of algorithms.
type PairFigures struct {
	Issuer  string   `json:"issuer"`
	User    string   `json:"user"`
	Figures []Figure `json:"figures"`
}

func (p PairFigures) String() string { return p.Issuer + "/" + p.User }

// Names of a [Figure] that mean something here.
const (
	Ours    = "vepverify"      // in portable code
	IFMA    = "vepverify IFMA" // with AVX-512 IFMA
	OpenSSL = "OpenSSL"
)

// Figure is what one verification costs someone on one core.
type Figure struct {
	Name         string   `json:"name"`
	State        string   `json:"state,omitempty"` // of our caches; others have none
	Microseconds Spread   `json:"microseconds"`
	Ratio        *Spread  `json:"ratio,omitempty"`       // to OpenSSL's, round by round
	Allocations  *float64 `json:"allocations,omitempty"` // on Go's heap
	// The goals, 0 where there is none.
	RatioGoal      float64 `json:"ratioGoal,omitempty"`
	AllocationGoal float64 `json:"allocationGoal,omitempty"`
}

// Machine is where it was measured.
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

// processor finds the model's name where Linux has it.
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

// WriteJSON writes a comparison, or what else was measured.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// ReadComparison reads what [WriteJSON] wrote.
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
