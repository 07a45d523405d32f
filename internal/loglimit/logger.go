package loglimit

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// logInterval is how often a Logger logs a message with the same key.
const logInterval = time.Minute

// The numbers of names of one class, and of texts without a class, that are logged in an
// interval. A client can cause as many lines by choosing names.
const (
	maxNames = 8
	maxTexts = 64
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
}

// NewLogger returns a Logger that passes what it logs to another logger.
func NewLogger(to *slog.Logger) *Logger {
	return &Logger{to: to, limit: New(logInterval)}
}

// LogCause logs a message with the attribute "error": the texts of err and of the
// errors that it wraps, as far as they add something. It logs nothing if that was logged
// in the last minute for the same cause: the class and the name of the last [Classified]
// in err's tree, or else the text. In a minute it logs a class for at most 8 names, and
// at most 64 texts without a class.
//
// The message must be one of a few. The texts of the errors must contain no secret.
func (l *Logger) LogCause(ctx context.Context, level slog.Level, message string, err error, attrs ...slog.Attr) {
	if !l.to.Enabled(ctx, level) {
		return
	}
	text := chain(message, err)
	key, name, max := message, text, maxTexts
	walk(err, func(err error) {
		if c, ok := err.(Classified); ok {
			class, of := c.LogClass()
			key, name, max = message+" "+withoutNumbers(class), of, maxNames
		}
	})
	skipped, ok := l.limit.allowName(key, name, max)
	l.log(ctx, level, message, skipped, ok, append([]slog.Attr{slog.String("error", text)}, attrs...))
}

// Log logs a message, unless one with the same key was logged in the last minute. The
// attribute "skipped" is the number of those that were not logged since then.
func (l *Logger) Log(ctx context.Context, level slog.Level, key, message string, attrs ...slog.Attr) {
	if !l.to.Enabled(ctx, level) {
		return
	}
	skipped, ok := l.limit.Allow(key)
	l.log(ctx, level, message, skipped, ok, attrs)
}

// log logs a message if ok is true.
func (l *Logger) log(ctx context.Context, level slog.Level, message string, skipped int64, ok bool, attrs []slog.Attr) {
	if !ok {
		return
	}
	if skipped > 0 {
		attrs = append(attrs, slog.Int64("skipped", skipped))
	}
	l.to.LogAttrs(context.WithoutCancel(ctx), level, message, attrs...)
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
