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

var errNonsense = errors.New("redis: the answer makes no sense")

// undecided makes the error of a call that got no clear answer. It says what an
// operator needs, and holds no text that the other side chose: callers promise
// that of theirs.
func undecided(err error) error {
	var refusal redis.Error
	switch {
	case errors.As(err, &refusal):
		return fmt.Errorf("redis: refused with %s", code(refusal.Error()))
	case isLocal(err):
		return fmt.Errorf("redis: %w", err)
	}
	return errNonsense
}

// code is the first word of an error that Redis answers, such as OOM, READONLY
// or NOAUTH.
func code(text string) string {
	word, _, _ := strings.Cut(text, " ")
	notUpper := func(r rune) bool { return r < 'A' || r > 'Z' }
	if word == "" || len(word) > 20 || strings.ContainsFunc(word, notUpper) {
		return "an error without a code"
	}
	return word
}

// isLocal says whether an error is of this side's making: of a context, the client,
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
