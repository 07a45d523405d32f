package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/verifyapi"
)

// health is what GET /readyz reports: whether the service stops, and whether the replay store
// works.
type health struct {
	stopping atomic.Bool
	store    *replayMonitor // nil without a store on servers
}

// watchStore begins to report the state of a store on servers. guard.check has asked it.
func (h *health) watchStore(guard guard, registry prometheus.Registerer) {
	if guard.monitor == nil {
		return
	}
	h.store = guard.monitor
	registry.MustRegister(
		gauge("vepverify_replay_store_up", "1 if the replay store worked when it was last asked, 0 if not, or if one of a Cluster's masters did not.", nil, h.store.up),
		gauge("vepverify_replay_store_misconfigurations", "Settings with which the servers of the replay store can lose entries, as they were last read.", nil, h.store.misconfigurations),
	)
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
