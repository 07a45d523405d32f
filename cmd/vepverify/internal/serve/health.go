package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/outbound"
	"github.com/vepverify/vepverify/verifyapi"
)

// health is what GET /readyz reports: whether the service stops, and whether the replay store
// works.
type health struct {
	stopping atomic.Bool
	store    *storeMonitor // nil without a store that can fail by itself
}

// watchStore begins to report the state of a Redis store. guard.check has asked it for the first
// time.
func (h *health) watchStore(guard guard, now func() time.Time, registry prometheus.Registerer, logger *slog.Logger) {
	if guard.redis == nil {
		return
	}
	h.store = newStoreMonitor(guard.redis, !guard.redis.failing.Load(), now, logger)
	registry.MustRegister(gauge("vepverify_replay_store_up", "1 if the replay store worked when it was last asked, 0 if not.", nil, h.store.up))
}

// start asks the store until ctx ends. The returned function waits for that.
func (h *health) start(ctx context.Context) (wait func()) {
	var running sync.WaitGroup
	if h.store != nil {
		running.Go(func() { h.store.run(ctx) })
	}
	return running.Wait
}

var errStopping = errors.New("stopping")

// components implements verifyapi.Config.Components.
func (h *health) components() []verifyapi.Component {
	service := verifyapi.Component{Name: "service", Required: true}
	if h.stopping.Load() {
		service.Err = errStopping
	}
	all := []verifyapi.Component{service}
	if h.store != nil {
		all = append(all, h.store.component())
	}
	return all
}

// closing returns a handler that asks clients, with each response, to close their connection while
// the service stops. They then connect to another instance, before this one closes the connection.
func (h *health) closing(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		api.ServeHTTP(w, r)
	})
}

// The monitor records an entry each storeInterval, which the store keeps for storeEntry and a
// little longer.
const (
	storeInterval = 5 * time.Second
	storeEntry    = time.Second
)

// storeMonitor asks a replay store, at an interval, whether it works. Health checks and metrics
// report the last answer, so that they cost the store nothing.
//
// The service is ready once the store has worked, and remains so if it fails later. All instances
// share the store: if they were not ready, a balancer would have none of them, and clients would
// see errors of the balancer instead of undecided answers. But a new instance whose store has never
// worked is perhaps misconfigured, and must not replace one that works.
type storeMonitor struct {
	store  assertion.OneUse
	now    func() time.Time
	logger *slog.Logger
	state  atomic.Pointer[storeState]
}

// storeState is the last answer of a store.
type storeState struct {
	err    error // nil means that the store works
	worked bool  // at any time
}

// errStore is the error of a store that did not work when the service started.
var errStore = errors.New("does not work")

// newStoreMonitor returns a monitor of a store that works at the start, or does not.
func newStoreMonitor(store assertion.OneUse, works bool, now func() time.Time, logger *slog.Logger) *storeMonitor {
	m := &storeMonitor{store: store, now: now, logger: logger}
	state := &storeState{worked: works}
	if !works {
		state.err = errStore
	}
	m.state.Store(state)
	return m
}

// run asks the store until ctx ends.
func (m *storeMonitor) run(ctx context.Context) {
	ticker := time.NewTicker(storeInterval)
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

// check asks the store, with the command of a verification.
func (m *storeMonitor) check(ctx context.Context) {
	_, err := m.store.FirstUse(ctx, "health check "+rand.Text(), m.now().Add(storeEntry))
	if ctx.Err() != nil {
		return
	}
	before := m.state.Swap(&storeState{err, m.state.Load().worked || err == nil})
	if before.err == nil && err != nil {
		m.logger.Warn("the replay store does not work; until it does, assertions are undecided", "error", err)
	}
}

// component returns the state of the store for GET /readyz, without its address.
func (m *storeMonitor) component() verifyapi.Component {
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
func (m *storeMonitor) up() float64 {
	if m.state.Load().err != nil {
		return 0
	}
	return 1
}
