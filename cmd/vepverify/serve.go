package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/redisstore"
	"github.com/vepverify/vepverify/verifyapi"
)

const serveHelp = `Serves the HTTP interface of Mozilla's browserid-verifier, so that whatever called
that one calls this: POST /v2 with {"assertion","audience"}, POST /verify, GET /status.
When it listens, it prints one line of JSON with its URL on standard output; its log goes to
standard error. SIGINT or SIGTERM: it takes nothing new, finishes what it has, and exits with 0.

Examples:
  vepverify serve --port 8080
  vepverify serve --keys keys.json
  vepverify serve --address 0.0.0.0 --port 8443 --tls-cert cert.pem --tls-key key.pem \
    --replay redis://redis.internal:6379 --metrics-address 127.0.0.1:9090

The variables of the original are understood too: IP_ADDRESS, PORT, FALLBACK_DOMAIN, HTTP_TIMEOUT
(seconds), LOG_LEVEL, CONFIG_FILES (JSON files, commas between them, later ones win), and for
tests INSECURE_SSL, FORCE_INSECURE_LOOKUP_OVER_HTTP, TEST_SERVICE_FAILURE. A flag wins over its
VEPVERIFY_ variable, that over these, and these over the files.

Exit status:
  0 told to stop   2 usage, bad configuration, cannot listen`

// service is the command serve: its flags, and what they come to.
type service struct {
	*process
	network
	judgement
	address, metricsAddress  string
	port                     count
	tlsCert, tlsKey          string
	undecided                decision
	maxBody                  count
	inFlight, queue, lookups count
	replay                   replay
	maxLife                  life
	logLevel                 level
	logEmails                bool
	insecureSSL              bool
	insecureHTTP             bool
	testFailure              bool
}

func serveCommand(p *process) *cli.Command {
	s := &service{
		process: p, network: newNetwork(), judgement: newJudgement(),
		address: "127.0.0.1", port: count{0, 0, 65535},
		undecided: http.StatusOK, maxBody: count{10 << 10, 1, 1 << 20},
		inFlight: count{0, 0, 1 << 16}, queue: count{0, 0, 1 << 16}, lookups: count{512, 1, 1 << 16},
		replay: replay{"off"},
	}
	return &cli.Command{
		Name: "serve", Usage: "serve the HTTP verification API",
		Description: serveHelp, Flags: s.flags(), Action: s.run,
	}
}

func (s *service) flags() []cli.Flag {
	own := []cli.Flag{
		textFlag(&s.address, "address", "`IP` address to listen on"),
		valueFlag(&s.port, "port", "`PORT` to listen on; 0: a free one"),
		textFlag(&s.tlsCert, "tls-cert", "serve HTTPS with the certificates in `FILE` (PEM), which is read again when it changes"),
		textFlag(&s.tlsKey, "tls-key", "`FILE` with the key of --tls-cert (PEM)"),
		textFlag(&s.metricsAddress, "metrics-address", "serve GET /metrics, for Prometheus, at `IP:PORT`"),
		valueFlag(&s.replay, "replay", "refuse what was used before, remembered in `STORE`: off, memory, or redis://host:port"),
		valueFlag(&s.maxLife, "max-life", "with --replay, the longest `TIME` until an assertion expires, at most 24h; store: as long as the store remembers"),
		valueFlag(&s.undecided, "undecided-status", "HTTP `STATUS` when an issuer cannot be reached: 200 or 503"),
		valueFlag(&s.maxBody, "max-body", "largest body of a request, in `BYTES`"),
		valueFlag(&s.inFlight, "in-flight", "`NUMBER` of verifications at once; 0: 16 for each processor"),
		valueFlag(&s.queue, "queue", "`NUMBER` of requests that may wait to begin, for 100 ms at most; 0: 64 times --in-flight"),
		valueFlag(&s.lookups, "lookups", "`NUMBER` of requests that may wait for issuers' documents"),
		valueFlag(&s.logLevel, "log-level", "least `LEVEL` to log: debug, info, warn, error"),
		switchFlag(&s.logEmails, "log-emails", "log the email addresses that were proved"),
		switchFlag(&s.testFailure, "test-service-failure", "answer every verification with 503, to test clients"),
	}
	return slices.Concat(own, s.judgement.flags(), s.network.flags(), s.judgement.insecureFlags(), []cli.Flag{
		switchFlag(&s.insecureSSL, "insecure-ssl", "for tests: any TLS certificate, any address, any port, weak keys"),
		switchFlag(&s.insecureHTTP, "insecure-http", "for tests: documents over plain HTTP, from any address and port, weak keys"),
	})
}

func (s *service) run(c *cli.Context) error {
	if err := s.inherit(c); err != nil {
		return err
	}
	if err := s.check(c); err != nil {
		return err
	}
	if err := s.relax(c); err != nil {
		return err
	}
	defer s.tuneMemory()()
	logger := slog.New(slog.NewJSONHandler(s.err, &slog.HandlerOptions{Level: slog.Level(s.logLevel)}))
	redisstore.SetLogger(logger)
	guard, err := s.replay.open(s.now)
	if err != nil {
		return usageError(c, "--replay: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	api, err := s.handler(c, logger, guard, registry)
	if err == nil {
		err = s.serve(c, logger, api, registry, func() {
			s.announce(c, logger)
			guard.warn(c.Context, logger)
		})
	}
	return errors.Join(err, guard.close())
}

// check refuses flags that contradict each other.
func (s *service) check(c *cli.Context) error {
	switch {
	case c.NArg() > 0:
		return usageError(c, "serve takes no arguments, only flags")
	case mayHoldSecret(s.address):
		return usageError(c, "--address: not an IP address")
	case mayHoldSecret(s.metricsAddress):
		return usageError(c, "--metrics-address: not IP:PORT")
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return usageError(c, "--tls-cert and --tls-key are of use only together")
	case (s.insecureSSL || s.insecureHTTP) && s.keys+s.proxy+s.caFile != "":
		return usageError(c, "--insecure-ssl and --insecure-http exclude --keys, --proxy and --ca-file")
	case s.timeout == 0:
		return usageError(c, "--timeout 0 leaves no time for an answer")
	case s.given(c, "max-life") && s.replay.where == "off":
		return usageError(c, "--max-life needs --replay, whose store it bounds")
	}
	return nil
}

// handler puts the API together.
func (s *service) handler(c *cli.Context, logger *slog.Logger, guard guard, registry *prometheus.Registry) (*verifyapi.Handler, error) {
	keys, err := s.issuers(c)
	if err != nil {
		return nil, err
	}
	config := assertion.Config{Keys: keys, Now: s.now, OneUse: guard.OneUse}
	if guard.OneUse != nil {
		config.MaxLife = time.Duration(s.maxLife)
	}
	verifier, err := s.judgement.verifier(c, config)
	if err != nil {
		return nil, err
	}
	metrics, err := verifyapi.NewMetrics(registry)
	if err != nil {
		return nil, err
	}
	h, err := verifyapi.New(verifyapi.Config{
		Verifier: verifier, UndecidedStatus: int(s.undecided), MaxBody: int64(s.maxBody.value),
		InFlight: s.inFlight.value, Queue: s.queue.value, Lookups: s.lookups.value,
		Logger: logger, LogEmails: s.logEmails, Metrics: metrics, Unavailable: s.testFailure,
	})
	if err != nil {
		return nil, usageError(c, "%w", unprefixed{err})
	}
	return h, nil
}

// issuers is where the issuers' keys come from.
func (s *service) issuers(c *cli.Context) (source, error) {
	if s.insecureSSL || s.insecureHTTP {
		return s.carelessResolver(c)
	}
	return s.source(c, s.process)
}

// announce logs what the service runs with, but for a proxy's URL, which may hold
// a password.
func (s *service) announce(c *cli.Context, logger *slog.Logger) {
	var values []any
	for _, f := range c.Command.Flags {
		name, value := f.Names()[0], setTo(f)
		if name == "proxy" && value != "" {
			value = "set"
		}
		values = append(values, slog.String(name, value))
		if weak := strings.HasPrefix(name, "insecure-") || name == "test-service-failure"; weak && value == "true" {
			logger.Warn("not for production", "flag", name)
		}
	}
	logger.Info("configuration", values...)
}

// serve opens the ports, says so, and serves until it is told to stop.
func (s *service) serve(c *cli.Context, logger *slog.Logger, api *verifyapi.Handler, registry *prometheus.Registry, begin func()) error {
	main, err := s.listen(c)
	if err != nil {
		return err
	}
	defer main.Close()
	servers := map[net.Listener]*http.Server{main: api.Server()}
	if s.metricsAddress != "" {
		l, err := listenAt(s.metricsAddress)
		if err != nil {
			return fmt.Errorf("cannot listen: %w (see --metrics-address)", err)
		}
		defer l.Close()
		servers[l] = metricsServer(registry)
	}
	begin()
	if err := s.printRunning(main); err != nil {
		return err
	}
	err = serveUntil(c.Context, servers)
	logger.Info("stopped", "finished", err == nil)
	return err
}

// listen opens the port for the API, with TLS when there is a certificate.
func (s *service) listen(c *cli.Context) (net.Listener, error) {
	cert := &certificate{certFile: s.tlsCert, keyFile: s.tlsKey}
	if s.tlsCert != "" {
		if err := cert.load(); err != nil {
			return nil, usageError(c, "--tls-cert, --tls-key: %w", err)
		}
	}
	l, err := listenAt(net.JoinHostPort(s.address, strconv.Itoa(s.port.value)))
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w (see --address and --port)", err)
	}
	if s.tlsCert == "" {
		return l, nil
	}
	return tls.NewListener(l, cert.config()), nil
}

func metricsServer(registry *prometheus.Registry) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return &http.Server{
		Handler: mux, MaxHeaderBytes: 16 << 10, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
}

// printRunning says where the service listens and, when there is one, what the
// fallback is, in the words of the verifier of old, whose test suite looks here
// for which configuration file has the last word.
func (s *service) printRunning(l net.Listener) error {
	scheme := "http"
	if s.tlsCert != "" {
		scheme = "https"
	}
	type fields struct {
		URL      string `json:"url"`
		Fallback string `json:"fallback,omitempty"`
	}
	return s.printJSON(struct {
		Type   string
		Fields fields
	}{"server.running", fields{scheme + "://" + l.Addr().String(), s.fallback}})
}
