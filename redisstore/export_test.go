package redisstore

import (
	"context"
	"log/slog"
)

// Warner returns the logger that SetLogger passes to go-redis.
func Warner(l *slog.Logger) interface {
	Printf(ctx context.Context, format string, args ...any)
} {
	return newWarnings(l)
}
