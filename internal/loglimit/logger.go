package loglimit

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"strings"
	"time"
)

// logInterval is how often a Logger logs a message with the same key.
const logInterval = time.Minute

// The numbers of names of one class, and of texts without a class, that are told apart.
// They are the numbers of lines that a client can cause in an interval by choosing names.
const (
	nameBuckets = 8
	textBuckets = 64
)

// Classified is an error that knows its class. LogClass returns the class, which is
// one of a few texts apart from numbers in it, and a name that a client may have chosen,
// such as a host. The name may be empty.
type Classified interface {
	LogClass() (class, name string)
}

// Logger logs each cause at most once a minute. It is safe for concurrent use.
type Logger struct {
	to    *slog.Logger
	limit *Limiter
	seed  maphash.Seed
}

// NewLogger returns a Logger that logs to to.
func NewLogger(to *slog.Logger) *Logger {
	return &Logger{to: to, limit: New(logInterval), seed: maphash.MakeSeed()}
}

// LogCause logs a message with the attribute "error": the texts of err and of the
// errors that it wraps, as far as they add something. It logs nothing if a cause of the
// same kind was logged with this message in the last minute. The kind is the class and,
// in one of 8 buckets, the name of a [Classified] in err's tree. For other errors it is
// their text, in one of 64 buckets.
//
// The message must be one of a few. The texts of the errors must contain no secret.
func (l *Logger) LogCause(ctx context.Context, level slog.Level, message string, err error, attrs ...slog.Attr) {
	if !l.to.Enabled(ctx, level) {
		return
	}
	text := chain(message, err)
	l.Log(ctx, level, message+l.kind(err, text), message, append([]slog.Attr{slog.String("error", text)}, attrs...)...)
}

// Log logs a message, unless one with the same key was logged in the last minute. The
// attribute "skipped" is the number of those that were not logged since then.
func (l *Logger) Log(ctx context.Context, level slog.Level, key, message string, attrs ...slog.Attr) {
	if !l.to.Enabled(ctx, level) {
		return
	}
	skipped, ok := l.limit.Allow(key)
	if !ok {
		return
	}
	if skipped > 0 {
		attrs = append(attrs, slog.Int64("skipped", skipped))
	}
	l.to.LogAttrs(context.WithoutCancel(ctx), level, message, attrs...)
}

// kind returns the part of a key that stands for the cause. Text is that of err.
func (l *Logger) kind(err error, text string) string {
	kind := fmt.Sprint(" ", maphash.String(l.seed, text)%textBuckets)
	walk(err, func(err error) {
		if c, ok := err.(Classified); ok {
			class, name := c.LogClass()
			kind = fmt.Sprint(" ", withoutNumbers(class), " ", maphash.String(l.seed, name)%nameBuckets)
		}
	})
	return kind
}

// withoutNumbers returns a text without its digits.
func withoutNumbers(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, s)
}

// chain returns the text of err, followed by the texts of the errors that it wraps that
// neither the message nor the texts before contain.
func chain(message string, err error) string {
	all := ""
	walk(err, func(err error) {
		switch text := text(err); {
		case all == "":
			all = text
		case !strings.Contains(message+" "+all, text):
			all += ": " + text
		}
	})
	return all
}

// text returns what a log shows of one error.
func text(err error) string {
	if v, ok := err.(slog.LogValuer); ok {
		return v.LogValue().Resolve().String()
	}
	return err.Error()
}

// walk visits the errors of a tree, each before those that it wraps.
func walk(err error, visit func(error)) {
	visit(err)
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if wrapped := err.Unwrap(); wrapped != nil {
			walk(wrapped, visit)
		}
	case interface{ Unwrap() []error }:
		for _, wrapped := range err.Unwrap() {
			if wrapped != nil {
				walk(wrapped, visit)
			}
		}
	}
}
