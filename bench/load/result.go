package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vepverify/vepverify/bench/internal/report"
)

// Result is the result of one run.
type Result struct {
	Format     string         `json:"format"`
	Date       time.Time      `json:"date"`
	Machine    report.Machine `json:"machine"`
	Throughput Throughput     `json:"throughput"`
	Overload   Overload       `json:"overload"`
}

// Times are percentiles, in milliseconds.
type Times struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}

func (t Times) String() string {
	return fmt.Sprintf("half within %.1f ms, 99 %% within %.1f ms, 99.9 %% within %.1f ms", t.P50, t.P99, t.P999)
}

// Throughput is the throughput over a fixed number of connections.
type Throughput struct {
	Connections int     `json:"connections"`
	Requests    int     `json:"requests"`
	Seconds     float64 `json:"seconds"`
	PerSecond   float64 `json:"perSecond"`
	Times       Times   `json:"milliseconds"`
	ResidentMiB float64 `json:"residentMiB"`
	CPU         CPU     `json:"cpu"`
}

// CPU is the processor time for each request, accepted or refused, in each of the two
// processes, in microseconds. Unlike a rate, it changes little when other processes share the
// processors.
type CPU struct {
	ServiceUS float64 `json:"serviceMicroseconds"`
	LoaderUS  float64 `json:"loaderMicroseconds"`
}

func (c CPU) String() string {
	return fmt.Sprintf("%.1f µs of processor time a request in the service, %.1f in the loader", c.ServiceUS, c.LoaderUS)
}

func (t Throughput) print(out io.Writer) {
	fmt.Fprintf(out, "throughput, %d connections: %.0f verifications a second (%d in %.1f s); %s; %.0f MiB resident; %s\n",
		t.Connections, t.PerSecond, t.Requests, t.Seconds, t.Times, t.ResidentMiB, t.CPU)
}

// Overload is the service's behaviour at more requests than it can answer.
type Overload struct {
	Due           float64  `json:"duePerSecond"`
	Sent          float64  `json:"sentPerSecond"` // of Due, as the processors are shared with the service
	Accepted      float64  `json:"acceptedPerSecond"`
	Refused       float64  `json:"refusedPerSecond"`
	AcceptedTimes Times    `json:"acceptedMilliseconds"`
	RefusedTimes  Times    `json:"refusedMilliseconds"`
	Handler       Refusals `json:"refusalsInHandler"`
	CPU           CPU      `json:"cpu"`
}

// Refusals is the time of refusals in the service's handler, from its metrics.
type Refusals struct {
	Count    uint64  `json:"count"`
	Within10 float64 `json:"within10ms"` // share, 0 to 1
	MeanMS   float64 `json:"meanMilliseconds"`
}

func (v Overload) print(out io.Writer) {
	fmt.Fprintf(out, "overload, %.0f a second due, %.0f sent: %.0f accepted, %s; %.0f refused, %s\n",
		v.Due, v.Sent, v.Accepted, v.AcceptedTimes, v.Refused, v.RefusedTimes)
	fmt.Fprintf(out, "overload: %s\n", v.CPU)
	fmt.Fprintf(out, "refusals in the handler: %d, %.3f %% of them within 10 ms, %.2f ms on average\n",
		v.Handler.Count, 100*v.Handler.Within10, v.Handler.MeanMS)
}
