package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/vepverify/vepverify/internal/loglimit"
)

// SetLogger sends what go-redis itself reports to l, as warnings; nil discards it.
// Each kind of warning is logged at most once a minute, with the number of warnings
// that were skipped since the last one. go-redis reports trouble with connections, such as
// the address that it cannot reach, and, with level info, what Sentinels say. The texts of its
// errors, which can contain what a server sent, are replaced by those of this package. The
// errors of FirstUse report the same.
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

// Printf implements the interface that redis.SetLogger takes. It replaces the texts of
// errors, which can contain what the server sent.
func (w warnings) Printf(ctx context.Context, format string, args ...any) {
	key := format // go-redis has about a hundred
	level := slog.LevelWarn
	if strings.HasPrefix(format, "sentinel: ") && !slices.ContainsFunc(args, isError) {
		level, key = slog.LevelInfo, fmt.Sprintf(format, args...) // such as the address of the new master
	}
	safe := slices.Clone(args)
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			if errors.Is(err, context.Canceled) { // another Sentinel was faster
				return
			}
			about := server{addr: remoteAddr(err)}
			described := about.undecided(err)
			safe[i], key = described, key+" "+about.addr+" "+described.class
		}
	}
	w.to.Log(ctx, level, key, fmt.Sprintf(format, safe...))
}

func isError(arg any) bool {
	_, ok := arg.(error)
	return ok
}

// remoteAddr returns the address that an error of the network is about, or "".
func remoteAddr(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return ""
	}
	return op.Addr.String()
}
