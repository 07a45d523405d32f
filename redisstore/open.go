package redisstore

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Open returns a store for the server at a URL. The server need not be up.
//
//	redis://user:password@host:6379/0
//	rediss://host:6379                  TLS, the certificate is verified
//	unix:///run/redis/redis.sock?db=0
//
// User, password, port and database are optional. Special characters in a
// password are percent-encoded. Other options than db are errors; for others,
// such as TLS with a client certificate, use New.
//
// If it does not accept the URL, Open returns a [*URLError]. No error of this package
// contains the URL or its password.
func Open(rawURL string, c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	options, problem := parseURL(rawURL)
	if problem != "" {
		return nil, &URLError{problem}
	}
	setOptions(options, c.Timeout)
	return &Store{client: redis.NewClient(options), own: true, config: c}, nil
}

// URLError is the error of Open for a URL that it does not accept.
type URLError struct {
	Problem string // for people, such as "the port is not a number from 1 to 65535"
}

// Error returns the problem.
func (e *URLError) Error() string { return "redisstore: URL: " + e.Problem }

// The problems of a URL. They do not repeat any part of it, because a password with
// special characters can look like any part.
const (
	badURL = "not a URL of Redis, such as redis://user:password@host:6379 " +
		"(in a password, percent-encode special characters: %2F for /, %40 for @, %23 for #, %25 for %)"
	badScheme   = "does not begin with redis://, rediss:// or unix://"
	badPort     = "the port is not a number from 1 to 65535 (in a password, percent-encode special characters: %2F for /)"
	badOption   = "has an option other than db"
	badDatabase = "the database is not a number, as in redis://host:6379/0"
	badPath     = "has no path of a socket, as in unix:///run/redis/redis.sock"
)

// parseURL parses a URL as go-redis does, without its options: they are many, and
// some would weaken the guarantees. It returns the options, or the problem. It does not
// use errors of go-redis, because they quote the URL.
func parseURL(raw string) (*redis.Options, string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, urlProblem(err)
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return nil, badScheme
	case !strings.Contains(raw, "://") || u.Fragment != "":
		return nil, badURL
	case !isPort(u.Port()):
		return nil, badPort
	case u.Scheme == "unix" && u.Path == "":
		return nil, badPath
	}
	for name := range u.Query() {
		if name != "db" {
			return nil, badOption
		}
	}
	options, err := redis.ParseURL(raw)
	if err != nil || options.DB < 0 {
		return nil, badDatabase
	}
	return options, ""
}

// urlProblem returns the problem of a URL that net/url does not parse. It reports a port
// that is not a number by text alone.
func urlProblem(err error) string {
	if strings.Contains(err.Error(), "invalid port") {
		return badPort
	}
	return badURL
}

// isPort reports whether s is empty or a port other than 0.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

// setOptions sets the options that differ from the defaults of go-redis.
func setOptions(o *redis.Options, timeout time.Duration) {
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	o.Dialer = newDialer(o).dial
	// If Redis is down, fail at once; the next call tries again.
	o.MaxRetries, o.DialerRetries = -1, 1
	// Calls that wait at the same time share a flush to the server's disk.
	o.PoolSize = 64
	// A firewall may drop idle connections silently.
	o.ConnMaxIdleTime = time.Minute
	// Commands that servers need not know, and users need not be allowed.
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
