package redisstore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
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
	asking string        // the answer to ASKING
	sent   chan struct{} // gets a value for each SET
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
	f := &fakeNode{Listener: l, asking: "+OK\r\n", sent: make(chan struct{}, 10_000)}
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
			io.WriteString(conn, f.asking)
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

// answer sets the answers to the next SETs, in which %s is the address.
func (f *fakeNode) answer(script ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = script
}

// next counts a SET and returns the answer to it.
func (f *fakeNode) next() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sets++
	f.sent <- struct{}{}
	if len(f.script) == 0 {
		return "+OK\r\n"
	}
	answer := f.script[0]
	f.script = f.script[1:]
	return strings.ReplaceAll(answer, "%s", f.Addr().String())
}

func (f *fakeNode) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sets
}

// awaitSent waits until n SETs were sent.
func (f *fakeNode) awaitSent(t *testing.T, n int) {
	t.Helper()
	for late := time.After(30 * time.Second); f.count() < n; {
		select {
		case <-f.sent:
		case <-late:
			t.Fatalf("sent %d times, want %d", f.count(), n)
		}
	}
}

// answers are the answers to a command, and how often a client of a cluster and other clients send
// it if the next answer is OK. A server that answers in one of the other ways has, or may have,
// executed it, or goes on to answer so.
var answers = []struct {
	answer         string // %s is the address of the server
	cluster, other int
}{
	{"", 1, 1},
	{"+O", 1, 1},
	{"$-", 1, 1},
	{"x\r\n", 1, 1},
	{"-ERR max number of clients reached\r\n", 1, 1},
	{"-OOM x\r\n", 1, 1},
	{"-MISCONF x\r\n", 1, 1},
	{"-NOPERM x\r\n", 1, 1},
	{"-CLUSTERDOWN x\r\n", 2, 1},
	{"-TRYAGAIN x\r\n", 2, 1},
	{"-MOVED 1 %s\r\n", 2, 1},
	{"-ASK 1 %s\r\n", 2, 1},
	{"-READONLY x\r\n", 2, 2},
	{"-MASTERDOWN x\r\n", 2, 2},
	{"-LOADING x\r\n", 2, 2},
	{"-BUSY x\r\n", 2, 2},
	{"-NOREPLICAS x\r\n", 2, 2},
}

// TestSentAgain checks that a command is sent again only if the server has said that it did not
// execute it, by all clients, even if the program's own has retries.
func TestSentAgain(t *testing.T) {
	for _, c := range answers {
		t.Run(c.answer, func(t *testing.T) {
			for kind, open := range stores(t) {
				f := startFakeNode(t)
				f.answer(c.answer)
				want := c.other
				if strings.HasPrefix(kind, "cluster") {
					want = c.cluster
				}
				s := open(f.Addr().String())
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

// TestNeverSentTwice checks that a command whose answer was lost is not sent again when it was
// refused before.
func TestNeverSentTwice(t *testing.T) {
	for _, c := range answers {
		if c.cluster == 1 {
			continue
		}
		t.Run(c.answer, func(t *testing.T) {
			for kind, open := range stores(t) {
				if c.other == 1 && !strings.HasPrefix(kind, "cluster") {
					continue
				}
				f := startFakeNode(t)
				f.answer(c.answer, "")
				expectError(t, open(f.Addr().String()), "key")
				if n := f.count(); n != 2 {
					t.Errorf("%s: sent %d times, want 2", kind, n)
				}
			}
		})
	}
}

// TestAsking checks that a command after ASKING is sent again if it was refused itself, and not if
// only ASKING was.
func TestAsking(t *testing.T) {
	for _, c := range []struct {
		asking, set string
		sets        int
	}{
		{"+OK\r\n", "-CLUSTERDOWN x\r\n", 3},
		{"-LOADING x\r\n", "-LOADING x\r\n", 3},
		{"-LOADING x\r\n", "+OK\r\n", 2},
		{"-LOADING x\r\n", "$-1\r\n", 2},
		{"-LOADING x\r\n", "", 2},
		{"-LOADING x\r\n", "-OOM x\r\n", 2},
	} {
		f := startFakeNode(t)
		f.asking = c.asking
		f.answer("-ASK 1 %s\r\n", c.set)
		s := open(t, "redis+cluster://"+f.Addr().String(), longTimeout)
		if c.sets == 2 {
			expectError(t, s, "key")
		} else {
			expect(t, s, "key", time.Now().Add(time.Minute), true)
		}
		if n := f.count(); n != c.sets {
			t.Errorf("ASKING %q, SET %q: sent %d times, want %d", c.asking, c.set, n, c.sets)
		}
	}
}

// TestRedirectedForLong checks that a use waits for nodes that do not agree about a slot.
func TestRedirectedForLong(t *testing.T) {
	f := startFakeNode(t)
	f.answer(slices.Repeat([]string{"-MOVED 1 %s\r\n"}, 10)...)
	expect(t, open(t, "redis+cluster://"+f.Addr().String(), longTimeout), "key", time.Now().Add(time.Minute), true)
	if n := f.count(); n != 11 {
		t.Errorf("sent %d times, want 11", n)
	}
}

// TestRefusedForLong checks that a use waits as long as it may, that the others do not after one that
// waited in vain, and that uses wait again later.
func TestRefusedForLong(t *testing.T) {
	t.Parallel()
	f := startFakeNode(t)
	f.answer(slices.Repeat([]string{"-CLUSTERDOWN x\r\n"}, 1000)...)
	s := open(t, "redis+cluster://"+f.Addr().String(), shortTimeout)
	if err := expectError(t, s, "waits"); !strings.Contains(err.Error(), "CLUSTERDOWN") {
		t.Error(err)
	}
	waited := f.count()
	if waited < 3 || waited > 12 {
		t.Errorf("sent %d times, want 3 to 12", waited)
	}
	for i := range 100 {
		expectError(t, s, fmt.Sprint("does not wait ", i))
	}
	if n := f.count() - waited; n != 100 {
		t.Errorf("100 uses: sent %d times", n)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		f.answer("-CLUSTERDOWN x\r\n")
		first, err := s.FirstUse(t.Context(), "waits again", time.Now().Add(time.Hour))
		if first && err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("FirstUse: %v, %v", first, err)
		}
	}
}

// TestWaitIsCanceled checks that the end of a context ends the wait.
func TestWaitIsCanceled(t *testing.T) {
	f := startFakeNode(t)
	f.answer(slices.Repeat([]string{"-LOADING x\r\n"}, 1000)...)
	s := open(t, "redis://"+f.Addr().String(), redisstore.Config{Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { _, err := s.FirstUse(ctx, "key", time.Now().Add(time.Hour)); failed <- err }()
	f.awaitSent(t, 2)
	cancel()
	if err := <-failed; err == nil {
		t.Error("no error")
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
		"server of New": func(addr string) *redisstore.Store {
			return use(redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, MaxRetries: 5, MinRetryBackoff: -1}))
		},
		"cluster of New": func(addr string) *redisstore.Store {
			return use(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ContextTimeoutEnabled: true, MaxRetries: 5, MaxRedirects: 8, MinRetryBackoff: -1}))
		},
		"sentinel of New": func(addr string) *redisstore.Store {
			return use(redis.NewFailoverClient(&redis.FailoverOptions{SentinelAddrs: []string{addr}, MasterName: "m", ContextTimeoutEnabled: true, MaxRetries: 5, MinRetryBackoff: -1}))
		},
	}
}
