package loglimit_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/internal/loglimit"
)

// classified is an error with a class and a name.
type classified struct{ class, name string }

func (c classified) Error() string              { return c.name + ": " + c.class }
func (c classified) LogClass() (string, string) { return c.class, c.name }

// valued is an error that logs show with another text.
type valued struct{ cause error }

func (v valued) Error() string        { return "short" }
func (v valued) LogValue() slog.Value { return slog.StringValue("long") }
func (v valued) Unwrap() []error      { return []error{errors.New("undecided"), v.cause} }

// newLogger returns a Logger and a function that returns what it logged since the last call.
func newLogger(level slog.Level) (*loglimit.Logger, func() string) {
	var out bytes.Buffer
	h := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	return loglimit.NewLogger(slog.New(h)), func() string { defer out.Reset(); return out.String() }
}

func TestLogCause(t *testing.T) {
	refused, reset := classified{"refused", "a.example"}, classified{"reset", "a.example"}
	synctest.Test(t, func(t *testing.T) {
		l, logged := newLogger(slog.LevelWarn)
		log := func() {
			for i := range 3 {
				l.LogCause(t.Context(), slog.LevelWarn, "undecided", valued{refused}, slog.Int("i", i))
				l.LogCause(t.Context(), slog.LevelWarn, "undecided", fmt.Errorf("no keys: %w", reset))
				l.LogCause(t.Context(), slog.LevelError, "fault", valued{fmt.Errorf("outer: %w", errors.Join(nil, errors.New("inner")))})
				l.LogCause(t.Context(), slog.LevelInfo, "below the level", refused)
			}
		}
		log()
		time.Sleep(time.Minute + 1)
		log()
		const want = `level=WARN msg=undecided error="long: a.example: refused" i=0
level=WARN msg=undecided error="no keys: a.example: reset"
level=ERROR msg=fault error="long: undecided: outer: inner"
level=WARN msg=undecided error="long: a.example: refused" i=0 skipped=2
level=WARN msg=undecided error="no keys: a.example: reset" skipped=2
level=ERROR msg=fault error="long: undecided: outer: inner" skipped=2
`
		if diff := cmp.Diff(want, logged()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestNames checks that a client that chooses names causes a bounded number of lines, and
// hides no other class, and that few names do not hide each other.
func TestNames(t *testing.T) {
	l, logged := newLogger(slog.LevelWarn)
	for i := range 10_000 {
		l.LogCause(t.Context(), slog.LevelWarn, "undecided", classified{fmt.Sprint("status ", i), fmt.Sprint(i%5000, ".example")})
		l.LogCause(t.Context(), slog.LevelWarn, "undecided", fmt.Errorf("plain %d", i%5000))
	}
	got := logged()
	if lines := strings.Count(got, "\n"); lines != 8+64 {
		t.Errorf("%d lines", lines)
	}
	for i := range 8 {
		if n := strings.Count(got, fmt.Sprintf("\"%d.example: ", i)); n != 1 {
			t.Errorf("%d lines about host %d", n, i)
		}
	}
	l.LogCause(t.Context(), slog.LevelWarn, "undecided", classified{"reset", "0.example"})
	l.LogCause(t.Context(), slog.LevelWarn, "fault", classified{"refused", "0.example"})
	if lines := strings.Count(logged(), "\n"); lines != 2 {
		t.Errorf("%d lines of other causes", lines)
	}
}
