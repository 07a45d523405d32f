package report

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// GrowthFormat is the format of a [Growth] in JSON.
const GrowthFormat = "vepverify-growth/1"

// Growth is the result of one run of bench/growth.
type Growth struct {
	Format  string          `json:"format"`
	Date    time.Time       `json:"date"`
	Machine Machine         `json:"machine"`
	Workers []WorkersFigure `json:"workers"`
	Issuers []IssuersFigure `json:"issuers"`
	Caches  []CacheFigure   `json:"caches"`
}

// WorkersFigure is the throughput of a number of goroutines, over some rounds.
type WorkersFigure struct {
	State     string `json:"state"`
	Workers   int    `json:"workers"`
	PerSecond Spread `json:"perSecond"`
	ToOne     Spread `json:"toOne"` // ratio to one goroutine, in the same round
}

// IssuersFigure is the throughput and the memory with assertions of a number of issuers
// in random order.
type IssuersFigure struct {
	Issuers int `json:"issuers"`
	// Bounds of the resolver: "default", or "raised" so that all documents fit.
	Bounds    string  `json:"bounds"`
	PerSecond float64 `json:"perSecond"`
	// Fetches is the percentage of verifications that fetched a document.
	Fetches   float64 `json:"fetchesPercent"`
	Megabytes float64 `json:"megabytes"` // of heap, for resolver and verifier
}

// CacheFigure is the memory of a cache after as many entries as it may have were added. It
// may have fewer, because it is bounded in bytes too.
type CacheFigure struct {
	Cache     string  `json:"cache"`
	Entries   int     `json:"entries"`
	Megabytes float64 `json:"megabytes"`
}

// WriteTable writes the figures for a terminal.
func (g *Growth) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s, %d cores, %s/%s, %s\n", g.Machine.CPU, g.Machine.Cores, g.Machine.OS, g.Machine.Arch, g.Date.Format("2006-01-02"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nstate\tworkers\tper second\tto one worker\t\t\n")
	for _, f := range g.Workers {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f\t%s\t\n", f.State, f.Workers, f.PerSecond.Median, f.ToOne.Median, f.ToOne.quartiles())
	}
	fmt.Fprint(t, "\nissuers\tbounds\tper second\tfetches, %\tMB\t\n")
	for _, f := range g.Issuers {
		fmt.Fprintf(t, "%d\t%s\t%.0f\t%.1f\t%.1f\t\n", f.Issuers, f.Bounds, f.PerSecond, f.Fetches, f.Megabytes)
	}
	fmt.Fprint(t, "\ncache\tentries allowed\tMB\t\n")
	for _, f := range g.Caches {
		fmt.Fprintf(t, "%s\t%d\t%.2f\t\n", f.Cache, f.Entries, f.Megabytes)
	}
	return t.Flush()
}
