package redistest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Cluster is a Redis Cluster of masters, each with the same number of replicas.
type Cluster struct {
	Nodes   []*Server // the masters, then the replicas: that of master i first, round and round
	masters int
}

// StartCluster starts a cluster and waits until all nodes agree that it serves. The arguments
// are those of each node.
func StartCluster(t testing.TB, masters, replicas int, args ...string) *Cluster {
	t.Helper()
	return startCluster(t, masters, replicas, Server{args: args, busPort: 1})
}

// StartClusterTLS starts a cluster whose nodes speak TLS with each other, and with clients at
// their TLSAddr.
func StartClusterTLS(t testing.TB, a *Authority, masters, replicas int) *Cluster {
	t.Helper()
	args := append(a.serverArgs(), "--tls-cluster", "yes", "--tls-replication", "yes")
	return startCluster(t, masters, replicas, Server{args: args, busPort: 1, tlsPort: 1})
}

func startCluster(t testing.TB, masters, replicas int, like Server) *Cluster {
	t.Helper()
	c := &Cluster{masters: masters}
	like.args = append([]string{"--cluster-node-timeout", "5000", "--cluster-replica-validity-factor", "0"}, like.args...)
	for range masters * (1 + replicas) {
		c.Nodes = append(c.Nodes, start(t, like))
	}
	c.join(t)
	c.await(t, "all nodes know each other", func(info, nodes string) bool {
		return strings.Count(nodes, " connected") == len(c.Nodes) && !strings.Contains(nodes, "handshake")
	})
	for i, node := range c.Nodes[masters:] {
		run(t, node, "cluster", "replicate", run(t, c.Nodes[i%masters], "cluster", "myid"))
	}
	c.await(t, "the cluster serves", func(info, nodes string) bool {
		return strings.Contains(info, "cluster_state:ok") && strings.Count(nodes, " slave")+strings.Count(nodes, ",slave") == len(c.Nodes)-masters
	})
	for _, node := range c.Nodes[masters:] {
		awaitReplica(t, node)
	}
	for _, node := range c.Nodes { // a replica is named when it has received something
		await(t, "all replicas are known, node "+node.Addr(), func() bool {
			ranges, err := node.Client().Do(t.Context(), "cluster", "slots").Slice()
			return err == nil && !slices.ContainsFunc(ranges, func(r any) bool { return len(r.([]any)) != 3+replicas }) // first, last, nodes
		})
	}
	return c
}

// Masters returns the nodes that began as masters.
func (c *Cluster) Masters() []*Server { return c.Nodes[:c.masters] }

// Replica returns the first replica of the master with that number.
func (c *Cluster) Replica(master int) *Server { return c.Nodes[c.masters+master] }

// Addrs returns the addresses of all nodes, separated by commas.
func (c *Cluster) Addrs() string { return addrs(c.Nodes) }

// URL returns redis:// and the addresses.
func (c *Cluster) URL() string { return "redis://" + c.Addrs() }

// join distributes the slots and makes the nodes meet.
func (c *Cluster) join(t testing.TB) {
	t.Helper()
	const slots = 16384
	for i, node := range c.Nodes {
		run(t, node, "cluster", "set-config-epoch", i+1)
		if i < c.masters {
			run(t, node, "cluster", "addslotsrange", slots*i/c.masters, slots*(i+1)/c.masters-1)
		}
		for _, other := range c.Nodes[:i] {
			run(t, node, "cluster", "meet", "127.0.0.1", other.port, other.busPort)
		}
	}
}

// await waits until CLUSTER INFO and CLUSTER NODES of every node fulfil a condition.
func (c *Cluster) await(t testing.TB, what string, condition func(info, nodes string) bool) {
	t.Helper()
	for _, node := range c.Nodes {
		await(t, fmt.Sprintf("%s, node %s", what, node.Addr()), func() bool {
			return condition(run(t, node, "cluster", "info"), run(t, node, "cluster", "nodes"))
		})
	}
}

// AwaitFailover waits until a node is a master and the others that run know it.
func (c *Cluster) AwaitFailover(t testing.TB, node *Server) {
	t.Helper()
	for _, other := range c.Nodes {
		if other.process == nil {
			continue
		}
		await(t, node.Addr()+" takes over, node "+other.Addr(), func() bool {
			for line := range strings.Lines(run(t, other, "cluster", "nodes")) {
				if strings.Contains(line, " "+node.Addr()+"@") {
					return strings.Contains(line, "master") && strings.Contains(line, "-") && strings.Contains(run(t, other, "cluster", "info"), "cluster_state:ok")
				}
			}
			return false
		})
	}
}

// awaitReplica waits until a replica is in step with its master.
func awaitReplica(t testing.TB, replica *Server) {
	t.Helper()
	await(t, "replica "+replica.Addr(), func() bool {
		return strings.Contains(run(t, replica, "info", "replication"), "master_link_status:up")
	})
}

// await waits until a condition is true.
func await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * startTimeout); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// run sends a command and returns the text of its answer. It ends the test at an error.
func run(t testing.TB, s *Server, args ...any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c := s.Client()
	defer c.Close()
	text, err := c.Do(ctx, args...).Text()
	if err != nil {
		t.Fatalf("%s: %v: %v", s.Addr(), args, err)
	}
	return text
}

// addrs returns the addresses of servers, separated by commas.
func addrs(servers []*Server) string {
	var all []string
	for _, s := range servers {
		all = append(all, s.Addr())
	}
	return strings.Join(all, ",")
}

// StartReplica starts a replica of the server at an address, and waits until it is in step.
func StartReplica(t testing.TB, master string, args ...string) *Server {
	t.Helper()
	replica := Start(t, append([]string{"--replicaof", strings.Replace(master, ":", " ", 1)}, args...)...)
	awaitReplica(t, replica)
	return replica
}

// StartReplicaTLS is StartReplica for a server that StartTLS started with "--tls-replication",
// "yes".
func StartReplicaTLS(t testing.TB, a *Authority, master *Server) *Server {
	t.Helper()
	replica := StartTLS(t, a, "--tls-replication", "yes", "--replicaof", strings.Replace(master.TLSAddr(), ":", " ", 1))
	awaitReplica(t, replica)
	return replica
}
