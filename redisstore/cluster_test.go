package redisstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// do sends a command to a server.
func do(t *testing.T, server *redistest.Server, args ...any) {
	t.Helper()
	if err := client(t, server).Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(args, err)
	}
}

// findings returns what Check reports, by server and setting, with the current values.
func findings(t *testing.T, s *redisstore.Store) map[string]string {
	t.Helper()
	found, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, m := range found {
		if !strings.HasPrefix(m.String(), "redis at "+m.Server) || m.Server == "" {
			t.Errorf("%+v is printed as %q", m, m)
		}
		got[m.Server+" "+m.Setting] = m.Got
	}
	return got
}

// prefixOf returns a prefix whose entries all are in a slot of the first master of three.
func prefixOf(t *testing.T, node *redistest.Server) string {
	t.Helper()
	for i := range 100 {
		prefix := fmt.Sprintf("vepverify:{%d}", i)
		slot, err := client(t, node).ClusterKeySlot(t.Context(), prefix).Result()
		if err != nil {
			t.Fatal(err)
		}
		if slot < 5000 {
			return prefix
		}
	}
	t.Fatal("no prefix")
	return ""
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	until := time.Now().Add(time.Hour)
	all := open(t, c.URL(), longTimeout)
	one := open(t, "redis+cluster://"+c.Replica(0).Addr(), longTimeout)
	for i := range 100 {
		expect(t, all, fmt.Sprint(i), until, true)
		expect(t, one, fmt.Sprint(i), until, false)
	}

	t.Run("check", func(t *testing.T) {
		if diff := cmp.Diff(map[string]string{}, findings(t, all)); diff != "" {
			t.Error(diff)
		}
		do(t, c.Masters()[1], "config", "set", "appendfsync", "everysec")
		do(t, c.Replica(2), "config", "set", "appendonly", "no")
		want := map[string]string{c.Masters()[1].Addr() + " appendfsync": "everysec", c.Replica(2).Addr() + " appendonly": "no"}
		if diff := cmp.Diff(want, findings(t, one)); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("client of the program", func(t *testing.T) {
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Nodes[0].Addr()}, ContextTimeoutEnabled: true})
		defer client.Close()
		s, err := redisstore.New(client, longTimeout)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, s, "0", until, false)
		expect(t, s, "new", until, true)
	})

	t.Run("each master is checked", func(t *testing.T) {
		do(t, c.Masters()[2], "config", "set", "maxmemory", "1")
		_, err := all.Check(t.Context())
		if want := "redis at " + c.Masters()[2].Addr() + ": refused the command: OOM"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check: %v, want %s", err, want)
		}
		do(t, c.Masters()[2], "config", "set", "maxmemory", "0")
	})

	t.Run("one URL of a node", func(t *testing.T) {
		for _, node := range c.Masters() {
			s := open(t, node.URL(), longTimeout)
			awaitCause(t, s, node.Addr()+": refused the command: MOVED: the server is a node of a cluster (list several of its nodes, redis://host:7000,")
		}
	})

	t.Run("a server without cluster mode", func(t *testing.T) {
		expectCause(t, open(t, "redis+cluster://"+redistest.Start(t).Addr(), longTimeout), "the server is not a node of a cluster (for one server, name one host")
	})

	t.Run("permissions", func(t *testing.T) { testClusterPermissions(t, c) })
	t.Run("moved slot", func(t *testing.T) { testMovedSlot(t, c) })
}

// testClusterPermissions checks that the documented permissions are enough, and what errors say
// if one is missing.
func testClusterPermissions(t *testing.T, c *redistest.Cluster) {
	for name, test := range map[string]struct {
		rights []any
		cause  string
	}{
		"documented": {[]any{"+set", "+asking", "+cluster|slots", "+config|get"}, ""},
		"fewest":     {[]any{"+set", "+cluster|slots"}, ""},
		"no slots":   {[]any{"+set", "+asking"}, "NOPERM: the user may not run CLUSTER SLOTS (allow the user +set, +cluster|slots, +asking and ~vepverify:*)"},
		"no SET":     {[]any{"+cluster|slots"}, "NOPERM: the user may not run the command (allow the user +set, +cluster|slots"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, node := range c.Nodes {
				do(t, node, append([]any{"acl", "setuser", "u", "reset", "on", ">s3cret", "~vepverify:*", "-@all"}, test.rights...)...)
			}
			s := open(t, "redis://u:s3cret@"+c.Addrs(), longTimeout)
			if test.cause != "" {
				expectCause(t, s, test.cause)
				return
			}
			useAll(t, s, newKeys(name))
			if _, err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	do(t, c.Nodes[0], "acl", "setuser", "u", ">other", "<s3cret")
	awaitCause(t, open(t, "redis://u:s3cret@"+c.Nodes[0].Addr()+","+c.Nodes[1].Addr(), longTimeout), "redis at "+c.Nodes[0].Addr()+": refused the command: WRONGPASS")
}

// testMovedSlot moves a slot with entries from one master to another. At no moment is an
// entry accepted again, or a new one refused.
func testMovedSlot(t *testing.T, c *redistest.Cluster) {
	from, to := c.Masters()[0], c.Masters()[1]
	prefix := prefixOf(t, from)
	slot := client(t, from).ClusterKeySlot(t.Context(), prefix).Val()
	for _, node := range c.Nodes {
		do(t, node, "acl", "setuser", "u", "reset", "on", ">pw", "~vepverify:*", "-@all", "+set", "+cluster|slots", "+asking")
	}
	s := open(t, "redis://u:pw@"+c.Addrs(), redisstore.Config{Timeout: longTimeout.Timeout, Prefix: prefix})
	before, during, after := newKeys("before"), newKeys("during"), newKeys("after")
	useAll(t, s, before)
	fromID, toID := client(t, from).ClusterMyID(t.Context()).Val(), client(t, to).ClusterMyID(t.Context()).Val()
	do(t, to, "cluster", "setslot", slot, "importing", fromID)
	do(t, from, "cluster", "setslot", slot, "migrating", toID)
	useAll(t, s, during) // ASK
	names, err := client(t, from).ClusterGetKeysInSlot(t.Context(), int(slot), 100).Result()
	if err != nil || len(names) != len(before) {
		t.Fatalf("%d entries at the source, %v", len(names), err)
	}
	for i, name := range names {
		if i == len(names)/2 {
			if again := acceptedAgain(t, s, append(before, during...)); len(again) > 0 {
				t.Errorf("accepted again while the slot moves: %q", again)
			}
		}
		do(t, from, "migrate", "127.0.0.1", to.Port(), name, 0, 5000)
	}
	for _, node := range []*redistest.Server{to, from, c.Masters()[2]} {
		do(t, node, "cluster", "setslot", slot, "node", toID)
	}
	useAll(t, s, after) // MOVED
	if again := acceptedAgain(t, s, append(append(before, during...), after...)); len(again) > 0 {
		t.Errorf("accepted again after the slot moved: %q", again)
	}
}

// TestClusterCheckServers: each check asks all masters, and names those that do not answer.
func TestClusterCheckServers(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 0, "--cluster-node-timeout", "60000")
	s := open(t, c.URL(), shortTimeout)
	awaitWorking(t, s)
	works, failing := c.Masters()[0], c.Masters()[1:]
	for _, node := range failing {
		node.Freeze()
		defer node.Thaw()
	}
	for range 3 {
		err := s.CheckServers(t.Context())
		if err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), works.Addr()) {
			t.Fatalf("CheckServers: %v", err)
		}
		for _, node := range failing {
			if want := "redis at " + node.Addr() + ": no answer in time"; !strings.Contains(err.Error(), want) {
				t.Errorf("CheckServers: %v, want %s", err, want)
			}
		}
	}
}

// TestClusterFailover ends a master under load.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1, "--cluster-node-timeout", "1000")
	s := open(t, c.URL(), shortTimeout)
	master := c.Masters()[0]
	checkFailover(t, s, c.Masters(), func() {
		master.Kill()
		c.AwaitFailover(t, c.Replica(0))
	}, master.Restart)
}

// TestClusterPlannedFailover exchanges a master and a replica under load, with the documented
// settings. Nothing is lost, and no use fails. A node that hears of the old master's new role first
// has no owner of its slots for a moment, and answers CLUSTERDOWN. The new master has no replica for
// a moment, and answers NOREPLICAS.
func TestClusterPlannedFailover(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 2, "--cluster-require-full-coverage", "no", "--min-replicas-to-write", "1")
	s := open(t, c.URL(), longTimeout)
	l := startTraffic(t, s)
	l.after(t, 500)
	do(t, c.Replica(0), "cluster", "failover")
	c.AwaitFailover(t, c.Replica(0))
	l.after(t, 500)
	if failures := l.failed(); failures != "" {
		t.Errorf("failures %s", failures)
	}
	c.Masters()[0].Kill() // now a replica, which may still redirect some uses
	all := l.after(t, 500)
	l.end()
	if again := acceptedAgain(t, s, all); len(again) > 0 {
		t.Errorf("%d accepted again", len(again))
	}
}

// TestClusterLoss: a use that the replica had not received is accepted again after a failover,
// and one that it had is not. With min-replicas-to-write, the first is not accepted at all.
func TestClusterLoss(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1, "--cluster-node-timeout", "2000")
	master, replica := c.Masters()[0], c.Replica(0)
	s := open(t, c.URL(), redisstore.Config{Timeout: 5 * time.Second, Prefix: prefixOf(t, master)})
	kept, lost := newKeys("kept"), newKeys("lost")
	useAll(t, s, kept)
	replicated(t, master, 1)

	do(t, master, "config", "set", "min-replicas-to-write", "1")
	cutReplica(t, master, replica)
	err := expectError(t, s, "refused")
	if want := "redis at " + master.Addr() + ": refused the command: NOREPLICAS"; !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	do(t, master, "config", "set", "min-replicas-to-write", "0")
	useAll(t, s, lost)
	master.Kill()
	replica.Thaw()
	c.AwaitFailover(t, replica)
	awaitWorking(t, s)
	if diff := cmp.Diff(lost, acceptedAgain(t, s, append(kept, lost...)), sorted); diff != "" {
		t.Error(diff)
	}
}

// TestClusterCutOff: a master that is cut off from the others accepts uses until it notices,
// after cluster-node-timeout. If a replica takes over, it does not have them.
func TestClusterCutOff(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1, "--cluster-node-timeout", "2000")
	master, replica := c.Masters()[0], c.Replica(0)
	s := open(t, "redis+cluster://"+master.Addr(), redisstore.Config{Timeout: 5 * time.Second, Prefix: prefixOf(t, master)})
	awaitWorking(t, s)
	replicated(t, master, 1)
	began := time.Now()
	cutReplica(t, master, replica)
	for _, node := range c.Nodes {
		if node != master && node != replica {
			node.Freeze()
		}
	}
	accepted := awaitCause(t, s, "redis at "+master.Addr()+": refused the command: CLUSTERDOWN: the cluster does not serve the key")
	t.Logf("accepted %d uses, for %v", len(accepted), time.Since(began))
	for _, key := range accepted { // all in vain: they are not known elsewhere
		expectError(t, s, key)
	}
	master.Kill()
	for _, node := range c.Nodes {
		if node != master {
			node.Thaw()
		}
	}
	c.AwaitFailover(t, replica)
	other := open(t, c.URL(), redisstore.Config{Timeout: 5 * time.Second, Prefix: prefixOf(t, replica)})
	awaitWorking(t, other)
	master.Restart() // it does not bring its entries back
	if diff := cmp.Diff(accepted, acceptedAgain(t, other, accepted), sorted); diff != "" {
		t.Error(diff)
	}
}
