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
	switch r {
	case resultShed, resultCancelled:
		return slog.LevelDebug // they are many under overload
	case resultFault:
		return slog.LevelError
	}
	return slog.LevelInfo
}

// log logs a verification. The errors of a verification contain neither a token nor
// an address (see assertion.Error and wellknown.LookupError).
func (x *exchange) log(status int, took time.Duration) {
	logger, level := x.handler.config.Logger, x.outcome.result.level()
	if !logger.Enabled(x.request.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs, slog.String("request", x.id), slog.String("api", string(x.version)), slog.Int("status", status),
		slog.String("result", string(x.outcome.result)), slog.String("class", x.outcome.reason), slog.Duration("took", took))
	if x.params.assertion != "" {
		sum := sha256.Sum256([]byte(x.params.assertion))
		attrs = append(attrs, slog.String("assertion", hex.EncodeToString(sum[:hashLength])))
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("reason", detail(x.err)))
	}
	if x.handler.config.LogEmails && x.email != "" {
		attrs = append(attrs, slog.String("email", x.email))
	}
	logger.LogAttrs(context.WithoutCancel(x.request.Context()), level, "verification", attrs...)
}

// detail returns the text of err for the log, which may say more than the response.
func detail(err error) string {
	var e *assertion.Error
	if errors.As(err, &e) {
		return e.Detail()
	}
	return err.Error()
}

// logPanic logs where a handler panicked. The value is shown only if it is an error
// of the runtime: any other may contain anything.
func (x *exchange) logPanic(value any) {
	text := fmt.Sprintf("a %T", value)
	if err, ok := value.(runtime.Error); ok {
		text = err.Error()
	}
	x.handler.config.Logger.LogAttrs(context.WithoutCancel(x.request.Context()), slog.LevelError, "panic",
		slog.String("request", x.id), slog.String("panic", text), slog.String("stack", string(debug.Stack())))
}
