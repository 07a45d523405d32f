// Package serve is the command serve: the HTTP API of package verifyapi as a
// service, with the flags, variables and configuration files of the original
// browserid-verifier.
package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/signals"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/redisstore"
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
	files := &files{logger: logger, metrics: newRegistry(log), caFile: s.CAFile, caSeen: fingerprintOf([]string{s.CAFile})}
	guard, err := s.replay.open(c.Now, files)
	if err != nil {
		return c.UsageErrorf("%w", err)
	}
	return errors.Join(s.serve(ctx, c, files, guard, hangups), guard.close())
}

// serve opens the ports and serves until ctx ends.
func (s *command) serve(ctx context.Context, c *cli.Call, files *files, guard guard, hangups <-chan os.Signal) error {
	logger, health := files.logger, new(health)
	all := make(map[net.Listener]*http.Server)
	defer func() {
		for l := range all {
			l.Close()
		}
	}()
	listener, err := s.open(c, files, guard, health, all)
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
	health.watchStore(guard, files.metrics)
	if err := s.printRunning(c, listener); err != nil {
		return err
	}
	notifyReady(logger)
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
		notifyStopping(logger, time.Duration(s.shutdownDelay))
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
