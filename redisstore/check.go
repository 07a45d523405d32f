package redisstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Misconfiguration is a setting with which a server can lose entries, or that the
// server does not report.
type Misconfiguration struct {
	Server  string // its address; empty if it is not known, as with a client of New for Sentinel
	Setting string // as in redis.conf
	Want    string // the value with which the server loses no entry; of a number, the smallest one
	Got     string // empty means that the server does not report it
}

// String returns one line for an operator's log.
func (m Misconfiguration) String() string {
	at := "redis"
	if m.Server != "" {
		at += " at " + m.Server
	}
	if m.Got == "" {
		return fmt.Sprintf("%s does not report its setting of %s, which should be %s", at, m.Setting, m.Want)
	}
	return fmt.Sprintf("%s can lose entries: %s is %q and should be %s", at, m.Setting, m.Got, m.Want)
}

// wanted are the settings with which a server loses no entry, see docs/REPLAY.md.
var wanted = []Misconfiguration{
	{Setting: "appendonly", Want: "yes"},
	{Setting: "appendfsync", Want: "always"},
	{Setting: "no-appendfsync-on-rewrite", Want: "no"},
	{Setting: "maxmemory-policy", Want: "noeviction"},
}

// minReplicas is the setting with which a master without a replica accepts nothing that would
// be lost if the replica took over. It is wanted if a master has two replicas: with one, a
// failover would leave a master that refuses everything.
var minReplicas = Misconfiguration{Setting: "min-replicas-to-write", Want: "1"}

// Check calls CheckServers, and returns its error. It then asks the server for its settings, and of
// a cluster or with Sentinels also the replicas, which may take over, and returns those with which
// entries can be lost. Hosted servers, and users with few permissions, often may not read the
// settings; the operator must then check them by other means.
// Each step has the timeout Config.Timeout.
func (s *Store) Check(ctx context.Context) ([]Misconfiguration, error) {
	if err := s.CheckServers(ctx); err != nil {
		return nil, err
	}
	return s.checkSettings(ctx), nil
}

// CheckServers sends the command that FirstUse sends, with a key that expires at once, to the
// server, or to every master of a cluster at the same time. It returns an error if one of them
// fails, with the causes of all that do. Until these are removed, FirstUse fails too, in a cluster
// for the keys of those masters. It takes at most Config.Timeout.
func (s *Store) CheckServers(ctx context.Context) error {
	if err := s.checkMade(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	names := s.checkNames(ctx)
	failures := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { failures[i] = s.tryCommand(ctx, name) })
	}
	wg.Wait()
	return joinErrors(failures)
}

// tryCommand sends the command of FirstUse. The name has another form than that of an entry.
func (s *Store) tryCommand(ctx context.Context, name string) error {
	_, err := s.send(ctx, setOnce(ctx, name, 1))
	return err
}

// joinErrors returns an error with the texts of errs in one line, each once. It returns nil if all
// are nil.
func joinErrors(errs []error) (all error) {
	for _, err := range errs {
		switch {
		case err == nil, all != nil && strings.Contains(all.Error(), err.Error()):
		case all == nil:
			all = err
		default:
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}

// checkNames returns a name for an entry of each master of a cluster. The names are others at each
// call: a node of a cluster that is used as one server refuses some of them.
func (s *Store) checkNames(ctx context.Context) []string {
	const most = 1000 // enough, unless a master has almost no slots
	name := s.config.Prefix + "check" + rand.Text()
	client, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return []string{name}
	}
	var names []string
	masters := make(map[*redis.Client]bool)
	for i := range most {
		master, err := client.MasterForKey(ctx, name)
		if err != nil { // it is also that of a command
			return []string{name}
		}
		if !masters[master] {
			masters[master] = true
			names = append(names, name)
		}
		name = names[0] + strconv.Itoa(i)
	}
	return names
}

// node is a server that has entries, or may take over from one.
type node struct {
	addr    string
	client  *redis.Client
	replica bool
}

// checkSettings returns the settings with which the servers can lose entries.
func (s *Store) checkSettings(ctx context.Context) []Misconfiguration {
	nodes, closeNodes, err := s.nodes(ctx)
	defer closeNodes()
	want := wanted
	if replicas := len(nodes) - countMasters(nodes); replicas >= 2*countMasters(nodes) {
		want = append(slices.Clone(wanted), minReplicas)
	}
	found := make([][]Misconfiguration, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { found[i] = s.checkServer(ctx, n, want) })
	}
	wg.Wait()
	all := slices.Concat(found...)
	if err != nil { // some of the servers are not known
		all = append(all, wanted...)
	}
	slices.SortStableFunc(all, func(a, b Misconfiguration) int {
		return cmp.Compare(a.Server, b.Server)
	})
	return all
}

func countMasters(nodes []node) (n int) {
	for _, node := range nodes {
		if !node.replica {
			n++
		}
	}
	return n
}

// nodes returns the servers, and a function that closes what was opened for it. If it returns
// an error, there may be more of them.
func (s *Store) nodes(ctx context.Context) (all []node, closeAll func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	switch client := s.client.(type) {
	case *redis.ClusterClient:
		all, err = clusterNodes(ctx, client)
		return all, func() {}, err
	case *redis.Client:
		all = []node{{s.server().addr, client, false}}
	}
	if s.at.kind != sentinel {
		return all, func() {}, nil
	}
	addrs, err := s.replicas(ctx)
	for _, addr := range addrs {
		options := s.at.options
		options.Addrs = []string{addr}
		all = append(all, node{addr, redis.NewClient(options.Simple()), true})
	}
	return all, func() {
		for _, n := range all[1:] {
			_ = n.client.Close() // nothing is lost
		}
	}, err
}

// clusterNodes returns the nodes of a cluster.
func clusterNodes(ctx context.Context, client *redis.ClusterClient) (all []node, err error) {
	var mu sync.Mutex
	add := func(replica bool) func(context.Context, *redis.Client) error {
		return func(_ context.Context, c *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, node{c.Options().Addr, c, replica})
			return nil
		}
	}
	masters := client.ForEachMaster(ctx, add(false))
	return all, errors.Join(masters, client.ForEachSlave(ctx, add(true)))
}

// replicas returns the addresses of the replicas that the first Sentinel which answers knows,
// including those that are down.
func (s *Store) replicas(ctx context.Context) (addrs []string, err error) {
	for _, addr := range s.at.options.Addrs {
		options := s.at.options
		options.Addrs, options.DB = []string{addr}, 0
		options.Username, options.Password = options.SentinelUsername, options.SentinelPassword
		client := redis.NewSentinelClient(options.Simple())
		var replicas []map[string]string
		replicas, err = client.Replicas(ctx, s.at.options.MasterName).Result()
		_ = client.Close() // nothing is lost
		if err != nil {
			continue
		}
		for _, r := range replicas {
			addrs = append(addrs, net.JoinHostPort(r["ip"], r["port"]))
		}
		return addrs, nil
	}
	return nil, err
}

// checkServer returns the settings of one server with which it can lose entries. A server
// or a proxy that cannot be asked for a setting does not report it, and works.
func (s *Store) checkServer(ctx context.Context, n node, want []Misconfiguration) (found []Misconfiguration) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	for _, m := range want {
		m.Server, m.Got = n.addr, n.client.ConfigGet(ctx, m.Setting).Val()[m.Setting]
		if !m.right() {
			found = append(found, m)
		}
	}
	return found
}

// right reports whether the server has the wanted value, or of a number at least that.
func (m Misconfiguration) right() bool {
	want, errWant := strconv.Atoi(m.Want)
	got, errGot := strconv.Atoi(m.Got)
	return m.Got == m.Want || errWant == nil && errGot == nil && got >= want
}
