package serve

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/loglimit"
)

// logWriter writes the log, and counts the lines that cannot be written, as to a disk that is full.
// The service goes on without them.
type logWriter struct {
	to   io.Writer
	lost atomic.Int64
}

// Write implements io.Writer. Package slog calls it once for each line.
func (w *logWriter) Write(line []byte) (int, error) {
	n, err := w.to.Write(line)
	if err != nil {
		w.lost.Add(1)
	}
	return n, err
}

// logConfiguration logs the values of all flags, except the URL of a proxy, which
// may hold a password, and the variables that have no effect.
func (s *command) logConfiguration(c *cli.Call, logger *slog.Logger) {
	var values []any
	for name, value := range c.FlagValues() {
		if name == "proxy" && value != "" {
			value = "set"
		}
		values = append(values, slog.String(name, value))
		if weak := strings.HasPrefix(name, "insecure-") || name == "test-service-failure"; weak && value == "true" {
			logger.Warn("not for production", "flag", name)
		}
	}
	logger.Info("configuration", values...)
	for _, name := range c.ServiceLinks() {
		logger.Warn("variable ignored", "variable", name, "advice", cli.ServiceLinkAdvice)
	}
	for _, v := range c.UnknownVariables() {
		logger.Warn("variable unknown", "variable", v.Name, "advice", v.Advice)
	}
}

// logFreePort logs that the port is another one after the next start, unless --port 0 was set.
func (s *command) logFreePort(c *cli.Call, logger *slog.Logger, l net.Listener) {
	if s.port.N == 0 && !c.IsSet("port") {
		logger.Info("no port is set: the system has chosen a free one", "url", s.url(l),
			"advice", "set --port, or the variable PORT, for the same port at each start")
	}
}

// connectionLog is where net/http logs about connections. What clients cause has the level
// debug. If connections cannot be accepted, for which the process needs more file descriptors,
// that is a warning once a minute.
type connectionLog struct {
	logger  *slog.Logger
	limited *loglimit.Logger
}

// Write implements io.Writer.
func (l *connectionLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if cause, found := strings.CutPrefix(text, "http: Accept error: "); found {
		l.limited.Log(context.Background(), slog.LevelWarn, "accept", "connections cannot be accepted", slog.String("error", cause),
			slog.String("advice", "if too many files are open, raise the limit: LimitNOFILE= of systemd, ulimit -n"))
	} else {
		l.logger.Debug("connection", "error", text)
	}
	return len(line), nil
}

// noteTLS logs, once a minute, that a client begins with TLS although there is none.
func (l *connectionLog) noteTLS() {
	l.limited.Log(context.Background(), slog.LevelWarn, "tls", "a client tried TLS, but only plain HTTP is served",
		slog.String("advice", "use http:// in the client's URL, or set --tls-cert and --tls-key"))
}
