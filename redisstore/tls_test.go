package redisstore_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// trusting returns a configuration that trusts an authority, and has a certificate of another
// if that is not nil.
func trusting(t *testing.T, a, own *redistest.Authority) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AppendCertsFromPEM(pem)
	if own != nil {
		cert, err := tls.LoadX509KeyPair(own.Issue())
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c
}

// withTLS returns a configuration of a store.
func withTLS(c *tls.Config) redisstore.Config {
	return redisstore.Config{Timeout: longTimeout.Timeout, TLS: func() *tls.Config { return c }}
}

// TestTLS checks a private authority and a client certificate with one server, a Cluster, and
// Sentinels.
func TestTLS(t *testing.T) {
	t.Parallel()
	a := redistest.NewAuthority(t)
	good := withTLS(trusting(t, a, a))
	t.Run("server", func(t *testing.T) { testTLSServer(t, a, good) })
	t.Run("renewed", func(t *testing.T) { testTLSRenewed(t, a) })
	t.Run("Cluster", func(t *testing.T) { testTLSCluster(t, a, good) })
	t.Run("Sentinel", func(t *testing.T) { testTLSSentinel(t, a, good) })
}

// testTLSServer checks one server, and the causes of failed handshakes.
func testTLSServer(t *testing.T, a *redistest.Authority, good redisstore.Config) {
	server := redistest.StartTLS(t, a)
	useAll(t, open(t, "rediss://"+server.TLSAddr(), good), newKeys("server"))
	_, port, _ := strings.Cut(server.TLSAddr(), ":")
	useAll(t, open(t, "rediss://localhost:"+port, good), newKeys("localhost"))
	other := redistest.NewAuthority(t)
	for cause, c := range map[string]redisstore.Config{
		"TLS certificate of an unknown authority": withTLS(trusting(t, other, a)),
		"does the server want a client cert":      withTLS(trusting(t, a, nil)),
		"or another one?":                         withTLS(trusting(t, a, other)),
		"TLS certificate of another name":         withTLS(&tls.Config{RootCAs: trusting(t, a, a).RootCAs, ServerName: "redis.example"}),
	} {
		expectCause(t, open(t, "rediss://"+server.TLSAddr(), c), cause)
	}
	expectCause(t, open(t, "rediss://"+server.TLSAddr(), withTLS(nil)), "TLS certificate of an unknown authority")
}

// testTLSRenewed checks that new connections use the current configuration.
func testTLSRenewed(t *testing.T, a *redistest.Authority) {
	server := redistest.StartTLS(t, a)
	var current atomic.Pointer[tls.Config]
	current.Store(trusting(t, redistest.NewAuthority(t), nil))
	s := open(t, "rediss://"+server.TLSAddr(), redisstore.Config{Timeout: longTimeout.Timeout, TLS: current.Load})
	expectError(t, s, "key")
	current.Store(trusting(t, a, a))
	awaitWorking(t, s)
}

// testTLSCluster checks that a client reaches all nodes with TLS.
func testTLSCluster(t *testing.T, a *redistest.Authority, good redisstore.Config) {
	c := redistest.StartClusterTLS(t, a, 3, 1)
	var hosts []string
	for _, node := range c.Nodes {
		hosts = append(hosts, node.TLSAddr())
	}
	s := open(t, "rediss://"+strings.Join(hosts, ","), good)
	useAll(t, s, newKeys("cluster"))
	if found := findings(t, s); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	expectCause(t, open(t, "rediss+cluster://"+hosts[0], withTLS(trusting(t, a, nil))), "client certificate")
}

// testTLSSentinel checks the Sentinels, the servers, and a failover.
func testTLSSentinel(t *testing.T, a *redistest.Authority, good redisstore.Config) {
	master := redistest.StartTLS(t, a, "--tls-replication", "yes")
	replica := redistest.StartReplicaTLS(t, a, master)
	sentinels := redistest.StartSentinelsTLS(t, a, "m", master.TLSAddr(), 1)
	var hosts []string
	for _, node := range sentinels.Nodes {
		hosts = append(hosts, node.TLSAddr())
	}
	s := open(t, "rediss+sentinel://"+strings.Join(hosts, ",")+"/m", good)
	useAll(t, s, newKeys("sentinel"))
	replicated(t, master, 1)
	do(t, replica, "config", "set", "appendonly", "no")
	if found := findings(t, s); len(found) != 1 || found[replica.TLSAddr()+" appendonly"] != "no" {
		t.Errorf("found %v", found)
	}
	master.Kill()
	sentinels.AwaitMaster(t, replica.TLSAddr())
	awaitWorking(t, s)
	if again := acceptedAgain(t, s, newKeys("sentinel")); len(again) > 0 {
		t.Errorf("accepted again: %q", again)
	}
	expectCause(t, open(t, "redis+sentinel://"+hosts[0]+"/m", redisstore.Config{Timeout: 5 * time.Second}), "Sentinel")
}

func TestTLSConfigErrors(t *testing.T) {
	c := withTLS(&tls.Config{})
	for _, url := range []string{"redis://localhost", "unix:///run/redis.sock", "redis://a:1,b:2", "redis+sentinel://a:1/m"} {
		if s, err := redisstore.Open(url, c); err == nil || s != nil || !strings.HasPrefix(err.Error(), "redisstore: TLS: ") {
			t.Errorf("%s: %v", url, err)
		}
	}
	open(t, "rediss://localhost", c)
	if s, err := redisstore.New(client(t, redistest.Start(t)), c); err == nil || s != nil || !strings.HasPrefix(err.Error(), "redisstore: TLS: ") {
		t.Errorf("New: %v", err)
	}
}
