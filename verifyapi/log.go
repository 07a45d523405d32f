package verifyapi

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
)

const requestIDHeader = "X-Request-Id"

// maxRequestID is long enough for every usual form, and too short for a token.
const maxRequestID = 64

// requestID returns the request ID that a balancer or client sent, if it is safe to
// repeat, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); isRequestID(id) {
		return id
	}
	var random [8]byte
	binary.BigEndian.PutUint64(random[:], rand.Uint64())
	return hex.EncodeToString(random[:])
}

// isRequestID reports whether a request ID is safe to repeat.
func isRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// hashLength is how many bytes of an assertion's SHA-256 are logged: enough to
// find it again, and useless for signing in.
const hashLength = 8

// level returns the level at which verifications with a result are logged.
func (r result) level() slog.Level {
	if r == resultShed || r == resultCancelled {
		return slog.LevelDebug // they are many under overload
	}
	return slog.LevelInfo
}

// log logs a verification. The errors of a verification contain neither a token nor
// an address (see assertion.Error and wellknown.LookupError).
func (x *exchange) log(status int, took time.Duration) {
	x.logCause()
	logger, level := x.handler.config.Logger, x.outcome.result.level()
	if !logger.Enabled(x.request.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs, slog.String("request", x.id), slog.String("api", string(x.version)), slog.Int("status", status),
		slog.String("result", string(x.outcome.result)), slog.String("class", x.outcome.class), slog.Float64("took_ms", milliseconds(took)))
	attrs = x.appendHash(attrs)
	if x.err != nil {
		attrs = append(attrs, slog.String("reason", detail(x.err)))
	}
	if x.handler.config.LogEmails && x.email != "" {
		attrs = append(attrs, slog.String("email", x.email))
	}
	logger.LogAttrs(context.WithoutCancel(x.request.Context()), level, "verification", attrs...)
}

// milliseconds returns a duration in milliseconds, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// appendHash appends the hash of the assertion or the token, if there is one.
func (x *exchange) appendHash(attrs []slog.Attr) []slog.Attr {
	if x.params.assertion == "" {
		return attrs
	}
	sum := sha256.Sum256([]byte(x.params.assertion))
	name := "assertion"
	if x.version == evpAPI {
		name = "token"
	}
	return append(attrs, slog.String(name, hex.EncodeToString(sum[:hashLength])))
}

// logCause logs why a verification ended without an answer to its question: it is
// undecided, refused under overload, or a fault. Each cause is logged once a minute.
func (x *exchange) logCause() {
	level, message := slog.LevelWarn, string(x.outcome.result)
	switch x.outcome.result {
	case resultUndecided:
	case resultShed:
		message = "too busy"
	case resultFault:
		level = slog.LevelError
	default:
		return
	}
	if x.err == nil {
		return // a panic, which is logged with its stack
	}
	attrs := []slog.Attr{slog.String("class", x.outcome.class), slog.String("request", x.id)}
	if x.outcome.result != resultShed { // an overload is not of one assertion, and must cost little (BenchmarkHandler)
		attrs = x.appendHash(attrs)
	}
	if x.outcome.result == resultUndecided {
		attrs = appendAdvice(attrs, x.err)
	}
	x.handler.causes.LogCause(x.request.Context(), level, message, x.err, attrs...)
}

// appendAdvice appends the advice of an error of package assertion or evp, and the setting that it
// is about.
func appendAdvice(attrs []slog.Attr, err error) []slog.Attr {
	var a *assertion.Error
	var t *evp.Error
	var advice, setting string
	switch {
	case errors.As(err, &a):
		advice, setting = a.Advice, a.Setting
	case errors.As(err, &t):
		advice, setting = t.Advice, t.Setting
	default:
		return attrs
	}
	attrs = append(attrs, slog.String("advice", advice))
	if setting != "" {
		attrs = append(attrs, slog.String("setting", setting))
	}
	return attrs
}

// detail returns the text of err for the log, which may say more than the response.
func detail(err error) string {
	var e interface {
		error
		Detail() string
	}
	if errors.As(err, &e) {
		return e.Detail()
	}
	return err.Error()
}

// panicked is the error of a panic. It is the text of the value if that is an error of
// the runtime, else its type: any other value may contain anything.
type panicked string

// Error returns the text.
func (p panicked) Error() string { return string(p) }

// LogClass implements loglimit.Classified.
func (p panicked) LogClass() (class, name string) { return string(p), "" }

// logPanic logs where a handler panicked, once a minute for each kind of panic.
func (x *exchange) logPanic(value any) {
	err := panicked(fmt.Sprintf("a %T", value))
	if e, ok := value.(runtime.Error); ok {
		err = panicked(e.Error())
	}
	x.handler.causes.LogCause(x.request.Context(), slog.LevelError, "panic", err,
		slog.String("request", x.id), slog.String("stack", string(debug.Stack())))
}
