package redisstore_test

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// expectCause fails the test unless the errors of FirstUse and of Check name a cause, have
// one class, and contain neither a password nor the name of an entry.
func expectCause(t *testing.T, s *redisstore.Store, cause string) {
	t.Helper()
	_, checked := s.Check(t.Context())
	classes := make(map[string]bool)
	for _, err := range []error{expectError(t, s, "key"), checked, expectError(t, s, "another key")} {
		if err == nil || !strings.Contains(err.Error(), cause) {
			t.Errorf("error %v, want %q", err, cause)
			continue
		}
		var classified loglimit.Classified
		if !errors.As(err, &classified) {
			t.Fatalf("%v has no class", err)
		}
		class, name := classified.LogClass()
		if classes[class] = true; class == "" || name != "" || len(classes) > 1 {
			t.Errorf("%v: the class is %q, the name %q", err, class, name)
		}
		for _, secret := range []string{"s3cret", "vepverify:check", "vepverify:LHDh"} {
			if strings.Contains(err.Error()+class, secret) {
				t.Errorf("the error contains %q: %v", secret, err)
			}
		}
	}
}

// TestCauses checks that errors name the cause for which a real server refuses the command.
func TestCauses(t *testing.T) {
	server := redistest.Start(t, "--databases", "4")
	admin := client(t, server)
	do := func(args ...any) {
		t.Helper()
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(args, err)
		}
	}
	for _, c := range []struct {
		cause      string
		begin, end []any
		user, path string
		config     redisstore.Config
	}{
		{"refused the command: READONLY: the server is a read-only replica", []any{"replicaof", "127.0.0.1", "1"}, []any{"replicaof", "no", "one"}, "", "", refusedTimeout},
		{"refused the command: OOM: the server is full", []any{"config", "set", "maxmemory", "1"}, []any{"config", "set", "maxmemory", "0"}, "", "", longTimeout},
		{"refused the command: NOREPLICAS: fewer replicas", []any{"config", "set", "min-replicas-to-write", "1"}, []any{"config", "set", "min-replicas-to-write", "0"}, "", "", refusedTimeout},
		{"refused the command: ERR: the server has no database of that number", []any{"ping"}, []any{"ping"}, "", "/9", longTimeout},
		{"refused the command: WRONGPASS: wrong user or password", []any{"ping"}, []any{"ping"}, "unknown:s3cret@", "", longTimeout},
		{"refused the command: WRONGPASS: wrong user or password", []any{"acl", "setuser", "off", "off", ">s3cret"}, []any{"acl", "deluser", "off"}, "off:s3cret@", "", longTimeout},
		{"no answer in time", []any{"client", "pause", "100000", "write"}, []any{"client", "unpause"}, "", "", redisstore.Config{Timeout: 200 * time.Millisecond}},
		{"refused the command: NOAUTH: the server wants a password", []any{"config", "set", "requirepass", "x"}, []any{"ping"}, "", "", longTimeout},
		{"refused the command: WRONGPASS: wrong user or password", []any{"ping"}, []any{"ping"}, ":s3cret@", "", longTimeout},
	} {
		do(c.begin...)
		expectCause(t, open(t, "redis://"+c.user+server.Addr()+c.path, c.config), "redis at "+server.Addr()+": "+c.cause)
		do(c.end...)
	}
}

func TestTooManyClients(t *testing.T) {
	server := redistest.Start(t, "--maxclients", "1")
	for range 100 { // until the connections of redistest are closed
		conn, err := net.Dial("tcp", server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		if _, err := io.ReadFull(conn, b); err == nil && b[0] == '+' {
			expectCause(t, open(t, server.URL(), longTimeout), "ERR: max number of clients reached")
			return
		}
	}
	t.Error("no connection")
}

func TestClusterNode(t *testing.T) {
	server := redistest.Start(t, "--cluster-enabled", "yes")
	expectCause(t, open(t, server.URL(), longTimeout), "CLUSTERDOWN: the server is a node of a cluster")
	expectCause(t, open(t, server.URL()+"/1", longTimeout), "ERR: a cluster has database 0 only")
}

// TestRefusalCauses checks the causes of refusals that are hard to bring about.
func TestRefusalCauses(t *testing.T) {
	for text, cause := range map[string]string{
		"MOVED 1234 s3cret:6379": "MOVED: the server is a node of a cluster", "ASK 1234 s3cret:6379": "ASK: the server is a node of a cluster",
		"CROSSSLOT Keys in request don't hash to the same slot":                                   "CROSSSLOT: the server is a node",
		"TRYAGAIN Multiple keys request during rehashing of slot":                                 "TRYAGAIN: the server is a node",
		"LOADING Redis is loading the dataset in memory":                                          "LOADING: the server loads its data",
		"MISCONF Redis is configured to save RDB snapshots":                                       "MISCONF: the server cannot write to its disk",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":        "MASTERDOWN: the server is a replica",
		"BUSY Redis is busy running a script.":                                                    "BUSY: a script",
		"DENIED Redis is running in protected mode":                                               "DENIED: the server is in protected mode and takes only local connections (give its default user a password: requirepass)",
		"NOPERM User s3cret has no permissions to access one of the keys used as arguments":       "NOPERM: the user may not use keys",
		"NOPERM User s3cret has no permissions to run the 'set' command":                          "NOPERM: the user may not run the command",
		"NOPERM User the-key'select' has no permissions to run the 'set' command":                 "NOPERM: the user may not run the command",
		"NOPERM User u has no permissions to run the 'select' command":                            "NOPERM: the user may not run SELECT",
		"NOPERM this user has no permissions to run the 'set' command or its subcommand":          "NOPERM: the user may not run the command",
		"NOPERM No permissions to access a key":                                                   "NOPERM: the user may not use keys",
		"NOPERM s3cret":                                                                           "NOPERM: the user lacks a permission",
		"ERR unknown command 'set', with args beginning with: 'vepverify:LHDh' 's3cret'":          "ERR: the server does not know the command",
		"ERR max number of clients + cluster connections reached":                                 "ERR: max number of clients",
		"ERR AUTH <password> called without any password configured for the default user: s3cret": "ERR: the server has no password",
		"ERR wrong number of arguments for 'auth' command":                                        "ERR: the server has no users",
		"ERR invalid password": "ERR: wrong password",
		"ERR s3cret":           "refused the command: ERR (look at the server's log)",
		"NEWCODE s3cret":       "refused the command: NEWCODE (look",
		"s3cret":               "an error without a code",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			expectCause(t, open(t, startFakeServer(t, "-"+text+"\r\n", false).url(), refusedTimeout), cause)
		})
	}
}

// TestNotRedis checks that errors tell what else is at the address.
func TestNotRedis(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	server := redistest.Start(t)
	stopped, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts connections, as for a process after SIGSTOP
	if err != nil {
		t.Fatal(err)
	}
	defer stopped.Close()
	short := redisstore.Config{Timeout: 300 * time.Millisecond}
	for name, c := range map[string]struct {
		url, cause string
		config     redisstore.Config
	}{
		"HTTP":           {"redis://:s3cret@" + plain.Listener.Addr().String(), "the answer is HTTP", longTimeout},
		"TLS over HTTP":  {"rediss://" + plain.Listener.Addr().String(), "no TLS spoken", longTimeout},
		"unknown CA":     {"rediss://" + secure.Listener.Addr().String(), "TLS certificate of an unknown authority", longTimeout},
		"plain over TLS": {"redis://" + secure.Listener.Addr().String(), "does it want TLS, rediss://?", longTimeout},
		"alert":          {startFakeServer(t, "\x15\x03\x03\x00\x02\x02\x46\r\n", true).url(), "the answer is TLS", longTimeout},
		"TLS over Redis": {"rediss://" + server.Addr(), "no connection in time", short},
		"other protocol": {startFakeServer(t, "SSH-2.0-s3cret\r\n", true).url(), "an answer that Redis does not send", longTimeout},
		"QUEUED":         {startFakeServer(t, "+QUEUED\r\n", false).url(), "an answer that Redis does not send", longTimeout},
		"closed":         {startFakeServer(t, "", true).url(), "the connection was closed before the answer", longTimeout},
		"stopped":        {"redis://" + stopped.Addr().String(), "no answer in time", short},
		"silent":         {startFakeServer(t, "", false).url(), "no answer in time", short},
		"refused":        {"redis://127.0.0.1:1", "127.0.0.1:1: connection refused", longTimeout},
		"no such host":   {"redis://not..a.name", "not..a.name:6379: no such host", longTimeout},
		"no socket":      {"unix://" + filepath.Join(t.TempDir(), "s"), "no such file or directory", longTimeout},
	} {
		t.Run(name, func(t *testing.T) { expectCause(t, open(t, c.url, c.config), c.cause) })
	}
}

// TestUnknownRefusalsShareAClass checks that a server cannot choose the classes of errors,
// which logs keep.
func TestUnknownRefusalsShareAClass(t *testing.T) {
	classes := make(map[string]bool)
	for _, code := range []string{"A", "B", "ERR x"} {
		err := expectError(t, open(t, startFakeServer(t, "-"+code+" s3cret\r\n", false).url(), longTimeout), "key")
		class, _ := err.(interface{ LogClass() (string, string) }).LogClass()
		classes[class] = true
	}
	if len(classes) != 1 {
		t.Errorf("%d classes: %v", len(classes), classes)
	}
}
