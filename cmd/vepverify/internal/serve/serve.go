// Package serve is the command serve: the HTTP API of package verifyapi as a
// service, with the flags, variables and configuration files of the original
// browserid-verifier.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/signals"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/redisstore"
	"github.com/vepverify/vepverify/verifyapi"
)

// command is the command serve with its flags.
type command struct {
	verifier.Network
	verifier.Trust
	verifier.EVP
	noEVP                    bool
	evpIssuers, evpDomains   cli.List
	address, metricsAddress  string
	port                     cli.Count
	tlsCert, tlsKey          string
	undecided                undecidedStatus
	maxBody                  cli.Count
	inFlight, queue, lookups cli.Count
	replay                   replay
	maxLife                  maxLife
	shutdownDelay            cli.Span
	logLevel                 logLevel
	logEmails                bool
	insecureSSL              bool
	insecureHTTP             bool
	testFailure              bool
}

// Command returns the command serve.
func Command() *cli.Command {
	s := &command{
		Network: verifier.NewNetwork(), Trust: verifier.NewTrust(),
		address: "127.0.0.1", port: cli.Count{N: 0, Low: 0, High: 65535},
		undecided: http.StatusOK, maxBody: cli.Count{N: 10 << 10, Low: 1, High: 1 << 20},
		inFlight: cli.Count{N: 0, Low: 0, High: 1 << 16}, queue: cli.Count{N: 0, Low: 0, High: 1 << 16},
		lookups: cli.Count{N: 512, Low: 1, High: 1 << 16},
		replay:  replay{store: "off"},
	}
	return &cli.Command{
		Name: "serve", Usage: "serve the HTTP verification API",
		Help: help, Manual: manual, Flags: s.flags(), Run: s.run, Logs: true,
	}
}

func (s *command) flags() []cli.Flag {
	own := []cli.Flag{
		cli.Text(&s.address, "address", "`IP` address to listen on"),
		cli.Value(&s.port, "port", "`PORT` to listen on; 0: a free one"),
		cli.Text(&s.tlsCert, "tls-cert", "serve HTTPS with the certificates in `FILE` (PEM); a changed file is read again"),
		cli.Text(&s.tlsKey, "tls-key", "`FILE` with the key of --tls-cert (PEM)"),
		cli.Text(&s.metricsAddress, "metrics-address", "serve GET /metrics, for Prometheus, at `IP:PORT`"),
		cli.Secret(cli.Value(&s.replay, "replay", "accept an assertion or a token once; used ones are remembered in `STORE`: off, memory, or redis://host:port")),
		cli.Text(&s.replay.tls.caFile, "replay-ca-file", "with --replay rediss://, trust the authorities in `FILE` (PEM), not the system's; a changed file is read again"),
		cli.Text(&s.replay.tls.certFile, "replay-cert", "with --replay rediss://, the client certificate in `FILE` (PEM); a changed file is read again"),
		cli.Text(&s.replay.tls.keyFile, "replay-key", "`FILE` with the key of --replay-cert (PEM)"),
		cli.Value(&s.maxLife, "max-life", "with --replay, longest `TIME` until an assertion expires; store: the maximum, 24h less twice --leeway"),
		cli.Value(&s.undecided, "undecided-status", "HTTP `STATUS` when an issuer cannot be reached: 200 or 503"),
		cli.Value(&s.maxBody, "max-body", "largest body of a request, in `BYTES`"),
		cli.Value(&s.inFlight, "in-flight", "`NUMBER` of verifications at once; 0: 16 for each processor"),
		cli.Value(&s.queue, "queue", "`NUMBER` of requests that may wait, for 100 ms at most; 0: 64 times --in-flight"),
		cli.Value(&s.lookups, "lookups", "`NUMBER` of requests that may wait for issuers' documents"),
		cli.Value(&s.shutdownDelay, "shutdown-delay", "`TIME` for which the service still accepts requests after SIGTERM, with GET /readyz failing, at most 5m"),
		cli.Value(&s.logLevel, "log-level", "lowest `LEVEL` to log: debug, info, warn, error"),
		cli.Switch(&s.logEmails, "log-emails", "log verified email addresses"),
		cli.Switch(&s.testFailure, "test-service-failure", "answer every verification with 503, to test clients"),
	}
	tokens := []cli.Flag{
		cli.Switch(&s.noEVP, "no-evp", "do not serve POST /evp"),
		cli.Value(&s.evpIssuers, "evp-issuer", "accept tokens of the issuer `HOST` only (repeatable)"),
		cli.Value(&s.evpDomains, "evp-domain", "accept tokens for addresses of `DOMAIN` only (repeatable)"),
	}
	return slices.Concat(own, s.Trust.Flags(), s.Network.Flags(), tokens, s.EVP.Flags(), s.Trust.InsecureFlags(), []cli.Flag{
		cli.Switch(&s.insecureSSL, "insecure-ssl", "for tests: any TLS certificate, any address, any port, weak keys"),
		cli.Switch(&s.insecureHTTP, "insecure-http", "for tests: documents over plain HTTP, from any address and port, weak keys"),
	})
}

func (s *command) run(ctx context.Context, c *cli.Call) error {
	hangups := signals.Hangups()
	defer signal.Stop(hangups)
	if err := applyOriginalSettings(c); err != nil {
		return err
	}
	if err := s.check(c); err != nil {
		return err
	}
	if err := s.allowWeakKeys(c); err != nil {
		return err
	}
	defer s.tuneMemory(c)()
	log := &logWriter{to: c.Err}
	logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.Level(s.logLevel)}))
	redisstore.SetLogger(logger)
	guard, err := s.replay.open(c.Now, logger)
	if err != nil {
		return c.UsageErrorf("%w", err)
	}
	return errors.Join(s.serve(ctx, c, logger, newRegistry(log), guard, hangups), guard.close())
}

// serve opens the ports and serves until ctx ends.
func (s *command) serve(ctx context.Context, c *cli.Call, logger *slog.Logger, registry *prometheus.Registry, guard guard, hangups <-chan os.Signal) error {
	health := new(health)
	files := &files{logger: logger, metrics: registry, caFile: s.CAFile, caSeen: fingerprintOf([]string{s.CAFile})}
	s.replay.tls.watch(files)
	all := make(map[net.Listener]*http.Server)
	defer func() {
		for l := range all {
			l.Close()
		}
	}()
	listener, err := s.open(c, files, guard, health, registry, all)
	if err != nil {
		return err
	}
	s.logConfiguration(c, logger)
	s.logFreePort(c, logger, listener)
	for l := range all {
		if l != listener {
			logger.Info("metrics", "url", urlOf("http", l)+"/metrics")
		}
	}
	files.logOpened()
	guard.check(ctx)
	health.watchStore(guard, registry)
	if err := s.printRunning(c, listener); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer files.start(ctx, c, hangups, stop)()
	defer stop()
	serving, end := s.untilDelay(ctx, health, logger)
	defer health.start(serving)()
	defer end()
	err = servers.Run(serving, all, func(connections int) {
		logger.Warn("stopping: waits for the requests of open connections; a second signal stops at once",
			"connections", connections, "at_most", servers.StopTimeout.String())
	})
	logger.Info("stopped", "finished", err == nil)
	return err
}

// maxShutdownDelay is the largest value of --shutdown-delay.
const maxShutdownDelay = 5 * time.Minute

// untilDelay returns a context that ends --shutdown-delay after ctx. From the end of ctx on, the
// service is not ready.
func (s *command) untilDelay(ctx context.Context, health *health, logger *slog.Logger) (later context.Context, end func()) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ignore := context.AfterFunc(ctx, func() {
		health.stopping.Store(true)
		if s.shutdownDelay > 0 {
			logger.Warn("stopping: serves on for the delay, and is not ready; a second signal stops at once", "delay", s.shutdownDelay.String())
		}
		time.AfterFunc(time.Duration(s.shutdownDelay), cancel)
	})
	return later, func() {
		ignore()
		cancel()
	}
}

// open opens the ports and adds their servers to all. It returns the listener of the API.
func (s *command) open(c *cli.Call, files *files, guard guard, health *health, registry *prometheus.Registry, all map[net.Listener]*http.Server) (net.Listener, error) {
	api, err := s.handler(c, files, guard, health, registry)
	if err != nil {
		return nil, err
	}
	connections := &connectionLog{files.logger, loglimit.NewLogger(files.logger)}
	listener, err := s.listen(c, files, connections)
	if err != nil {
		return nil, err
	}
	server := api.Server()
	server.Handler = health.closing(api)
	all[listener] = server
	if s.metricsAddress != "" {
		l, err := s.listenMetrics(c)
		if err != nil {
			return nil, err
		}
		all[l] = metricsServer(registry)
	}
	for _, server := range all {
		server.ErrorLog = log.New(connections, "", 0)
	}
	return listener, nil
}

// check returns an error if flags contradict each other.
func (s *command) check(c *cli.Call) error {
	switch {
	case len(c.Args) > 0:
		return c.UsageErrorf("serve takes no arguments, only flags")
	case cli.MayHoldSecret(s.address):
		return c.UsageErrorf("--address: not an IP address")
	case cli.MayHoldSecret(s.metricsAddress):
		return c.UsageErrorf("--metrics-address: not IP:PORT")
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return c.UsageErrorf("--tls-cert and --tls-key must be set together")
	case (s.insecureSSL || s.insecureHTTP) && s.Keys+s.Proxy+s.CAFile != "":
		return c.UsageErrorf("--insecure-ssl and --insecure-http exclude --keys, --proxy and --ca-file")
	case c.Given("max-life") && s.replay.store == "off":
		return c.UsageErrorf("--max-life needs --replay")
	case time.Duration(s.shutdownDelay) > maxShutdownDelay:
		return c.UsageErrorf("--shutdown-delay %s: more than %s", s.shutdownDelay.String(), cli.FormatSpan(maxShutdownDelay))
	case s.noEVP && (s.tokenFlag(c) != ""):
		return c.UsageErrorf("--no-evp and --%s exclude each other", s.tokenFlag(c))
	}
	if err := s.replay.tls.check(s.replay.store); err != nil {
		return c.UsageErrorf("%w", err)
	}
	return s.CheckTimeout(c)
}

// handler returns the API.
func (s *command) handler(c *cli.Call, files *files, guard guard, health *health, registry *prometheus.Registry) (*verifyapi.Handler, error) {
	keys, err := s.issuers(c, files)
	if err != nil {
		return nil, err
	}
	config := assertion.Config{Keys: keys, Now: c.Now}
	if guard.store != nil {
		if err := s.checkMaxLife(c, guard.store); err != nil {
			return nil, err
		}
		config.OneUse, config.MaxLife = guard.store, time.Duration(s.maxLife)
	}
	v, err := s.Trust.Verifier(c, config)
	if err != nil {
		return nil, err
	}
	tokens, err := s.tokenVerifier(c, files, guard)
	if err != nil {
		return nil, err
	}
	metrics, err := verifyapi.NewMetrics(registry)
	if err != nil {
		return nil, err
	}
	h, err := verifyapi.New(verifyapi.Config{
		Verifier: v, Tokens: tokens, UndecidedStatus: int(s.undecided), MaxBody: int64(s.maxBody.N),
		InFlight: s.inFlight.N, Queue: s.queue.N, Lookups: s.lookups.N,
		Components: health.components, Logger: files.logger, LogEmails: s.logEmails, Metrics: metrics, Unavailable: s.testFailure,
	})
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return h, nil
}

// checkMaxLife returns an error if the store cannot remember assertions for as long as
// --max-life needs. Package assertion has this limit.
func (s *command) checkMaxLife(c *cli.Call, store oneUseStore) error {
	longest := store.MaxLife() - 2*time.Duration(s.Leeway)
	if life := time.Duration(s.maxLife); life > longest {
		return c.UsageErrorf("--max-life %s: more than %s, which the store can remember with --leeway %s", cli.FormatSpan(life), cli.FormatSpan(longest), s.Leeway.String())
	}
	return nil
}

// issuers returns the source of the issuers' keys. The files of --keys are added to files.
func (s *command) issuers(c *cli.Call, files *files) (assertion.KeySource, error) {
	if s.insecureSSL || s.insecureHTTP {
		return s.insecureResolver(c)
	}
	if s.Keys == "" {
		return s.Source(c)
	}
	k := &keysFile{network: &s.Network, logger: files.logger}
	files.keys = k
	files.watch("keys", "keys", k.load, s.Keys)
	if _, err := s.Offline(c); err != nil {
		return nil, err
	}
	if err := k.read(); err != nil {
		return nil, err
	}
	return k, nil
}

// url returns the URL of the service.
func (s *command) url(l net.Listener) string {
	if s.tlsCert != "" {
		return urlOf("https", l)
	}
	return urlOf("http", l)
}

// urlOf returns the URL of a server, without a path. The zone of an IPv6 address is escaped.
func urlOf(scheme string, l net.Listener) string {
	u := url.URL{Scheme: scheme, Host: l.Addr().String()}
	return u.String()
}

// listen opens the port for the API, with TLS if there is a certificate. Its files are
// added to files.
func (s *command) listen(c *cli.Call, files *files, connections *connectionLog) (net.Listener, error) {
	host, err := servers.ParseHost(s.address)
	if err != nil {
		return nil, c.UsageErrorf("--address %q: %w", cli.Shown(s.address), err)
	}
	if s.tlsCert != "" {
		files.certificate = &certificate{flag: "--tls", certFile: s.tlsCert, keyFile: s.tlsKey, now: c.Now, logger: files.logger}
		files.watch("TLS certificate", "tls", files.certificate.load, s.tlsCert, s.tlsKey)
		if err := files.certificate.open(); err != nil {
			return nil, c.UsageErrorf("%w", err)
		}
		files.metrics.MustRegister(gauge("vepverify_tls_certificate_not_after_timestamp_seconds",
			"When the TLS certificate in use expires, in seconds since 1970.", nil, files.certificate.notAfter))
	}
	l, err := servers.Listen(host, strconv.Itoa(s.port.N))
	if err != nil {
		return nil, fmt.Errorf("%w (see --address and --port)", err)
	}
	if s.tlsCert == "" {
		return servers.OnTLS(l, connections.noteTLS), nil
	}
	return tls.NewListener(l, files.certificate.config()), nil
}

// listenMetrics opens the port for the metrics.
func (s *command) listenMetrics(c *cli.Call) (net.Listener, error) {
	host, port, err := servers.SplitHostPort(s.metricsAddress)
	if err != nil {
		return nil, c.UsageErrorf("--metrics-address %q: %w", cli.Shown(s.metricsAddress), err)
	}
	l, err := servers.Listen(host, port)
	if err != nil {
		return nil, fmt.Errorf("%w (see --metrics-address)", err)
	}
	return l, nil
}

// printRunning prints the URL of the service, and the fallback if there is one, in
// the format of the original verifier. The original's test suite reads here which
// configuration file has won.
func (s *command) printRunning(c *cli.Call, l net.Listener) error {
	type fields struct {
		URL      string `json:"url"`
		Fallback string `json:"fallback,omitempty"`
	}
	return c.PrintJSON(struct {
		Type   string
		Fields fields
	}{"server.running", fields{s.url(l), s.Fallback}})
}

// The garbage collector's settings for the service, unless GOGC or GOMEMLIMIT is
// set. The heap of the service is small. With Go's default of 100 %, garbage is
// collected many times a second under load, and the stacks of all connections are
// scanned each time. That takes a tenth of a request's processor time. The limit
// keeps the process under 256 MiB; near it, garbage is collected more often.
const (
	gcPercent   = 300
	memoryLimit = 224 << 20 // bytes
)

// tuneMemory applies the settings and returns a function that restores the previous
// ones. With --replay memory, Go's defaults stay: the live heap can be as large as
// the limit.
func (s *command) tuneMemory(c *cli.Call) (restore func()) {
	if s.replay.store == "memory" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(gcPercent), debug.SetMemoryLimit(memoryLimit)
	restore = func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
	if value, _ := c.Env("GOGC"); value != "" {
		debug.SetGCPercent(percent)
	}
	if value, _ := c.Env("GOMEMLIMIT"); value != "" {
		debug.SetMemoryLimit(limit)
	}
	return restore
}
