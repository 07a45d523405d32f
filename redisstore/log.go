package redisstore

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/vepverify/vepverify/internal/loglimit"
)

// SetLogger sends what go-redis itself reports to l, as warnings; nil discards it.
// Each kind of warning is logged at most once a minute, with the number of warnings
// that were skipped since the last one. go-redis reports trouble with connections, such as the address
// that it cannot reach, and no commands, keys or passwords. The errors of FirstUse
// report the same.
//
// A process has one such logger, whichever packages use go-redis, so SetLogger is
// for programs and not for libraries. Without it go-redis prints to standard error.
func SetLogger(l *slog.Logger) {
	if l == nil {
		logging.Disable()
		return
	}
	redis.SetLogger(newWarnings(l))
}

// warnings is a logger of go-redis.
type warnings struct{ to *loglimit.Logger }

func newWarnings(l *slog.Logger) warnings { return warnings{loglimit.NewLogger(l)} }

// Printf implements the interface that redis.SetLogger takes.
func (w warnings) Printf(ctx context.Context, format string, args ...any) {
	w.to.Log(ctx, slog.LevelWarn, cause(format, args), fmt.Sprintf(format, args...))
}

// cause returns the key of a warning for the limiter: its format, of which go-redis
// has about a hundred, and the types of its errors. The values of args are not part of
// it, because their number is not bounded.
func cause(format string, args []any) string {
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			format += fmt.Sprintf(" %T", err)
		}
	}
	return format
}
