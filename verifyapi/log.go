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

// requestID is the one that a balancer or client gave, when it is harmless to
// repeat, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); isRequestID(id) {
		return id
	}
	var random [8]byte
	binary.BigEndian.PutUint64(random[:], rand.Uint64())
	return hex.EncodeToString(random[:])
}

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
// find it again, and nothing to sign in with.
const hashLength = 8

// log writes the line of a verification. The errors that end a verification hold
// neither a token nor an address (see assertion.Error and wellknown.LookupError).
func (x *exchange) log(status int, took time.Duration) {
	logger, level := x.handler.config.Logger, slog.LevelInfo
	switch x.outcome.result {
	case "shed", "cancelled":
		level = slog.LevelDebug // there are many when there is much to do
	case "fault":
		level = slog.LevelError
	}
	if logger == nil || !logger.Enabled(x.request.Context(), level) {
		return
	}
	ctx := context.WithoutCancel(x.request.Context())
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs, slog.String("request", x.id), slog.String("api", x.api), slog.Int("status", status),
		slog.String("result", x.outcome.result), slog.String("class", x.outcome.reason), slog.Duration("took", took))
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
	logger.LogAttrs(ctx, level, "verification", attrs...)
}

// detail returns the text of err for the log, which may tell more than the answer.
func detail(err error) string {
	var e *assertion.Error
	if errors.As(err, &e) {
		return e.Detail()
	}
	return err.Error()
}

// logPanic logs where something went wrong. Of what was thrown only the runtime's
// own errors are shown: anything else may hold anything.
func (x *exchange) logPanic(thrown any) {
	logger := x.handler.config.Logger
	if logger == nil {
		return
	}
	what := fmt.Sprintf("a %T", thrown)
	if err, ok := thrown.(runtime.Error); ok {
		what = err.Error()
	}
	logger.LogAttrs(context.WithoutCancel(x.request.Context()), slog.LevelError, "panic",
		slog.String("request", x.id), slog.String("panic", what), slog.String("stack", string(debug.Stack())))
}
