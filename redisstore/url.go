package redisstore

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

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
	badScheme = "does not begin with redis:// or rediss:// (one server; a Cluster if several hosts follow), " +
		"redis+cluster://, redis+sentinel://, rediss+cluster://, rediss+sentinel:// or unix://"
	badPort     = "the port is not a number from 1 to 65535 (in a password, percent-encode special characters: %2F for /)"
	badOption   = "has an option other than db"
	badDatabase = "the database is not a number, as in redis://host:6379/0"
	badPath     = "has no path of a socket, as in unix:///run/redis/redis.sock"
	badList     = "the list of hosts is not host:port,host:port without blanks, after one scheme and one user, as in redis://user:password@a:7000,b:7001,c:7002 " +
		"(in a password, percent-encode special characters: %2F for /, %40 for @)"
	badClusterPath    = "something follows the hosts of a Cluster, which has no other databases and no options; if the server is not a Cluster, name one host only"
	badMaster         = "no name of the master follows the Sentinels, as in redis+sentinel://a:26379,b:26379/mymaster, or /mymaster/1 for database 1"
	badMasterOption   = "has an option other than sentinel_username and sentinel_password, or one of them twice, or a user of the Sentinels without a password"
	badMasterDatabase = "the database after the master is not a number, as in redis+sentinel://a:26379/mymaster/1"
)

// kind is which servers a store uses.
type kind int

const (
	single kind = iota
	cluster
	sentinel
)

// location is what a URL says: the servers, and how to log in. Of the options, it has those
// which the URL can set.
type location struct {
	kind
	tls     bool
	options redis.UniversalOptions
}

// listSchemes are the schemes after which a list of hosts may follow, and what they mean if
// there is one.
var listSchemes = map[string]location{
	"redis": {kind: cluster}, "rediss": {kind: cluster, tls: true},
	"redis+cluster": {kind: cluster}, "rediss+cluster": {kind: cluster, tls: true},
	"redis+sentinel": {kind: sentinel}, "rediss+sentinel": {kind: sentinel, tls: true},
}

// parseURL parses a URL. It returns the location, or the problem. It does not use errors of
// net/url and go-redis, because they quote the URL.
func parseURL(raw string) (location, string) {
	scheme, rest, isURL := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	l, takesList := listSchemes[scheme]
	user, hosts, tail := splitHosts(rest)
	several := strings.Contains(user, "@") && strings.Contains(user, ",") // a user for each host
	switch isList := several || strings.Contains(hosts, ","); {
	case isURL && !takesList && scheme != "unix":
		return location{}, badScheme
	case !takesList, !isList && !strings.Contains(scheme, "+"):
		return parseSingle(raw)
	}
	for host := range strings.SplitSeq(hosts, ",") {
		addr, ok := parseHost(host)
		if !ok || several || strings.Contains(tail, "://") {
			return location{}, badList
		}
		l.options.Addrs = append(l.options.Addrs, addr)
	}
	u, err := url.Parse("redis://" + user + "@host" + tail)
	if err != nil || u.Fragment != "" {
		return location{}, badURL
	}
	l.options.Username = u.User.Username()
	l.options.Password, _ = u.User.Password()
	if l.kind == cluster {
		return l, clusterProblem(u)
	}
	return l, l.parseMaster(u)
}

// splitHosts splits what follows the scheme. The user is without its last @.
func splitHosts(rest string) (user, hosts, tail string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndex(rest[:end], "@")
	if at < 0 {
		return "", rest[:end], rest[end:]
	}
	return rest[:at], rest[at+1 : end], rest[end:]
}

// parseHost returns the address of a host in a list. It must have a port.
func parseHost(text string) (addr string, ok bool) {
	u, err := url.Parse("redis://" + text)
	if err != nil || u.Host != text || u.Hostname() == "" || u.Port() == "" || !isPort(u.Port()) {
		return "", false
	}
	if strings.Contains(u.Hostname(), ":") && text[0] != '[' { // an IPv6 address needs brackets
		return "", false
	}
	return net.JoinHostPort(u.Hostname(), u.Port()), true
}

// clusterProblem returns the problem of what follows the hosts of a cluster, or "".
func clusterProblem(u *url.URL) string {
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery {
		return badClusterPath
	}
	return ""
}

// parseMaster adds what follows the addresses of Sentinels, and returns its problem, or "".
func (l *location) parseMaster(u *url.URL) (problem string) {
	name, db, hasDB := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if name == "" {
		return badMaster
	}
	l.options.MasterName = name
	if hasDB {
		n, err := strconv.ParseUint(db, 10, 31)
		if err != nil {
			return badMasterDatabase
		}
		l.options.DB = int(n)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return badURL
	}
	for option, values := range query {
		if option != "sentinel_username" && option != "sentinel_password" || len(values) > 1 {
			return badMasterOption
		}
	}
	l.options.SentinelUsername, l.options.SentinelPassword = query.Get("sentinel_username"), query.Get("sentinel_password")
	if l.options.SentinelUsername != "" && l.options.SentinelPassword == "" {
		return badMasterOption
	}
	return ""
}

// parseSingle parses the URL of one server as go-redis does, without its options: they are
// many, and some would weaken the guarantees.
func parseSingle(raw string) (location, string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return location{}, urlProblem(err)
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return location{}, badScheme
	case !strings.Contains(raw, "://") || u.Fragment != "":
		return location{}, badURL
	case !isPort(u.Port()):
		return location{}, badPort
	case u.Scheme == "unix" && u.Path == "":
		return location{}, badPath
	}
	for name := range u.Query() {
		if name != "db" {
			return location{}, badOption
		}
	}
	o, err := redis.ParseURL(raw)
	if err != nil || o.DB < 0 {
		return location{}, badDatabase
	}
	options := redis.UniversalOptions{Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, DB: o.DB}
	return location{tls: o.TLSConfig != nil, options: options}, ""
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
