package report

import (
	"math"
	"slices"
)

// Spread is one quantity over the rounds of a run: its median and its quartiles. The
// distance of the quartiles shows how noisy the machine was.
type Spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`  // a quarter of the rounds is below
	High   float64 `json:"high"` // a quarter of the rounds is above
}

// Summarize returns the spread of values. There must be at least one.
func Summarize(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	return Spread{quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75)}
}

// quantile returns a quantile, interpolated between the two nearest sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := int(math.Ceil(at))
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Ratios returns the ratios round by round, so that a slow round cancels out.
func Ratios(values, by []float64) []float64 {
	ratios := make([]float64, len(values))
	for i := range values {
		ratios[i] = values[i] / by[i]
	}
	return ratios
}
