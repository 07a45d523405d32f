package redisstore_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// startMonitored starts a master with a replica, and the Sentinels that monitor it by a name.
func startMonitored(t *testing.T, name string) (master, replica *redistest.Server, sentinels *redistest.Sentinels) {
	t.Helper()
	master = redistest.Start(t)
	replica = redistest.StartReplica(t, master.Addr())
	return master, replica, redistest.StartSentinels(t, name, master.Addr(), 1)
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	master, replica, sentinels := startMonitored(t, "mymaster")
	s := open(t, sentinels.URL(), longTimeout)
	useAll(t, s, newKeys("a"))
	if again := acceptedAgain(t, open(t, master.URL(), longTimeout), newKeys("a")); len(again) > 0 {
		t.Errorf("not at the master: %q", again)
	}
	expect(t, open(t, sentinels.URL()+"/1", longTimeout), "a 0", time.Now().Add(time.Hour), true)

	t.Run("check", func(t *testing.T) { testSentinelCheck(t, s, master, replica, sentinels) })
	t.Run("errors", func(t *testing.T) { testSentinelErrors(t, s, master, sentinels) })
	t.Run("users", func(t *testing.T) { testSentinelUsers(t, master, replica, sentinels) })
}

// testSentinelCheck checks that Check reads the settings of the replicas too.
func testSentinelCheck(t *testing.T, s *redisstore.Store, master, replica *redistest.Server, sentinels *redistest.Sentinels) {
	if diff := cmp.Diff(map[string]string{}, findings(t, s)); diff != "" {
		t.Error(diff)
	}
	do(t, replica, "config", "set", "appendonly", "no")
	do(t, master, "config", "set", "appendfsync", "no")
	want := map[string]string{master.Addr() + " appendfsync": "no", replica.Addr() + " appendonly": "no"}
	if diff := cmp.Diff(want, findings(t, s)); diff != "" {
		t.Error(diff)
	}
	second := redistest.StartReplica(t, master.Addr())
	c := client(t, sentinels.Nodes[0])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // INFO every 10 s
		if text := c.Do(t.Context(), "sentinel", "replicas", "mymaster").String(); strings.Contains(text, second.Addr()) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the Sentinel does not find the second replica")
		}
	}
	one := open(t, "redis+sentinel://"+sentinels.Nodes[0].Addr()+"/mymaster", longTimeout)
	for _, addr := range []string{master.Addr(), replica.Addr(), second.Addr()} {
		want[addr+" min-replicas-to-write"] = "0"
	}
	if diff := cmp.Diff(want, findings(t, one)); diff != "" {
		t.Error(diff)
	}
}

// testSentinelErrors checks that errors say whether they are about a Sentinel or the server.
func testSentinelErrors(t *testing.T, s *redisstore.Store, master *redistest.Server, sentinels *redistest.Sentinels) {
	list := "redis+sentinel://" + sentinels.Addrs()
	expectCause(t, open(t, list+"/other", longTimeout), "Sentinel: no master of that name")
	expectCause(t, open(t, "redis+sentinel://"+master.Addr()+"/mymaster", longTimeout), "Sentinel: refused the command: ERR: the server is not a Sentinel")
	expectCause(t, open(t, "redis+sentinel://127.0.0.1:1/mymaster", longTimeout), "Sentinel at 127.0.0.1:1: connection refused")
	expectCause(t, open(t, list+"/mymaster/77", longTimeout), "ERR: the server has no database of that number")
	expectCause(t, open(t, "redis+sentinel://u:s3cret@"+sentinels.Addrs()+"/mymaster", longTimeout), "redis at "+master.Addr()+": refused the command: WRONGPASS")
	do(t, master, "config", "set", "maxmemory", "1")
	expectCause(t, s, "redis at "+master.Addr()+": refused the command: OOM")
	do(t, master, "config", "set", "maxmemory", "0")
	expectCause(t, open(t, "redis://"+sentinels.Nodes[0].Addr(), longTimeout), "is it a Sentinel")
}

// testSentinelUsers checks that the documented permissions are enough, and what errors say about
// others.
func testSentinelUsers(t *testing.T, master, replica *redistest.Server, sentinels *redistest.Sentinels) {
	for _, server := range []*redistest.Server{master, replica} {
		do(t, server, "acl", "setuser", "u", "on", ">data-pw", "~vepverify:*", "resetchannels", "-@all", "+set", "+config|get")
	}
	for _, server := range sentinels.Nodes {
		do(t, server, "acl", "setuser", "watcher", "on", ">sentinel-pw", "resetchannels", "&+switch-master", "&+replica-reconf-done", "-@all",
			"+sentinel|get-master-addr-by-name", "+sentinel|sentinels", "+sentinel|replicas", "+subscribe", "+ping")
		do(t, server, "acl", "setuser", "few", "on", ">sentinel-pw", "-@all", "+ping")
		do(t, server, "acl", "setuser", "default", "resetpass", ">default-pw")
	}
	list := "redis+sentinel://u:data-pw@" + sentinels.Addrs() + "/mymaster"
	s := open(t, list+"?sentinel_username=watcher&sentinel_password=sentinel-pw", longTimeout)
	useAll(t, s, newKeys("users"))
	if got := len(findings(t, s)); got == 0 {
		t.Error("the replicas are not checked")
	}
	useAll(t, open(t, list+"?sentinel_password=default-pw", longTimeout), newKeys("default"))
	expectCause(t, open(t, list, longTimeout), "Sentinel: refused the command: NOAUTH: the Sentinel wants a password (add it after the master: ?sentinel_password=")
	expectCause(t, open(t, list+"?sentinel_password=s3cret", longTimeout), "WRONGPASS: wrong user or password for the Sentinel")
	expectCause(t, open(t, list+"?sentinel_username=few&sentinel_password=sentinel-pw", longTimeout), "NOPERM: the user lacks a permission of the Sentinel (allow it +sentinel|get-master-addr-by-name")
}

// TestSentinelFailover ends the master, and one of the Sentinels, under load.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	master, replica, sentinels := startMonitored(t, "m")
	s := open(t, sentinels.URL(), shortTimeout)
	checkFailover(t, s, []*redistest.Server{master}, func() {
		sentinels.Nodes[1].Kill()
		master.Kill()
		sentinels.AwaitMaster(t, replica.Addr())
	}, master.Restart)
}

// awaitInStep waits until the only replica of a master has all that the master had at the
// beginning.
func awaitInStep(t *testing.T, master *redistest.Server) {
	t.Helper()
	want := -1
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		info := client(t, master).Info(t.Context(), "replication").Val()
		if want < 0 {
			want = numberAfter(t, info, "master_repl_offset:")
		}
		if numberAfter(t, info, ",offset=") >= want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not in step: %s", info)
		}
	}
}

// numberAfter returns the number after a name in a text.
func numberAfter(t *testing.T, text, name string) (n int) {
	t.Helper()
	_, rest, _ := strings.Cut(text, name)
	if _, err := fmt.Sscanf(rest, "%d", &n); err != nil {
		t.Fatalf("%s: %v in %s", name, err, text)
	}
	return n
}

// TestSentinelPlannedFailover exchanges master and replica under load, by the documented steps.
// Nothing is lost, because CLIENT PAUSE keeps clients from writing meanwhile.
func TestSentinelPlannedFailover(t *testing.T) {
	t.Parallel()
	master, replica, sentinels := startMonitored(t, "m")
	s := open(t, sentinels.URL(), shortTimeout)
	l := startTraffic(t, s)
	l.after(t, 500)
	do(t, master, "client", "pause", "20000", "write")
	awaitInStep(t, master)
	do(t, sentinels.Nodes[0], "sentinel", "failover", "m")
	sentinels.AwaitMaster(t, replica.Addr())
	l.after(t, 500)
	master.Kill() // now a replica
	all := l.after(t, 500)
	l.end()
	if again := acceptedAgain(t, s, all); len(again) > 0 {
		t.Errorf("accepted again: %d of %d; failures %v", len(again), len(all), l.failures)
	}
}

// TestSentinelLoss is like TestClusterLoss.
func TestSentinelLoss(t *testing.T) {
	t.Parallel()
	master, replica, sentinels := startMonitored(t, "m")
	s := open(t, sentinels.URL(), longTimeout)
	refused := open(t, sentinels.URL(), refusedTimeout)
	kept, lost := newKeys("kept"), newKeys("lost")
	useAll(t, s, kept)
	replicated(t, master, 1)
	do(t, master, "config", "set", "min-replicas-to-write", "1")
	cutReplica(t, master, replica)
	expectCause(t, refused, "redis at "+master.Addr()+": refused the command: NOREPLICAS")
	do(t, master, "config", "set", "min-replicas-to-write", "0")
	useAll(t, s, lost)
	master.Kill()
	replica.Thaw()
	sentinels.AwaitMaster(t, replica.Addr())
	awaitWorking(t, s)
	if diff := cmp.Diff(lost, acceptedAgain(t, s, append(kept, lost...)), sorted); diff != "" {
		t.Error(diff)
	}
}

// network is a forwarder to a server. When it is cut, what is sent gets lost, and the
// connections stay, as in a network that is cut.
type network struct {
	net.Listener
	cut   atomic.Bool
	wg    sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn
}

func forward(t *testing.T, to string) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{Listener: l}
	n.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if server, err := net.Dial("tcp", to); err == nil {
				n.join(conn, server)
			} else {
				conn.Close()
			}
		}
	})
	t.Cleanup(func() { l.Close(); n.closeAll(); n.wg.Wait() })
	return n
}

func (n *network) join(a, b net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, a, b)
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		n.wg.Go(func() {
			defer pair[1].Close()
			_, _ = io.Copy(&wire{n, pair[1]}, pair[0]) // it ends with a connection
		})
	}
}

// closeAll closes the connections.
func (n *network) closeAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		conn.Close()
	}
	n.conns = nil
}

// wire loses what is written to it while the network is cut.
type wire struct {
	network *network
	net.Conn
}

func (w *wire) Write(b []byte) (int, error) {
	if w.network.cut.Load() {
		return len(b), nil
	}
	return w.Conn.Write(b)
}

// TestSentinelCutOff: a master that is cut off from the Sentinels and the replica accepts uses
// of clients at its side, which the new master accepts too. With min-replicas-to-write, it does
// so for min-replicas-max-lag at most.
func TestSentinelCutOff(t *testing.T) {
	t.Parallel()
	for _, bounded := range []bool{false, true} {
		t.Run(fmt.Sprintf("min-replicas-to-write %v", bounded), func(t *testing.T) {
			t.Parallel()
			args := []string{"--min-replicas-max-lag", "2"}
			if bounded {
				args = append(args, "--min-replicas-to-write", "1")
			}
			master := redistest.Start(t, args...)
			link := forward(t, master.Addr())
			replica := redistest.StartReplica(t, link.Addr().String())
			sentinels := redistest.StartSentinels(t, "m", link.Addr().String(), 1)
			near := open(t, master.URL(), refusedTimeout) // a client at the master's side of the network
			replicated(t, master, 1)
			began := time.Now()
			link.cut.Store(true)
			var accepted []string
			if bounded {
				accepted = awaitCause(t, near, "NOREPLICAS")
				t.Logf("accepted %d uses, for %v", len(accepted), time.Since(began))
			}
			sentinels.AwaitMaster(t, replica.Addr())
			if !bounded {
				accepted = newKeys("both")
				useAll(t, near, accepted)
			}
			far := open(t, sentinels.URL(), longTimeout)
			awaitWorking(t, far)
			if diff := cmp.Diff(accepted, acceptedAgain(t, far, accepted), sorted); diff != "" {
				t.Error(diff)
			}
			// When the network is back, the Sentinels make the old master a replica.
			link.cut.Store(false)
			link.closeAll()
			awaitCause(t, near, "READONLY")
		})
	}
}

func TestSentinelStartsLater(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	redistest.StartReplica(t, master.Addr())
	sentinels := redistest.StartSentinels(t, "m", master.Addr(), 1)
	for _, node := range sentinels.Nodes {
		node.Kill()
	}
	s := open(t, sentinels.URL(), redisstore.Config{Timeout: 5 * time.Second})
	for range 100 { // more than go-redis dials before it waits
		if err := expectError(t, s, "key"); !strings.Contains(err.Error(), "Sentinel at 127.0.0.1:") {
			t.Fatal(err)
		}
	}
	sentinels.Nodes[2].Restart()
	awaitWorking(t, s)
}
