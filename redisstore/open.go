package redisstore

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Open makes a store of the server at the URL given, which need not be up:
//
//	redis://user:password@host:6379/0
//	rediss://host:6379                  TLS, the certificate verified
//	unix:///run/redis/redis.sock?db=0
//
// User, password, port and database may be left out. Special characters in a
// password are percent-encoded. No option but db is taken; who needs others,
// such as TLS with a client's certificate, gives New a client.
//
// No error of this package holds the URL or its password.
func Open(rawURL string, c Config) (*Store, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	options, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	tune(options, c.Timeout)
	return &Store{client: redis.NewClient(options), own: true, config: c}, nil
}

var errURL = errors.New("not a Redis URL, redis://, rediss:// or unix:// " +
	"(special characters of a password need percent-encoding, and there are no options but db)")

// parseURL reads a URL as go-redis does, without its options: they are many, and some
// would weaken what the store promises. The causes of errors would quote
// the URL.
func parseURL(raw string) (*redis.Options, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Fragment != "" || !validPort(u.Port()) {
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

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

// tune sets what go-redis would set otherwise.
func tune(o *redis.Options, timeout time.Duration) {
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	// When Redis is down, say so at once; the next call tries again.
	o.MaxRetries, o.DialerRetries = -1, 1
	// Calls that wait together share a flush to the server's disk.
	o.PoolSize = 64
	// What stands between may drop an idle connection without a word.
	o.ConnMaxIdleTime = time.Minute
	// Commands that servers need not know, and users need not be allowed.
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
