package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

var errAnswer = errors.New("redis sent an unexpected answer")

// undecided returns the error of a call without a clear answer. It names the cause for
// an operator, and contains no text that the server chose, because callers promise
// that of their own errors.
func undecided(err error) error {
	var refused redis.Error
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("redis refused the command: %s", errorCode(refused.Error()))
	case isLocal(err):
		return fmt.Errorf("redis did not answer: %w", err)
	}
	return errAnswer
}

// errorCode returns the first word of an error of Redis, such as OOM, READONLY
// or NOAUTH.
func errorCode(text string) string {
	word, _, _ := strings.Cut(text, " ")
	notUpper := func(r rune) bool { return r < 'A' || r > 'Z' }
	if word == "" || len(word) > 20 || strings.ContainsFunc(word, notUpper) {
		return "an error without a code"
	}
	return word
}

// isLocal reports whether an error was made on this side: by a context, the client,
// the network or TLS.
func isLocal(err error) bool {
	for _, target := range []error{context.DeadlineExceeded, context.Canceled, redis.ErrClosed, redis.ErrPoolTimeout,
		redis.ErrPoolExhausted, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, target) {
			return true
		}
	}
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &network) || errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert)
}
