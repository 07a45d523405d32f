package redisstore

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// SetLogger sends what go-redis itself reports to a logger, as warnings; nil drops it. There
// is one such logger in a process, whoever uses go-redis in it, so this is for
// programs and not for libraries. Without it go-redis prints to standard error. It reports
// trouble with connections, such as the address that it cannot reach, and no
// commands, keys or passwords. The errors of FirstUse tell the same.
func SetLogger(l *slog.Logger) {
	if l == nil {
		logging.Disable()
		return
	}
	redis.SetLogger(sink{l})
}

// sink is a logger of go-redis.
type sink struct{ to *slog.Logger }

// Printf implements the interface that redis.SetLogger takes.
func (s sink) Printf(ctx context.Context, format string, args ...any) {
	s.to.WarnContext(ctx, fmt.Sprintf(format, args...))
}
