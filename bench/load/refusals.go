package main

import (
	"errors"
	"fmt"

	dto "github.com/prometheus/client_model/go"
)

// refusals reads from the service's metrics how long it took to refuse.
func (s *service) refusals() (r Refusals, err error) {
	families, err := s.Metrics()
	if err != nil {
		return r, err
	}
	const name = "vepverify_shed_duration_seconds"
	family := families[name]
	if family == nil || len(family.Metric) != 1 || family.Metric[0].Histogram == nil {
		return r, fmt.Errorf("the service has no %s", name)
	}
	return readHistogram(family.Metric[0].Histogram)
}

func readHistogram(h *dto.Histogram) (r Refusals, err error) {
	r.Count = h.GetSampleCount()
	if r.Count == 0 {
		return r, nil
	}
	r.MeanMS = 1000 * h.GetSampleSum() / float64(r.Count)
	for _, b := range h.Bucket {
		if b.GetUpperBound() == 0.01 {
			r.Within10 = float64(b.GetCumulativeCount()) / float64(r.Count)
			return r, nil
		}
	}
	return r, errors.New("no bucket ends at 10 ms")
}
