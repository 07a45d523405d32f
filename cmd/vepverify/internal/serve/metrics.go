package serve

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vepverify/vepverify/internal/buildinfo"
)

// newRegistry returns a registry with the metrics of the process and of its build. Its other metrics
// are those of verifyapi.Metrics, of files, of the certificate and of the replay store.
func newRegistry(log *logWriter) *prometheus.Registry {
	build := buildinfo.Read()
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		constant("vepverify_build_info", "1, with the version of this build.", prometheus.Labels{
			"version": build.Version, "commit": build.Commit, "goversion": build.Go,
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "vepverify_log_lines_lost_total", Help: "Lines of the log that could not be written.",
		}, func() float64 { return float64(log.lost.Load()) }),
	)
	return registry
}

// constant returns a metric that is always 1.
func constant(name, help string, labels prometheus.Labels) prometheus.Collector {
	return gauge(name, help, labels, func() float64 { return 1 })
}

// gauge returns a metric whose value is read when it is asked for.
func gauge(name, help string, labels prometheus.Labels, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, value)
}

// metricsServer returns the server for --metrics-address.
func metricsServer(registry *prometheus.Registry) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return &http.Server{
		Handler: mux, MaxHeaderBytes: 16 << 10, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
}
