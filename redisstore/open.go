package redisstore

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
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
// No error of this package contains the URL or its password.
func Open(rawURL string, c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	options, err := parseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("redisstore: URL: %w", err)
	}
	setOptions(options, c.Timeout)
	return &Store{client: redis.NewClient(options), own: true, config: c}, nil
}

var errURL = errors.New("not a URL of Redis, redis://, rediss:// or unix:// " +
	"(percent-encode special characters of a password; db is the only option)")

// parseURL parses a URL as go-redis does, without its options: they are many, and
// some would weaken the guarantees. It does not wrap errors of go-redis, because
// they quote the URL.
func parseURL(raw string) (*redis.Options, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Fragment != "" || !isPort(u.Port()) {
		return nil, errURL
	}
	for name := range u.Query() {
		if name != "db" {
			return nil, errURL
		}
	}
	options, err := redis.ParseURL(raw)
	if err != nil || options.DB < 0 {
		return nil, errURL
	}
	return options, nil
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
