package verifyapi

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/wellknown"
)

// Metrics counts what handlers do, for Prometheus. No label has a value that a
// client could choose. Its methods do nothing when it is nil.
//
//	vepverify_verifications_total{result,reason}      requests by what came of them
//	vepverify_verification_duration_seconds           how long those that were verified took, the wait included
//	vepverify_shed_duration_seconds                   how long those that were sent away stayed, from the header on
//	vepverify_lookups_total{result}                   look-ups that waited for the network
//	vepverify_lookup_cache_hits_total                 look-ups that did not have to
//	vepverify_verifications_in_flight                 verifications under way
//	vepverify_verifications_queued                    those that wait for their turn
//	vepverify_lookups_waiting                         those that wait for a look-up
//
// The results are okay, failure, undecided, refused (the request itself was
// wrong), shed (sent away as "too busy"), cancelled (the client was gone) and
// fault; for look-ups they are supported, unsupported, unavailable and refused.
type Metrics struct {
	verifications map[outcome]prometheus.Counter
	duration      prometheus.Histogram
	shedDuration  prometheus.Histogram
	lookups       map[string]prometheus.Counter
	hits          prometheus.Counter
	inFlight      prometheus.Gauge
	queued        prometheus.Gauge
	waiting       prometheus.Gauge
}

const namespace = "vepverify"

// NewMetrics makes metrics and registers them; several handlers may share them.
// It errs when r has metrics of the same names already.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	total := counters("verifications_total", "Requests for a verification, by result and reason.", "result", "reason")
	lookups := counters("lookups_total", "Look-ups of issuers that waited for the network, by result.", "result")
	m := &Metrics{
		verifications: make(map[outcome]prometheus.Counter),
		lookups:       make(map[string]prometheus.Counter),
		duration: histogram("verification_duration_seconds", "Time that a verification took, from the request's header to its answer.",
			.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10),
		shedDuration: histogram("shed_duration_seconds", "Time that a request which was sent away stayed, from its header to its answer.",
			.00001, .0001, .001, .0025, .005, .01, .025, .05, .1, 1),
		hits: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "lookup_cache_hits_total", Help: "Look-ups of issuers that were answered from memory.",
		}),
		inFlight: gauge("verifications_in_flight", "Verifications under way, without those that wait for a look-up."),
		queued:   gauge("verifications_queued", "Requests that wait for their turn."),
		waiting:  gauge("lookups_waiting", "Verifications that wait for a look-up."),
	}
	for _, o := range outcomes() {
		m.verifications[o] = total.WithLabelValues(o.result, o.reason)
	}
	for _, result := range []string{"supported", "unsupported", "unavailable", "refused"} {
		m.lookups[result] = lookups.WithLabelValues(result)
	}
	for _, c := range []prometheus.Collector{total, lookups, m.duration, m.shedDuration, m.hits, m.inFlight, m.queued, m.waiting} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("verifyapi: %w", err)
		}
	}
	return m, nil
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

// count counts one request for a verification.
func (m *Metrics) count(o outcome, took time.Duration) {
	if m == nil {
		return
	}
	m.verifications[o].Inc()
	switch o.result {
	case "okay", "failure", "undecided":
		m.duration.Observe(took.Seconds())
	case "shed":
		m.shedDuration.Observe(took.Seconds())
	}
}

// looked is for wellknown.Hooks.
func (m *Metrics) looked(held bool, err error) {
	switch {
	case m == nil:
	case held:
		m.hits.Inc()
	case err == nil:
		m.lookups["supported"].Inc()
	case errors.Is(err, wellknown.ErrUnsupported):
		m.lookups["unsupported"].Inc()
	case errors.Is(err, wellknown.ErrRefused):
		m.lookups["refused"].Inc()
	default:
		m.lookups["unavailable"].Inc()
	}
}

func (m *Metrics) running(n float64) {
	if m != nil {
		m.inFlight.Add(n)
	}
}

func (m *Metrics) queue(n float64) {
	if m != nil {
		m.queued.Add(n)
	}
}

func (m *Metrics) lookupsWaiting(n float64) {
	if m != nil {
		m.waiting.Add(n)
	}
}
