package serve

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
)

// undecidedStatus is the HTTP status of an undecided answer.
type undecidedStatus int

// Set implements flag.Value.
func (d *undecidedStatus) Set(s string) error {
	if s != "200" && s != "503" {
		return errors.New("want 200 or 503")
	}
	n, err := strconv.Atoi(s)
	*d = undecidedStatus(n)
	return err
}

// String implements flag.Value.
func (d *undecidedStatus) String() string { return strconv.Itoa(int(*d)) }

// Choices returns the values for completion.
func (d *undecidedStatus) Choices() []string { return []string{"200", "503"} }

// logLevel is the lowest level that is logged.
type logLevel slog.Level

// levels are the names of levels, including those of the original verifier.
var levels = map[string]slog.Level{
	"all": slog.LevelDebug, "none": slog.LevelError + 4, "trace": slog.LevelDebug, "verbose": slog.LevelDebug, "debug": slog.LevelDebug, "info": slog.LevelInfo,
	"warn": slog.LevelWarn, "warning": slog.LevelWarn, "error": slog.LevelError, "critical": slog.LevelError, "fatal": slog.LevelError,
}

// Set implements flag.Value.
func (l *logLevel) Set(s string) error {
	named, ok := levels[strings.ToLower(s)]
	if !ok {
		return errors.New("want debug, info, warn or error")
	}
	*l = logLevel(named)
	return nil
}

// String implements flag.Value.
func (l *logLevel) String() string { return strings.ToLower(slog.Level(*l).String()) }

// Choices returns the values for completion.
func (l *logLevel) Choices() []string { return []string{"debug", "info", "warn", "error"} }
