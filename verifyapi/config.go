package verifyapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/vepverify/vepverify/assertion"
)

// Config says how to serve. Verifier is required; the zero value of every other
// field is a sensible choice.
type Config struct {
	// Verifier verifies. Its trusted issuers, if any, hold for requests that
	// name none; a request that names some is judged by those alone.
	Verifier *assertion.Verifier

	// UndecidedStatus is the status of an answer that could not be decided,
	// because an issuer could not be reached. 0 and 200: 200, as existing
	// clients expect; 503: so that balancers and clients try again.
	UndecidedStatus int

	// MaxBody is the largest body of a request, and the longest query, in
	// bytes. 0: 10 KiB; at most 1 MiB.
	MaxBody int64

	// ReadTimeout is how long a client may take to send one request's body.
	// 0: 10 s.
	ReadTimeout time.Duration

	// InFlight is the number of places for work: verifications and loads of
	// fetched documents that run at once. Both are work for processors: more of
	// them than there are processors help only while a one-use store is asked
	// over the network. Loads take at most half as many places as there are
	// processors. 0: 16 for each processor that Go uses.
	InFlight int

	// Queue is the number of requests that may wait to begin. A request that
	// finds the queue full is refused at once. The queue is bounded by time
	// rather than by number: its length matters only to the memory, at most
	// MaxBody and some 4 KiB for each. 0: 64 times InFlight; negative: no
	// request waits.
	Queue int

	// QueueTimeout is the longest wait in the queue, after which the client is
	// told to come back. It bounds how long an accepted request takes under
	// overload. 0: 100 ms.
	QueueTimeout time.Duration

	// Lookups is the number of requests that may wait for issuers' documents.
	// They hold no place meanwhile, so slow issuers take nothing from requests
	// whose documents are known. Requests for one registrable domain take at
	// most a quarter of the places that they hold or that are free, and at
	// least one. 0: 512.
	Lookups int

	// Version is what /__version__ answers. What is empty is taken from what Go
	// recorded when the program was built.
	Version Version

	// Logger gets a line for each verification. Nil: nothing is logged.
	Logger *slog.Logger

	// LogEmails puts the address into the line of an assertion that holds. The
	// line of any other never has one.
	LogEmails bool

	// Metrics, when set, counts. Nil: nothing is counted.
	Metrics *Metrics

	// Unavailable makes every verification answer 503 "service unavailable",
	// to test what clients do then.
	Unavailable bool
}

const (
	defaultMaxBody      = 10 << 10
	maxMaxBody          = 1 << 20
	defaultReadTimeout  = 10 * time.Second
	inFlightPerCPU      = 16
	queuePerInFlight    = 64
	defaultQueueTimeout = 100 * time.Millisecond
	defaultLookups      = 512
)

// complete gives the configuration with the defaults in place, or says what is
// wrong with it.
func (c Config) complete() (Config, error) {
	if err := c.check(); err != nil {
		return c, fmt.Errorf("verifyapi: %w", err)
	}
	setDefault(&c.UndecidedStatus, http.StatusOK)
	setDefault(&c.MaxBody, defaultMaxBody)
	setDefault(&c.ReadTimeout, defaultReadTimeout)
	setDefault(&c.InFlight, inFlightPerCPU*runtime.GOMAXPROCS(0))
	setDefault(&c.Queue, queuePerInFlight*c.InFlight)
	setDefault(&c.QueueTimeout, defaultQueueTimeout)
	setDefault(&c.Lookups, defaultLookups)
	c.Queue = max(c.Queue, 0)
	c.Version = c.Version.orBuilt()
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) check() error {
	switch {
	case c.Verifier == nil:
		return errors.New("a Verifier is wanted")
	case c.UndecidedStatus != 0 && c.UndecidedStatus != http.StatusOK && c.UndecidedStatus != http.StatusServiceUnavailable:
		return fmt.Errorf("an UndecidedStatus of %d, not 200 or 503", c.UndecidedStatus)
	case c.MaxBody < 0 || c.MaxBody > maxMaxBody:
		return fmt.Errorf("a MaxBody of %d bytes, not 1 to %d", c.MaxBody, maxMaxBody)
	case c.ReadTimeout < 0:
		return fmt.Errorf("a ReadTimeout of %v", c.ReadTimeout)
	case c.InFlight < 0:
		return fmt.Errorf("an InFlight of %d", c.InFlight)
	case c.QueueTimeout < 0:
		return fmt.Errorf("a QueueTimeout of %v", c.QueueTimeout)
	case c.Lookups < 0:
		return fmt.Errorf("a Lookups of %d", c.Lookups)
	case c.LogEmails && c.Logger == nil:
		return errors.New("LogEmails without a Logger")
	}
	return c.Version.check()
}
