package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the comparison for a terminal.
func (c *Comparison) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s, %d cores, %s/%s, %s\n", c.Machine.CPU, c.Machine.Cores, c.Machine.OS, c.Machine.Arch, c.Date.Format("2006-01-02"))
	for _, name := range sortedKeys(c.Versions) {
		fmt.Fprintf(w, "%s: %s\n", name, c.Versions[name])
	}
	fmt.Fprintf(w, "one core; medians (and quartiles) of %d rounds of %s; ratios to the two signatures of %s in the same round\n", c.Rounds, c.Slot, c.base())
	for _, p := range c.Pairs {
		fmt.Fprintf(w, "\nissuer %s, user %s\n", p.Issuer, p.User)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\tµs\t\tratio\t\tgoal\t\tallocations\tgoal\t")
		for _, f := range p.Figures {
			fmt.Fprintln(t, strings.Join(f.cells(), "\t"))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, note := range c.Notes {
		fmt.Fprintf(w, "\nnot measured: %s\n", note)
	}
	_, err := fmt.Fprintln(w)
	return err
}

func (f Figure) cells() []string {
	cells := []string{f.Title(), number(f.Microseconds.Median), f.Microseconds.quartiles()}
	if f.Ratio == nil {
		cells = append(cells, "–", "")
	} else {
		cells = append(cells, fmt.Sprintf("%.2f", f.Ratio.Median), f.Ratio.quartiles())
	}
	cells = append(cells, f.goal()...)
	if f.Allocations == nil {
		return append(cells, "", "", "")
	}
	cells = append(cells, fmt.Sprintf("%.1f", *f.Allocations))
	if f.AllocationGoal == 0 {
		return append(cells, "", "")
	}
	// The runtime itself allocates less than a tenth.
	return append(cells, fmt.Sprintf("≤ %g %s", f.AllocationGoal, met(*f.Allocations-0.1, f.AllocationGoal)), "")
}

func (f Figure) goal() []string {
	switch {
	case f.RatioGoal == 0:
		return []string{"", ""}
	case f.Ratio == nil:
		return []string{fmt.Sprintf("≤ %.2f", f.RatioGoal), "unknown without OpenSSL"}
	}
	return []string{fmt.Sprintf("≤ %.2f", f.RatioGoal), met(f.Ratio.Median, f.RatioGoal)}
}

// Title returns the name and the state.
func (f Figure) Title() string {
	switch {
	case f.Name == OpenSSL, f.Name == Crypto:
		return f.Name + ", signatures only"
	case f.State == "":
		return f.Name
	}
	return f.Name + ", " + f.State
}

func (s Spread) quartiles() string { return fmt.Sprintf("(%s–%s)", number(s.Low), number(s.High)) }

// number formats x with three digits, or with all digits before the point if there are more.
func number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func sortedKeys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
