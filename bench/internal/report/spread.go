package report

import (
	"math"
	"slices"
)

// Spread sums up one quantity over the rounds of a run: its median and its
// quartiles. On a noisy machine the distance between these says how much the
// median is worth.
type Spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`  // a quarter of the rounds is below
	High   float64 `json:"high"` // a quarter of the rounds is above
}

// Summarize gives the spread of values, of which there must be one at least.
func Summarize(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	return Spread{quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75)}
}

// quantile interpolates between the two nearest of the sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := int(math.Ceil(at))
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Ratios divides round by round, so that what slowed a whole round down cancels
// out.
func Ratios(values, by []float64) []float64 {
	ratios := make([]float64, len(values))
	for i := range values {
		ratios[i] = values[i] / by[i]
	}
	return ratios
}
