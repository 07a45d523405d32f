package redisstore_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/redisstore"
)

// fakeNode is a server that says that it is a cluster with all slots, and the master that
// Sentinels name. It counts each SET that it gets, and answers the first ones by a script, then
// with OK. After an answer without a line's end it closes the connection.
type fakeNode struct {
	net.Listener
	mu     sync.Mutex
	script []string
	sets   int
	wg     sync.WaitGroup
}

func startFakeNode(t *testing.T) *fakeNode {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeNode{Listener: l}
	var mu sync.Mutex
	var conns []net.Conn
	f.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			f.wg.Go(func() { defer conn.Close(); f.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		f.wg.Wait()
	})
	return f
}

func (f *fakeNode) serve(conn net.Conn) {
	host, port, _ := net.SplitHostPort(f.Addr().String())
	r := bufio.NewReader(conn)
	for {
		name, err := readCommand(r)
		if err != nil {
			return
		}
		switch name {
		case "cluster":
			fmt.Fprintf(conn, "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$%d\r\n%s\r\n:%s\r\n", len(host), host, port)
		case "sentinel":
			fmt.Fprintf(conn, "*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
		case "asking":
			io.WriteString(conn, "+OK\r\n")
		case "set":
			answer := f.next()
			io.WriteString(conn, answer)
			if !strings.HasSuffix(answer, "\r\n") {
				return
			}
		default:
			io.WriteString(conn, "-ERR unknown command\r\n")
		}
	}
}

// next counts a SET and returns the answer to it.
func (f *fakeNode) next() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sets++
	if len(f.script) == 0 {
		return "+OK\r\n"
	}
	answer := f.script[0]
	f.script = f.script[1:]
	return answer
}

func (f *fakeNode) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sets
}

// TestNeverSentTwice checks that a command that may have been executed is not sent again by the
// clients of a Cluster and of Sentinel, even if the program's own client has retries. It is sent
// again only if the server has said that it did not execute it: it redirects, or is a replica.
func TestNeverSentTwice(t *testing.T) {
	for name, c := range map[string]struct {
		answer  string
		cluster int // the number of times a client of a cluster sends it
	}{
		"lost":        {"", 1},
		"half":        {"+O", 1},
		"half, nil":   {"$-", 1},
		"not RESP":    {"x\r\n", 1},
		"LOADING":     {"-LOADING x\r\n", 1},
		"TRYAGAIN":    {"-TRYAGAIN x\r\n", 1},
		"CLUSTERDOWN": {"-CLUSTERDOWN x\r\n", 1},
		"MASTERDOWN":  {"-MASTERDOWN x\r\n", 1},
		"NOREPLICAS":  {"-NOREPLICAS x\r\n", 1},
		"clients":     {"-ERR max number of clients reached\r\n", 1},
		"READONLY":    {"-READONLY x\r\n", 2},
		"MOVED":       {"-MOVED 1 %s\r\n", 2},
		"ASK":         {"-ASK 1 %s\r\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, open := range stores(t) {
				f := startFakeNode(t)
				script := strings.ReplaceAll(c.answer, "%s", f.Addr().String())
				f.script = []string{script}
				s := open(f.Addr().String())
				want := 1
				if strings.HasPrefix(kind, "cluster") {
					want = c.cluster
				}
				if want == 1 {
					expectError(t, s, "key")
				} else {
					expect(t, s, "key", time.Now().Add(time.Minute), true)
				}
				if n := f.count(); n != want {
					t.Errorf("%s: sent %d times, want %d", kind, n, want)
				}
			}
		})
	}
}

// TestLostAfterRedirection checks that a command whose answer was lost is not sent again when it
// was redirected before.
func TestLostAfterRedirection(t *testing.T) {
	for _, redirection := range []string{"-MOVED 1 %s\r\n", "-ASK 1 %s\r\n", "-READONLY x\r\n"} {
		for kind, open := range stores(t) {
			if !strings.HasPrefix(kind, "cluster") {
				continue
			}
			f := startFakeNode(t)
			f.script = []string{strings.ReplaceAll(redirection, "%s", f.Addr().String()), ""}
			expectError(t, open(f.Addr().String()), "key")
			if n := f.count(); n != 2 {
				t.Errorf("%s, %s: sent %d times", kind, redirection, n)
			}
		}
	}
}

// stores returns functions that open a store at a fake node.
func stores(t *testing.T) map[string]func(addr string) *redisstore.Store {
	url := func(before, after string) func(string) *redisstore.Store {
		return func(addr string) *redisstore.Store {
			return open(t, before+addr+after, redisstore.Config{Timeout: longTimeout.Timeout / 10})
		}
	}
	use := func(c redis.UniversalClient) *redisstore.Store {
		t.Cleanup(func() { c.Close() })
		s, err := redisstore.New(c, redisstore.Config{Timeout: longTimeout.Timeout / 10})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return map[string]func(addr string) *redisstore.Store{
		"server":   url("redis://", ""),
		"cluster":  url("redis+cluster://", ""),
		"sentinel": url("redis+sentinel://", "/m"),
		"cluster of New": func(addr string) *redisstore.Store {
			return use(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ContextTimeoutEnabled: true, MaxRetries: 5, MaxRedirects: 8, MinRetryBackoff: -1}))
		},
		"sentinel of New": func(addr string) *redisstore.Store {
			return use(redis.NewFailoverClient(&redis.FailoverOptions{SentinelAddrs: []string{addr}, MasterName: "m", ContextTimeoutEnabled: true, MaxRetries: 5, MinRetryBackoff: -1}))
		},
	}
}
