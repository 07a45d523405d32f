package redisstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/internal/outbound"
)

// storeError is the error of a call without a clear answer. Its text is for the
// operator: the address of the server, the cause, and what to do. It has no text that
// the server chose, except the code of a refusal, because a server may repeat a command
// with its password.
//
// It has Is and As in place of Unwrap, so that the text of the error that it is made of
// does not get into a log: that of a TLS certificate contains the certificate's names.
type storeError struct {
	class string // of the cause, one of a few
	text  string
	from  error // nil if the server refused the command
}

// Error returns the cause and the advice.
func (e *storeError) Error() string { return e.text }

// Is reports whether the error that this one is made of matches target.
func (e *storeError) Is(target error) bool { return errors.Is(e.from, target) }

// As finds an error in the tree of the one that this one is made of.
func (e *storeError) As(target any) bool { return e.from != nil && errors.As(e.from, target) }

// LogClass returns by what logs limit repeated errors. It implements an interface of
// internal/loglimit.
func (e *storeError) LogClass() (class, name string) { return "redis " + e.class, "" }

// cause is why there is no clear answer, and what to do about it.
type cause struct{ what, advice string }

// server is what the errors of a store say about its server.
type server struct {
	addr, prefix string
	kind         kind
	ofSentinel   bool // the error is of a Sentinel, not of a server that has entries
}

// undecided returns the error of a call without a clear answer.
func (s server) undecided(err error) *storeError {
	var refused redis.Error
	var atConnect *connectRefusal
	switch {
	case s.kind == sentinel && isOfSentinels(err):
		return s.notDiscovered(err)
	case errors.As(err, &atConnect):
		return s.refused(atConnect.text)
	case errors.As(err, &refused):
		return s.refused(refused.Error())
	case isLocal(err):
		c := localCause(err)
		s.addr = cmp.Or(s.addr, remoteAddr(err))
		return s.newError(c.what, c, err)
	}
	return s.newError(strange(err).what, strange(err), nil)
}

// isOfSentinels reports whether the Sentinels have named no master. go-redis has no value for
// that error, only a text.
func isOfSentinels(err error) bool {
	return strings.HasPrefix(err.Error(), "redis: all sentinels ")
}

// notDiscovered returns the error for Sentinels that have named no master.
func (s server) notDiscovered(err error) *storeError {
	s.ofSentinel, s.addr = true, remoteAddr(err)
	var refused redis.Error
	switch {
	case errors.Is(err, redis.Nil):
		return s.newError(unknownMaster.what, unknownMaster, nil)
	case errors.As(err, &refused):
		return s.refused(refused.Error())
	case isLocal(err):
		c := localCause(err)
		return s.newError(c.what, c, err)
	}
	return s.newError(strange(err).what, strange(err), nil)
}

// unknownMaster is the answer of a Sentinel that monitors no master of the name.
var unknownMaster = cause{"no master of that name", "the name after the hosts must be the one after \"sentinel monitor\" in the configuration of the Sentinels"}

// newError returns an error about the server.
func (s server) newError(class string, c cause, from error) *storeError {
	text := "redis"
	if s.ofSentinel {
		text = "Sentinel"
		class = "Sentinel: " + class
	}
	if s.addr != "" {
		text += " at " + s.addr
	}
	text += ": " + c.what
	if c.advice != "" {
		text += " (" + c.advice + ")"
	}
	return &storeError{class, text, from}
}

// refused returns the error for a refusal. Text is that of the server.
func (s server) refused(text string) *storeError {
	code := errorCode(text)
	c, known := s.refusalCause(code, text)
	if !known { // the class does not have the code, which can be any word
		return s.newError("unknown refusal", cause{"refused the command: " + code, "look at the server's log"}, nil)
	}
	class := code + ": " + c.what
	return s.newError(class, cause{"refused the command: " + class, c.advice}, nil)
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

// refusal is the cause of refusals with a code whose text contains another text.
type refusal struct {
	code, contains string
	cause
}

// clusterRefusals are those of a node of a cluster for a client of the cluster.
var clusterRefusals = []refusal{
	{"CLUSTERDOWN", "", cause{"the cluster does not serve the key", "is a master down that has no replica, or is this node cut off from most masters? See CLUSTER INFO and CLUSTER NODES; a failover takes some seconds"}},
	{"MOVED", "", redirected}, {"ASK", "", redirected},
	{"READONLY", "", cause{"the server is a read-only replica", failingOver}},
	{"MASTERDOWN", "", cause{"the server is a replica that cannot reach its master", failingOver}},
	{"NOPERM", " run the 'cluster", cause{"the user may not run CLUSTER SLOTS", ""}},
	{"NOPERM", " run the 'asking'", cause{"the user may not run ASKING, which moving a slot needs", ""}},
	{"ERR", "cluster support disabled", cause{"the server is not a node of a cluster", "for one server, name one host: redis://host:6379"}},
}

const failingOver = "if a failover takes place, wait until the new master is known"

// redirected is the cause of a redirection after several others.
var redirected = cause{"the nodes redirect the command again and again", "do they agree about the slots? See CLUSTER NODES"}

// masterRefusals are those of the server that Sentinels have named.
var masterRefusals = []refusal{
	{"READONLY", "", cause{"the server is a read-only replica", failingOver}},
	{"MASTERDOWN", "", cause{"the server is a replica that cannot reach its master", failingOver}},
}

// sentinelRefusals are those of Sentinels.
var sentinelRefusals = []refusal{
	{"NOAUTH", "", cause{"the Sentinel wants a password", "add it after the master: ?sentinel_password=password, and &sentinel_username=user if it has users"}},
	{"WRONGPASS", "", cause{"wrong user or password for the Sentinel, or the user is disabled", "they are sentinel_username and sentinel_password in the URL; percent-encode special characters"}},
	{"NOPERM", "", cause{"the user lacks a permission of the Sentinel", "allow it +sentinel|get-master-addr-by-name, +sentinel|sentinels, +sentinel|replicas, +subscribe, +ping, and the channels &+switch-master and &+replica-reconf-done"}},
	{"ERR", "unknown command", cause{"the server is not a Sentinel", "for one server, use redis://host:6379; for a Cluster, redis://host:7000,host:7001"}},
	{"ERR", "AUTH", cause{"the Sentinel has no password, or no users, but the URL does", "remove sentinel_username and sentinel_password from the URL"}},
}

// refusals are the causes of refusals of any server. The first that applies counts.
var refusals = []refusal{
	{"READONLY", "", cause{"the server is a read-only replica", "use the address of its master"}},
	{"MASTERDOWN", "", cause{"the server is a replica that cannot reach its master", "use the address of the master"}},
	{"OOM", "", cause{"the server is full: it has used its maxmemory", "raise maxmemory; entries expire by themselves, so keep the policy noeviction"}},
	{"MISCONF", "", cause{"the server cannot write to its disk", "look at its log: is the disk full or read-only?"}},
	{"LOADING", "", cause{"the server loads its data", "wait until it has; nothing else is needed"}},
	{"BUSY", "", cause{"a script blocks the server", "see SCRIPT KILL"}},
	{"NOREPLICAS", "", cause{"fewer replicas are connected than min-replicas-to-write", "bring them back, or lower that setting"}},
	{"NOAUTH", "", cause{"the server wants a password", "add it to the URL: redis://user:password@host:port"}},
	{"WRONGPASS", "", cause{"wrong user or password, or the user is disabled", "percent-encode special characters of a password in a URL"}},
	{"DENIED", "", cause{"the server is in protected mode and takes only local connections", "give its default user a password: requirepass"}},
	{"MOVED", "", inCluster}, {"ASK", "", inCluster}, {"CROSSSLOT", "", inCluster}, {"TRYAGAIN", "", inCluster},
	{"CLUSTERDOWN", "", cause{"the server is a node of a cluster that does not serve all slots", inCluster.advice}},
	// The text of these may begin with the name of the user, which has no blanks.
	{"NOPERM", " run the 'select' ", cause{"the user may not run SELECT, which a database other than 0 needs", ""}},
	{"NOPERM", " run the '", cause{"the user may not run the command", ""}},
	{"NOPERM", " key", cause{"the user may not use keys with this prefix", ""}},
	{"NOPERM", "", cause{"the user lacks a permission", ""}},
	{"ERR", "max number of clients", cause{"max number of clients reached", "raise maxclients, or find the program that keeps its connections open"}},
	{"ERR", "DB index", cause{"the server has no database of that number", "the usual ones are 0 to 15"}},
	{"ERR", "SELECT is not allowed", cause{"a cluster has database 0 only", inCluster.advice}},
	{"ERR", "unknown command", cause{"the server does not know the command", "is it a Sentinel, a proxy, or a Redis with SET renamed? Use the address of a Redis server with SET"}},
	{"ERR", "AUTH", cause{"the server has no password, or no users, but the URL does", "remove it from the URL"}},
	{"ERR", "auth", cause{"the server has no users, only a password", "use redis://:password@host:port"}},
	{"ERR", "password", cause{"wrong password", "percent-encode special characters of a password in a URL"}},
}

// inCluster is the cause of redirections.
var inCluster = cause{"the server is a node of a cluster", "list several of its nodes, redis://host:7000,host:7001,host:7002, or name one as redis+cluster://host:7000"}

// refusalCause returns the cause of a refusal.
func (s server) refusalCause(code, text string) (c cause, known bool) {
	for _, r := range s.refusals() {
		if r.code != code || !strings.Contains(text, r.contains) {
			continue
		}
		if code == "NOPERM" && r.advice == "" {
			r.advice = s.permissions()
		}
		return r.cause, true
	}
	return cause{}, false
}

// refusals returns the causes of refusals of this kind of server.
func (s server) refusals() []refusal {
	switch {
	case s.ofSentinel:
		return slices.Concat(sentinelRefusals, refusals)
	case s.kind == sentinel:
		return slices.Concat(masterRefusals, refusals)
	case s.kind == cluster:
		return slices.Concat(clusterRefusals, refusals)
	}
	return refusals
}

// permissions returns the advice for a user who lacks some.
func (s server) permissions() string {
	if s.kind == cluster {
		return fmt.Sprintf("allow the user +set, +cluster|slots, +asking and ~%s*", s.prefix)
	}
	return fmt.Sprintf("allow the user +set and ~%s*, and +select for a database other than 0", s.prefix)
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

// localCause returns the cause of an error that was made on this side.
func localCause(err error) cause {
	switch {
	case errors.Is(err, context.Canceled):
		return cause{"the caller did not wait for the answer", ""}
	case errors.Is(err, redis.ErrClosed):
		return cause{"the store is closed", ""}
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return cause{"all connections are in use", "the server is too slow for so many calls at once"}
	}
	switch failure := outbound.Classify(err); failure {
	case outbound.TimedOut:
		return timeoutCause(err)
	case outbound.NoSuchHost, outbound.DNSFailed:
		return cause{failure.String(), "check the host's name, and this machine's DNS"}
	case outbound.ConnectionRefused:
		return cause{failure.String(), "does the server run, and listen at this address?"}
	case outbound.NotTLS:
		return tlsRecordCause(err)
	case outbound.CertificateExpired, outbound.CertificateName, outbound.CertificateInvalid, outbound.CertificateAuthority:
		return cause{failure.String(), "the certificate must be for the host of the URL, or for the address by which a Cluster or Sentinels name the server, and of a trusted authority; a private one must be configured"}
	case outbound.HandshakeFailed:
		return cause{failure.String(), "does the server want a client certificate, or another one? It does unless its tls-auth-clients is no or optional"}
	case outbound.ClosedEarly:
		return closed
	}
	return systemCause(err)
}

// closed is the cause of a connection that ended before the answer.
var closed = cause{"the connection was closed before the answer",
	"did the server stop, has it as many clients as its maxclients, or does it want TLS, rediss://?"}

// timeoutCause returns the cause of a timeout. Those of reads and writes match
// os.ErrDeadlineExceeded; the others are of connecting.
func timeoutCause(err error) cause {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return slow
	}
	return cause{"no connection in time",
		"is the address right, does a firewall drop packets to it, and does the server speak TLS if the URL is rediss://?"}
}

// slow is the cause of an answer that is late.
var slow = cause{"no answer in time", "is the server overloaded, paused, or its disk slow?"}

// tlsRecordCause returns the cause of an answer that is not TLS. Redis refuses a client
// over its limit without TLS.
func tlsRecordCause(err error) cause {
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.RecordHeader[0] == '-' {
		return cause{"the server answered without TLS", "if it speaks TLS at this port, it has as many clients as its maxclients; if not, use redis://"}
	}
	return cause{outbound.NotTLS.String(), "does the server speak TLS at this port? If not, use redis://"}
}

// systemCause returns the cause of an error of the operating system.
func systemCause(err error) cause {
	var errno syscall.Errno
	switch {
	case errors.Is(err, syscall.EPIPE):
		return closed
	case errors.As(err, &errno):
		return cause{errno.Error(), "is the address right, and reachable from here?"}
	}
	return cause{"no connection", "is the address right, and reachable from here?"}
}

// notRedis is the cause of an answer that Redis does not send.
var notRedis = cause{"an answer that Redis does not send", "is something else than Redis at this address?"}

// strange returns the cause of an answer that go-redis cannot parse. The error of go-redis
// quotes the answer, so that its text must not be logged.
func strange(err error) cause {
	contains := func(text string) bool { return strings.Contains(err.Error(), text) }
	switch {
	case contains(`"HTTP/`):
		return cause{"the answer is HTTP", "an HTTP server is at this address, not Redis"}
	case slices.ContainsFunc([]string{`"\x15\x03`, `"\x16\x03`}, contains): // a record of TLS: an alert or a handshake
		return cause{"the answer is TLS", "use rediss:// in place of redis://"}
	}
	return notRedis
}
