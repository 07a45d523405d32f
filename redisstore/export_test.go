package redisstore

import (
	"context"
	"log/slog"
)

// NewWarnings returns the logger that SetLogger passes to go-redis.
func NewWarnings(l *slog.Logger) interface {
	Printf(ctx context.Context, format string, args ...any)
} {
	return newWarnings(l)
}
