package serve

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/internal/outbound"
	"github.com/vepverify/vepverify/redisstore"
	"github.com/vepverify/vepverify/verifyapi"
)

// serverStore is a replay store on servers that can fail, a *redisstore.Store.
type serverStore interface {
	oneUseStore
	Check(context.Context) ([]redisstore.Misconfiguration, error)
	CheckServers(context.Context) error
	Close() error
}

// checkInterval is the time between two checks of the store.
const checkInterval = 5 * time.Second

// settingsEvery is the number of checks after which the settings of the servers are read again.
const settingsEvery = 12

// replayMonitor is a replay store that knows whether it works. It asks the store at an interval.
// Health checks and metrics report the last answer, so that they cost the store nothing. It logs
// when the store stops working, and when it works again.
//
// The service is ready once the store has worked, and remains so if it fails later. All instances
// share the store: if they were not ready, a balancer would have none of them, and clients would
// see errors of the balancer instead of undecided answers. But a new instance whose store has never
// worked is perhaps misconfigured, and must not replace one that works.
type replayMonitor struct {
	serverStore
	logger *slog.Logger
	limit  *loglimit.Limiter // of the lines that the store works again, and that it has another error
	state  atomic.Pointer[replayState]
	// failed is set if a verification has failed since the log said that the store works.
	failed atomic.Bool

	// Only the goroutine of check uses these.
	checks   int                           // so far
	reported string                        // the error of the store that the log has; empty: it works
	silent   bool                          // the servers do not report their settings
	findings []redisstore.Misconfiguration // what the log has about the settings
}

// replayState is the last answer of a store.
type replayState struct {
	err    error // nil means that the store works
	worked bool  // at any time
	wrong  int   // settings with which the servers can lose entries, as they were last read
}

// newReplayMonitor returns a monitor of a store that was never asked. The caller then calls check.
func newReplayMonitor(store serverStore, logger *slog.Logger) *replayMonitor {
	m := &replayMonitor{serverStore: store, logger: logger, limit: loglimit.New(time.Minute)}
	m.state.Store(&replayState{err: errors.New("never asked")})
	return m
}

// FirstUse implements assertion.OneUse.
func (m *replayMonitor) FirstUse(ctx context.Context, key string, until time.Time) (bool, error) {
	first, err := m.serverStore.FirstUse(ctx, key, until)
	if err != nil && ctx.Err() == nil && !errors.Is(err, assertion.ErrRetention) { // it is the store's error
		m.failed.Store(true)
	}
	return first, err
}

// run checks the store at an interval until ctx ends.
func (m *replayMonitor) run(ctx context.Context) {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.check(ctx)
		}
	}
}

// check asks the store with the command of a verification. It must not be called concurrently.
func (m *replayMonitor) check(ctx context.Context) {
	again := m.failed.Swap(false) || m.reported != ""
	settings := again || m.checks%settingsEvery == 0 && !m.silent
	findings, err := m.ask(ctx, settings)
	if ctx.Err() != nil { // the service stops
		return
	}
	m.checks++
	state := *m.state.Load()
	state.err, state.worked = err, state.worked || err == nil
	if settings && err == nil {
		state.wrong = countReported(findings)
		m.silent = state.wrong == 0 && len(findings) > 0
	}
	m.state.Store(&state)
	switch {
	case err != nil:
		m.reportFailure(err)
	case again && !m.reportSuccess():
		m.failed.Store(true)
	case settings:
		m.reportFindings(findings)
	}
}

// countReported returns the number of settings that the servers report.
func countReported(findings []redisstore.Misconfiguration) (n int) {
	for _, f := range findings {
		if f.Got != "" {
			n++
		}
	}
	return n
}

// ask asks the servers whether they work, and perhaps for their settings too: at the start, at an
// interval, and when they work again, because another server may have taken over.
func (m *replayMonitor) ask(ctx context.Context, settings bool) ([]redisstore.Misconfiguration, error) {
	if settings {
		return m.Check(ctx)
	}
	return nil, m.CheckServers(ctx)
}

// reportFailure logs that the store does not work, unless the log says so already with the same
// error. Another error is logged once a minute: an operator who corrects one may cause the next.
func (m *replayMonitor) reportFailure(err error) {
	text := err.Error()
	if text == m.reported {
		return
	}
	if _, ok := m.limit.Allow(text); ok || m.reported == "" {
		m.logger.Warn("the replay store does not work; until it does, assertions are undecided", "error", err)
		m.reported = text
	}
}

// reportSuccess logs that the store works again. It does that once a minute, and returns false if
// it has not: a store that answers only sometimes would fill the log.
func (m *replayMonitor) reportSuccess() (logged bool) {
	if _, logged = m.limit.Allow("works"); logged {
		m.logger.Warn("the replay store works again")
		m.reported, m.findings = "", nil
	}
	return logged
}

// reportFindings logs settings with which the servers can lose entries, unless the log has them.
func (m *replayMonitor) reportFindings(findings []redisstore.Misconfiguration) {
	if slices.Equal(findings, m.findings) {
		return
	}
	m.findings = findings
	if len(findings) == 0 {
		m.logger.Info("the settings of the replay store are correct now")
	}
	var hidden, servers []string
	for _, f := range findings {
		if f.Got != "" {
			m.logger.Warn("the replay store may lose entries", "setting", f.String())
			continue
		}
		hidden, servers = append(hidden, f.Setting+" "+f.Want), append(servers, f.Server)
	}
	if len(hidden) > 0 {
		m.logger.Info("the replay store works, and does not report its settings; check by other means that it has these",
			"settings", unique(hidden), "servers", unique(servers))
	}
}

// unique returns the texts without repetitions and empty ones, in their order.
func unique(texts []string) (all []string) {
	for _, text := range texts {
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// component returns the state of the store for GET /readyz, without its address.
func (m *replayMonitor) component() verifyapi.Component {
	s := m.state.Load()
	c := verifyapi.Component{Name: "replay_store", Required: !s.worked}
	switch failure := outbound.Classify(s.err); {
	case s.err == nil:
	case failure == outbound.Other:
		c.Err = errors.New("does not work; the service's log has the cause")
	default:
		c.Err = errors.New(failure.String())
	}
	return c
}

// up is the value of the metric vepverify_replay_store_up.
func (m *replayMonitor) up() float64 {
	if m.state.Load().err != nil {
		return 0
	}
	return 1
}

// misconfigurations is the value of the metric vepverify_replay_store_misconfigurations.
func (m *replayMonitor) misconfigurations() float64 { return float64(m.state.Load().wrong) }
