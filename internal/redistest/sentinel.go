package redistest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Sentinels are three Sentinels which monitor a master under a name.
type Sentinels struct {
	Nodes []*Server
	name  string
}

// StartSentinels starts three Sentinels for a master, and waits until they know each other and
// that number of replicas. They begin a failover when two of them have not reached the master
// for half a second. The configuration can have further lines.
func StartSentinels(t testing.TB, name, master string, replicas int, config ...string) *Sentinels {
	t.Helper()
	return startSentinels(t, name, master, replicas, 0, config)
}

// StartSentinelsTLS starts Sentinels which speak TLS with the servers, with each other, and with
// clients at their TLSAddr.
func StartSentinelsTLS(t testing.TB, a *Authority, name, master string, replicas int) *Sentinels {
	t.Helper()
	config := []string{"tls-replication yes"}
	for args := a.serverArgs(); len(args) > 0; args = args[2:] {
		config = append(config, strings.TrimPrefix(args[0], "--")+" "+args[1])
	}
	return startSentinels(t, name, master, replicas, 1, config)
}

func startSentinels(t testing.TB, name, master string, replicas, tlsPort int, config []string) *Sentinels {
	t.Helper()
	host, port, _ := strings.Cut(master, ":")
	text := strings.Join(append([]string{
		"sentinel monitor " + name + " " + host + " " + port + " 2",
		"sentinel down-after-milliseconds " + name + " 500",
		"sentinel failover-timeout " + name + " 5000",
	}, config...), "\n")
	s := &Sentinels{name: name}
	for range 3 {
		s.Nodes = append(s.Nodes, start(t, Server{config: text, tlsPort: tlsPort}))
	}
	for _, node := range s.Nodes { // otherwise 10 s and 2 s
		run(t, node, "sentinel", "debug", "info-period", 500, "publish-period", 500)
	}
	for _, node := range s.Nodes {
		c := redis.NewSentinelClient(&redis.Options{Addr: node.Addr(), ContextTimeoutEnabled: true, DisableIdentity: true})
		defer c.Close()
		await(t, "the Sentinels know all servers", func() bool {
			state, err := c.Master(t.Context(), name).Result()
			return err == nil && state["flags"] == "master" && state["num-other-sentinels"] == "2" && state["num-slaves"] == strconv.Itoa(replicas) && c.CkQuorum(t.Context(), name).Err() == nil
		})
	}
	return s
}

// Addrs returns the addresses of the Sentinels, separated by commas.
func (s *Sentinels) Addrs() string { return addrs(s.Nodes) }

// URL returns redis+sentinel:// with the addresses and the name of the master.
func (s *Sentinels) URL() string { return "redis+sentinel://" + s.Addrs() + "/" + s.name }

// AwaitMaster waits until all Sentinels that run name the address as that of the master.
func (s *Sentinels) AwaitMaster(t testing.TB, addr string) {
	t.Helper()
	for _, node := range s.Nodes {
		if node.process == nil {
			continue
		}
		c := redis.NewSentinelClient(&redis.Options{Addr: node.Addr(), ContextTimeoutEnabled: true, DisableIdentity: true})
		defer c.Close()
		await(t, addr+" is the master", func() bool {
			found, err := c.GetMasterAddrByName(t.Context(), s.name).Result()
			return err == nil && strings.Join(found, ":") == addr
		})
	}
}
