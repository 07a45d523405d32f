package verifyapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/wellknown"
)

// outcome classifies a request for a verification, for logs and metrics. A client
// cannot choose its texts.
type outcome struct {
	result result
	class  string // the label of metrics and the attribute of logs with this name
}

// result is the first half of an outcome.
type result string

const (
	resultOkay      result = "okay"
	resultFailure   result = "failure"
	resultUndecided result = "undecided"
	resultRefused   result = "refused"   // the request itself is wrong
	resultShed      result = "shed"      // refused as "too busy"
	resultCancelled result = "cancelled" // the client disconnected
	resultFault     result = "fault"
)

// okay is the outcome of an assertion that was accepted.
var okay = outcome{resultOkay, "none"}

// outcomeByKind has the outcomes of assertions that were not accepted, by
// assertion.Error.Kind.
var outcomeByKind = map[error]outcome{
	assertion.ErrMalformed:   {resultFailure, "malformed"},
	assertion.ErrChain:       {resultFailure, "chain"},
	assertion.ErrAlgorithm:   {resultFailure, "algorithm"},
	assertion.ErrKey:         {resultFailure, "key"},
	assertion.ErrWeakKey:     {resultFailure, "weak_key"},
	assertion.ErrSignature:   {resultFailure, "signature"},
	assertion.ErrAudience:    {resultFailure, "audience"},
	assertion.ErrExpired:     {resultFailure, "expired"},
	assertion.ErrNotYetValid: {resultFailure, "not_yet_valid"},
	assertion.ErrIssuer:      {resultFailure, "issuer"},
	assertion.ErrLifetime:    {resultFailure, "lifetime"},
	assertion.ErrReplayed:    {resultFailure, "replayed"},
	assertion.ErrUndecided:   {resultUndecided, "unavailable"},
}

// outcomeByTokenKind has the outcomes of tokens that were not accepted for a reason that
// assertions do not have, by evp.Error.Kind.
var outcomeByTokenKind = map[error]outcome{
	evp.ErrHeader:  {resultFailure, "header"},
	evp.ErrClaims:  {resultFailure, "claims"},
	evp.ErrEmail:   {resultFailure, "email"},
	evp.ErrNonce:   {resultFailure, "nonce"},
	evp.ErrBinding: {resultFailure, "binding"},
}

// undecidedStore is the outcome if the one-use store does not answer. With the kind
// ErrUndecided, the other cause is a lookup.
var undecidedStore = outcome{resultUndecided, "one_use_store"}

// The outcomes of requests that are not verified.
var (
	refusedType      = outcome{resultRefused, "content_type"}
	refusedSize      = outcome{resultRefused, "size"}
	refusedBody      = outcome{resultRefused, "body"}
	refusedSlow      = outcome{resultRefused, "slow"}
	refusedParameter = outcome{resultRefused, "parameter"}

	shedQueueFull     = outcome{resultShed, "queue_full"}
	shedQueueSlow     = outcome{resultShed, "queue_slow"}
	shedLookups       = outcome{resultShed, "lookups_full"}
	shedDomainLookups = outcome{resultShed, "lookups_of_domain"}

	clientGone = outcome{resultCancelled, "client_gone"}

	faultPanic    = outcome{resultFault, "panic"}
	faultInternal = outcome{resultFault, "internal"}
	faultTest     = outcome{resultFault, "test"}
)

// outcomes returns all outcomes.
func outcomes() []outcome {
	all := []outcome{
		okay, undecidedStore, refusedType, refusedSize, refusedBody, refusedSlow, refusedParameter,
		shedQueueFull, shedQueueSlow, shedLookups, shedDomainLookups, clientGone, faultPanic, faultInternal, faultTest,
	}
	for _, o := range outcomeByKind {
		all = append(all, o)
	}
	return all
}

// tokenOutcomes returns the outcomes of requests with a token.
func tokenOutcomes() []outcome {
	all := outcomes()
	for _, o := range outcomeByTokenKind {
		all = append(all, o)
	}
	return all
}

// outcomeOf classifies an error of Verify or of the gate.
func outcomeOf(ctx context.Context, err error) outcome {
	switch {
	case errors.Is(err, errQueueFull):
		return shedQueueFull
	case errors.Is(err, errQueueSlow):
		return shedQueueSlow
	case errors.Is(err, errLookupsFull):
		return shedLookups
	case errors.Is(err, errDomainLookups):
		return shedDomainLookups
	case errors.Is(err, errUnavailable):
		return faultTest
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return clientGone
	}
	return outcomeOfVerify(err)
}

// outcomeOfVerify classifies an error of package assertion or evp.
func outcomeOfVerify(err error) outcome {
	var e *assertion.Error
	var t *evp.Error
	switch {
	case errors.As(err, &e):
		return outcomeOfKind(e.Kind, e.Domain)
	case errors.As(err, &t):
		return outcomeOfKind(t.Kind, t.Domain)
	}
	return faultInternal
}

// outcomeOfKind classifies an error about an assertion or a token. The domain is the one whose
// lookup failed, or "".
func outcomeOfKind(kind error, domain string) outcome {
	if kind == assertion.ErrUndecided && domain == "" { // no lookup failed
		return undecidedStore
	}
	if o, known := outcomeByKind[kind]; known {
		return o
	}
	if o, known := outcomeByTokenKind[kind]; known {
		return o
	}
	return faultInternal
}

// Metrics counts what handlers do, for Prometheus. No label has a value that a
// client could choose.
//
//	vepverify_verifications_total{result,class}       requests for a verification, by outcome
//	vepverify_evp_verifications_total{result,class}   the same for tokens, which the line above does not count
//	vepverify_verification_duration_seconds           duration of those that were verified, the wait included
//	vepverify_shed_duration_seconds                   duration of those refused as "too busy", from the header on
//	vepverify_lookups_total{result}                   lookups that waited for the network
//	vepverify_lookup_cache_hits_total                 lookups answered from the cache
//	vepverify_evp_lookups_total{result}               the same for records and keys of tokens
//	vepverify_evp_lookup_cache_hits_total
//	vepverify_verifications_in_flight                 verifications that run
//	vepverify_verifications_queued                    requests that wait for a place
//	vepverify_lookups_waiting                         verifications that wait for a lookup
//
// The results are okay, failure, undecided, refused (the request itself was
// wrong), shed (refused as "too busy"), cancelled (the client disconnected) and
// fault. Logs have the same results and classes. The results of lookups are supported, unsupported,
// unavailable, refused and shed (not begun, because too many wait); those for tokens are found,
// unavailable, refused and shed.
type Metrics struct {
	verifications map[outcome]prometheus.Counter
	tokens        map[outcome]prometheus.Counter // of the Email Verification Protocol
	duration      prometheus.Histogram
	shedDuration  prometheus.Histogram
	lookups       map[string]prometheus.Counter
	hits          prometheus.Counter
	tokenLookups  map[string]prometheus.Counter
	tokenHits     prometheus.Counter
	inFlight      prometheus.Gauge
	queued        prometheus.Gauge
	waiting       prometheus.Gauge
}

// The results of lookups.
const (
	lookupSupported   = "supported"
	lookupUnsupported = "unsupported"
	lookupUnavailable = "unavailable"
	lookupRefused     = "refused"
	lookupShed        = "shed"  // too many wait already
	lookupFound       = "found" // of a token
)

// namespace is the first part of the metrics' names.
const namespace = "vepverify"

// NewMetrics returns metrics registered with r. Several handlers may share them. It
// returns an error if r has metrics of the same names.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	total := counters("verifications_total", "Requests for a verification, by result and class.", "result", "class")
	tokens := counters("evp_verifications_total", "Requests for a verification of a token of the Email Verification Protocol, by result and class.", "result", "class")
	lookups := counters("lookups_total", "Lookups of issuers that waited for the network, by result.", "result")
	tokenLookups := counters("evp_lookups_total", "Lookups for tokens that waited for the network, by result.", "result")
	m := &Metrics{
		verifications: make(map[outcome]prometheus.Counter),
		tokens:        make(map[outcome]prometheus.Counter),
		lookups:       make(map[string]prometheus.Counter),
		tokenLookups:  make(map[string]prometheus.Counter),
		duration: histogram("verification_duration_seconds", "Time that a verification took, from the request's header to its answer.",
			.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10),
		shedDuration: histogram("shed_duration_seconds", "Time that a request refused as too busy took, from its header to its answer.",
			.00001, .0001, .001, .0025, .005, .01, .025, .05, .1, 1),
		hits: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "lookup_cache_hits_total", Help: "Lookups of issuers that were answered from the cache.",
		}),
		tokenHits: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "evp_lookup_cache_hits_total", Help: "Lookups for tokens that were answered from the cache.",
		}),
		inFlight: gauge("verifications_in_flight", "Verifications that run, without those that wait for a lookup."),
		queued:   gauge("verifications_queued", "Requests that wait for a place."),
		waiting:  gauge("lookups_waiting", "Verifications that wait for a lookup."),
	}
	for _, o := range outcomes() {
		m.verifications[o] = total.WithLabelValues(string(o.result), o.class)
	}
	for _, o := range tokenOutcomes() {
		m.tokens[o] = tokens.WithLabelValues(string(o.result), o.class)
	}
	for _, result := range []string{lookupSupported, lookupUnsupported, lookupUnavailable, lookupRefused, lookupShed} {
		m.lookups[result] = lookups.WithLabelValues(result)
	}
	for _, result := range []string{lookupFound, lookupUnavailable, lookupRefused, lookupShed} {
		m.tokenLookups[result] = tokenLookups.WithLabelValues(result)
	}
	for _, c := range []prometheus.Collector{
		total, tokens, lookups, tokenLookups, m.duration, m.shedDuration, m.hits, m.tokenHits, m.inFlight, m.queued, m.waiting,
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("verifyapi: metrics: %w", err)
		}
	}
	return m, nil
}

// counters returns a counter for each combination of labels.
func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

// The methods below do nothing if m is nil.

// count counts a request for a verification by a version of the interface.
func (m *Metrics) count(v version, o outcome, took time.Duration) {
	if m == nil {
		return
	}
	counter := m.verifications[o]
	if v == evpAPI {
		counter = m.tokens[o]
	}
	counter.Inc()
	switch o.result {
	case resultOkay, resultFailure, resultUndecided:
		m.duration.Observe(took.Seconds())
	case resultShed:
		m.shedDuration.Observe(took.Seconds())
	}
}

// countLookup counts a lookup. It is for wellknown.Hooks.
func (m *Metrics) countLookup(cached bool, err error) {
	switch {
	case m == nil:
	case cached:
		m.hits.Inc()
	case err == nil:
		m.lookups[lookupSupported].Inc()
	case errors.Is(err, wellknown.ErrUnsupported):
		m.lookups[lookupUnsupported].Inc()
	case errors.Is(err, wellknown.ErrRefused):
		m.lookups[lookupRefused].Inc()
	case isLookupShed(err):
		m.lookups[lookupShed].Inc()
	default:
		m.lookups[lookupUnavailable].Inc()
	}
}

// countTokenLookup counts a lookup for a token. It is for evp.Hooks.
func (m *Metrics) countTokenLookup(cached bool, err error) {
	var lookup interface {
		error
		IsUnavailable() bool
	}
	switch {
	case m == nil:
	case cached:
		m.tokenHits.Inc()
	case err == nil:
		m.tokenLookups[lookupFound].Inc()
	case errors.As(err, &lookup) && !lookup.IsUnavailable():
		m.tokenLookups[lookupRefused].Inc()
	case isLookupShed(err):
		m.tokenLookups[lookupShed].Inc()
	default:
		m.tokenLookups[lookupUnavailable].Inc()
	}
}

// isLookupShed reports whether a lookup failed because too many wait, which is not the fault of the
// issuer.
func isLookupShed(err error) bool {
	return errors.Is(err, errLookupsFull) || errors.Is(err, errDomainLookups)
}

func (m *Metrics) addInFlight(n float64) {
	if m != nil {
		m.inFlight.Add(n)
	}
}

func (m *Metrics) addQueued(n float64) {
	if m != nil {
		m.queued.Add(n)
	}
}

func (m *Metrics) addWaiting(n float64) {
	if m != nil {
		m.waiting.Add(n)
	}
}
