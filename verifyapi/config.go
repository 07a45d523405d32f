package verifyapi

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/buildinfo"
	"github.com/vepverify/vepverify/internal/typednil"
)

// Config configures a [Handler]. Verifier is required; the zero value of every
// other field is a sensible choice. A negative value is an error, except where the
// field says otherwise.
type Config struct {
	// Verifier verifies assertions. Its trusted issuers apply to requests that
	// name none; a request that names some replaces them for itself.
	Verifier *assertion.Verifier

	// Tokens verifies tokens of the Email Verification Protocol, at POST /evp. Usually it is
	// an *evp.Verifier. Requests name the origin, so that its own origins do not matter. Nil
	// means that there is no POST /evp. It is experimental, as package evp is.
	Tokens TokenVerifier

	// UndecidedStatus is the status of the response if an assertion could not be
	// verified because an issuer or the one-use store could not be reached. 200 is
	// what existing clients expect; 503 makes balancers and clients try again. Zero
	// means 200.
	UndecidedStatus int

	// MaxBody is the largest body of a request, and the longest query, in bytes, at
	// most 1 MiB. Zero means 10 KiB.
	MaxBody int64

	// ReadTimeout is how long a client may take to send the body of one request.
	// Zero means 10 s.
	ReadTimeout time.Duration

	// InFlight is the number of places for work: verifications, and loads of
	// fetched documents, that run at once. Both are work for processors. More places
	// than processors help only if the one-use store is reached over the network.
	// Loads take at most half as many places as there are processors. Zero means 16
	// for each processor that Go uses.
	InFlight int

	// Queue is the number of requests that may wait for a place. If the queue is
	// full, a request is refused at once. QueueTimeout limits the wait. Queue limits
	// only the memory: at most MaxBody and about 4 KiB for each request. Zero means
	// 64 times InFlight; negative means that no request waits.
	Queue int

	// QueueTimeout is the longest wait in the queue, after which the client is
	// told to try again. It limits how long an accepted request takes under
	// overload. Zero means 100 ms.
	QueueTimeout time.Duration

	// Lookups is the number of requests that may wait for the support documents
	// of issuers. They hold no place meanwhile, so slow issuers do not delay
	// requests whose documents are cached. Requests for one registrable domain may
	// have one lookup, or more up to a quarter of those that are free or already
	// theirs. Zero means 512.
	Lookups int

	// Version is what /__version__ reports. Empty fields are taken from the build: the
	// stamp of a release, or what Go recorded.
	Version Version

	// Components returns the state of what the service needs, for GET /readyz. Each such request
	// calls it, so it must return at once: it reports a state that is known. Nil means that
	// the service is always ready.
	Components func() []Component

	// Logger logs each verification, and once a minute each cause for which one has
	// no answer. Nil means slog.Default(); a logger with slog.DiscardHandler logs
	// nothing.
	Logger *slog.Logger

	// LogEmails logs the address of an assertion or a token that was accepted. Addresses of
	// others are never logged.
	LogEmails bool

	// Metrics counts requests and lookups. Nil means that nothing is counted.
	Metrics *Metrics

	// Now is the clock by which durations are measured for logs and metrics. Nil
	// means time.Now. Timeouts do not use it.
	Now func() time.Time

	// Unavailable makes every verification answer 503 "service unavailable", to
	// test what clients do then.
	Unavailable bool
}

// TokenVerifier returns verifiers of tokens for an origin. *evp.Verifier implements it.
type TokenVerifier interface {
	// WithOrigins returns a verifier that accepts tokens for these origins only. It is called
	// with one origin, whose form was checked. An [*evp.Error] is answered as one of Verify is,
	// so that it may be undecided. Any other error is logged and answered with 503.
	WithOrigins(origins ...string) (*evp.Verifier, error)
}

// The defaults and limits of Config.
const (
	defaultMaxBody      = 10 << 10
	maxMaxBody          = 1 << 20
	defaultReadTimeout  = 10 * time.Second
	inFlightPerCPU      = 16
	queuePerInFlight    = 64
	defaultQueueTimeout = 100 * time.Millisecond
	defaultLookups      = 512
)

// validate returns an error if a field is missing or out of range.
func (c Config) validate() error {
	if err := c.validateVerifiers(); err != nil {
		return err
	}
	switch {
	case c.UndecidedStatus != 0 && c.UndecidedStatus != http.StatusOK && c.UndecidedStatus != http.StatusServiceUnavailable:
		return fmt.Errorf("verifyapi: UndecidedStatus: %d, want 200 or 503", c.UndecidedStatus)
	case c.MaxBody < 0 || c.MaxBody > maxMaxBody:
		return fmt.Errorf("verifyapi: MaxBody: %d bytes, want 1 to %d", c.MaxBody, maxMaxBody)
	case c.ReadTimeout < 0:
		return fmt.Errorf("verifyapi: ReadTimeout: %v is negative", c.ReadTimeout)
	case c.InFlight < 0:
		return fmt.Errorf("verifyapi: InFlight: %d is negative", c.InFlight)
	case c.QueueTimeout < 0:
		return fmt.Errorf("verifyapi: QueueTimeout: %v is negative", c.QueueTimeout)
	case c.Lookups < 0:
		return fmt.Errorf("verifyapi: Lookups: %d is negative", c.Lookups)
	}
	return c.Version.validate()
}

// validateVerifiers returns an error if Verifier is missing, or if it or Tokens cannot work: a
// zero verifier, or a nil pointer.
func (c Config) validateVerifiers() error {
	if c.Verifier == nil {
		return errors.New("verifyapi: Verifier: missing")
	}
	if _, err := c.Verifier.WithTrustedIssuers(); err != nil {
		return fmt.Errorf("verifyapi: Verifier: %w", err)
	}
	if err := typednil.Check(c.Tokens); err != nil {
		return fmt.Errorf("verifyapi: Tokens: %w", err)
	}
	if v, ok := c.Tokens.(*evp.Verifier); ok {
		if _, err := v.WithOneUse(nil); err != nil {
			return fmt.Errorf("verifyapi: Tokens: %w", err)
		}
	}
	return nil
}

// withDefaults returns the configuration with a value in every field.
func (c Config) withDefaults() Config {
	c.UndecidedStatus = cmp.Or(c.UndecidedStatus, http.StatusOK)
	c.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, defaultReadTimeout)
	c.InFlight = cmp.Or(c.InFlight, inFlightPerCPU*runtime.GOMAXPROCS(0))
	c.Queue = max(cmp.Or(c.Queue, queuePerInFlight*c.InFlight), 0)
	c.QueueTimeout = cmp.Or(c.QueueTimeout, defaultQueueTimeout)
	c.Lookups = cmp.Or(c.Lookups, defaultLookups)
	c.Version = c.Version.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Version is what /__version__ reports, in the form that monitoring of such
// services reads: {"version":"1.2.0","commit":"<40 hex digits>","source":"https://…"}.
type Version struct {
	Version string `json:"version"` // digits and dots; 0.0.0 means not a release
	Commit  string `json:"commit"`  // 40 lower-case hex digits; all zeros means unknown
	Source  string `json:"source"`  // the URL of the source code
}

// The version of a build without build information.
const (
	unknownVersion = "0.0.0"
	unknownCommit  = "0000000000000000000000000000000000000000"
	ownSource      = "https://github.com/vepverify/vepverify"
)

// validate returns an error if a field does not have the form that monitoring reads.
func (v Version) validate() error {
	switch {
	case !isVersion(v.Version):
		return errors.New("verifyapi: Version.Version: not digits and dots")
	case v.Commit != "" && !isCommit(v.Commit):
		return errors.New("verifyapi: Version.Commit: not 40 lower-case hex digits")
	}
	return nil
}

// isVersion reports whether s consists of digits and dots.
func isVersion(s string) bool { return strings.Trim(s, "0123456789.") == "" }

// isCommit reports whether s consists of 40 lower-case hex digits.
func isCommit(s string) bool {
	return len(s) == len(unknownCommit) && strings.Trim(s, "0123456789abcdef") == ""
}

// withDefaults fills empty fields from the build information.
func (v Version) withDefaults() Version {
	built := builtVersion(buildinfo.Read())
	return Version{cmp.Or(v.Version, built.Version), cmp.Or(v.Commit, built.Commit), cmp.Or(v.Source, built.Source)}
}

// builtVersion returns the version of a build in the form that monitoring reads. The version of
// the build may be v1.2.0, v1.2.1-0.20260102150405-abcdef012345+dirty or (devel).
func builtVersion(info buildinfo.Info) Version {
	v := Version{unknownVersion, unknownCommit, ownSource}
	if version := strings.TrimPrefix(info.Version, "v"); version != "" && isVersion(version) {
		v.Version = version
	}
	if isCommit(info.Commit) {
		v.Commit = info.Commit
	}
	if info.Module != "" {
		v.Source = "https://" + info.Module
	}
	return v
}
