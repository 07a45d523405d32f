package redisstore

import (
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Open returns a store for the server at a URL, for a Redis Cluster, or for the server that
// Sentinels name. No server need be up.
//
//	redis://user:password@host:6379/0
//	rediss://host:6379                             TLS, the certificate is verified
//	unix:///run/redis/redis.sock?db=0
//	redis://user:password@a:7000,b:7001,c:7002     a Cluster; the nodes name the others
//	redis+cluster://a:7000                         a Cluster, of which one node is named
//	redis+sentinel://user:password@a:26379,b:26379/mymaster
//	redis+sentinel://a:26379/mymaster/1            database 1
//	rediss+cluster://, rediss+sentinel://          the same with TLS, also to the Sentinels
//
// User, password and database are optional, and so is the port of a single server. In a list,
// each host has a port. User and password are those of the servers. If Sentinels want their
// own, these follow the master as ?sentinel_username=user&sentinel_password=password.
// Special characters in a password are percent-encoded. Other options are errors; for others
// use New.
//
// If it does not accept the URL, Open returns a [*URLError]. No error of this package
// contains the URL or its password.
func Open(rawURL string, c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	at, problem := parseURL(rawURL)
	switch {
	case problem != "":
		return nil, &URLError{problem}
	case c.TLS != nil && !at.tls:
		return nil, errNoTLS
	}
	setOptions(&at.options, c.Timeout)
	at.options.Dialer = newDialer(at.tls, c).dial
	s := &Store{own: true, config: c, at: &at}
	s.connect()
	return s, nil
}

var errNoTLS = errors.New("redisstore: TLS: set, but the URL does not begin with rediss")

// connect sets the client of a store that Open returns.
func (s *Store) connect() {
	switch s.at.kind {
	case cluster:
		options := s.at.options.Cluster()
		options.DisableRoutingPolicies = true // each command has one key
		client := redis.NewClusterClient(options)
		client.OnNewNode(func(node *redis.Client) { node.AddHook(nodeHook(node.Options().Addr)) })
		s.client = client
	case sentinel:
		client := redis.NewFailoverClient(s.at.options.Failover())
		client.AddHook(&s.master)
		s.client = client
	default:
		s.client = redis.NewClient(s.at.options.Simple())
	}
}

// setOptions sets the options that differ from the defaults of go-redis.
func setOptions(o *redis.UniversalOptions, timeout time.Duration) {
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	// If Redis is down, fail at once; the next call tries again. The store itself sends a command
	// again that was refused for a moment.
	o.MaxRetries, o.DialerRetries = -1, 1
	// Calls that wait at the same time share a flush to the server's disk.
	o.PoolSize = 64
	o.PipelinePoolSize = -1 // no further connections
	// A firewall may drop idle connections silently.
	o.ConnMaxIdleTime = time.Minute
	// Commands that servers need not know, and users need not be allowed.
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
