package main

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
)

// decision is the HTTP status for what could not be decided.
type decision int

// Set implements cli.Generic.
func (d *decision) Set(s string) error {
	if s != "200" && s != "503" {
		return errors.New("want 200 or 503")
	}
	n, err := strconv.Atoi(s)
	*d = decision(n)
	return err
}

// String implements cli.Generic.
func (d *decision) String() string { return strconv.Itoa(int(*d)) }

// level is the least level that is logged.
type level slog.Level

// levels are the names of levels, those of the verifier of old among them.
var levels = map[string]slog.Level{
	"all": slog.LevelDebug, "none": slog.LevelError + 4, "trace": slog.LevelDebug, "verbose": slog.LevelDebug, "debug": slog.LevelDebug, "info": slog.LevelInfo,
	"warn": slog.LevelWarn, "warning": slog.LevelWarn, "error": slog.LevelError, "critical": slog.LevelError, "fatal": slog.LevelError,
}

// Set implements cli.Generic.
func (l *level) Set(s string) error {
	named, ok := levels[strings.ToLower(s)]
	if !ok {
		return errors.New("want debug, info, warn or error")
	}
	*l = level(named)
	return nil
}

// String implements cli.Generic.
func (l *level) String() string { return strings.ToLower(slog.Level(*l).String()) }
