package serve

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/verifyapi"
)

// The garbage collector's settings.
const (
	GCPercent   = gcPercent
	MemoryLimit = memoryLimit
)

// NewReplayMonitor is newReplayMonitor.
var NewReplayMonitor = newReplayMonitor

// CheckNow asks the store, as at an interval.
func (m *replayMonitor) CheckNow(ctx context.Context) { m.check(ctx) }

// SettingsEvery is the number of checks until the settings are read again.
const SettingsEvery = settingsEvery

// Misconfigurations is the value of the metric.
func (m *replayMonitor) Misconfigurations() float64 { return m.misconfigurations() }

// Component returns the state of the store.
func (m *replayMonitor) Component() verifyapi.Component { return m.component() }

// Closing returns the handler of a service that stops.
func Closing(api http.Handler) http.Handler {
	h := new(health)
	h.stopping.Store(true)
	return h.closing(api)
}

// OriginalSettings returns the variables of the original verifier and the members of
// its configuration files.
func OriginalSettings() (variables, members []string) {
	for _, s := range settings {
		variables, members = append(variables, s.variable), append(members, s.member)
	}
	return variables, members
}

// Watch returns watched files.
func Watch(logger *slog.Logger, load func() ([]any, error), names ...string) *watched {
	return newFiles(logger, load, names...).watched[0]
}

// StartFiles watches files until ctx ends. The returned function waits for that.
func StartFiles(ctx context.Context, logger *slog.Logger, hangups <-chan os.Signal, load func() ([]any, error), names ...string) (wait func()) {
	return newFiles(logger, load, names...).start(ctx, &cli.Call{Process: &cli.Process{}}, hangups, func() {})
}

func newFiles(logger *slog.Logger, load func() ([]any, error), names ...string) *files {
	f := &files{logger: logger, metrics: prometheus.NewRegistry()}
	f.watch("file", "file", load, names...)
	return f
}

// Poll looks at the files.
func (w *watched) Poll() { w.poll() }

// Reload reads the files as at SIGHUP.
func (w *watched) Reload() { w.reload(true) }
