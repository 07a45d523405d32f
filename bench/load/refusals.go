package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// refusals reads the time of refusals from the service's metrics.
func (s *service) refusals() (r Refusals, err error) {
	answer, err := http.Get(s.metrics)
	if err != nil {
		return r, err
	}
	defer answer.Body.Close()
	return readRefusals(answer.Body)
}

// readRefusals parses a histogram in the text format of Prometheus.
func readRefusals(text io.Reader) (r Refusals, err error) {
	const name = "vepverify_shed_duration_seconds"
	values := make(map[string]float64)
	for lines := bufio.NewScanner(text); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok {
			continue
		}
		label, number, _ := strings.Cut(rest, " ")
		if values[label], err = strconv.ParseFloat(number, 64); err != nil {
			return r, fmt.Errorf("metrics: %w", err)
		}
	}
	count, within := values["_count"], values[`_bucket{le="0.01"}`]
	if _, ok := values["_sum"]; !ok {
		return r, fmt.Errorf("the service has no metric %s", name)
	}
	if count > 0 {
		r = Refusals{Count: uint64(count), Within10: within / count, MeanMS: 1000 * values["_sum"] / count}
	}
	return r, nil
}
