package serve_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/redistest"
)

// TestServeReplay: services that share a store accept an assertion once. If the store
// does not answer, they accept none.
func TestServeReplay(t *testing.T) {
	text := sample(t, "assertion.txt")
	t.Run("memory", func(t *testing.T) {
		s := startServe(t, nil, "--keys", sampleKeys, "--replay", "memory")
		first, second := ask(t, http.DefaultClient, s.URL, text), ask(t, http.DefaultClient, s.URL, text)
		if first.Status != "okay" || second.Status != "failure" || second.Undecided {
			t.Errorf("first %+v, then %+v", first, second)
		}
	})
	t.Run("redis", func(t *testing.T) {
		redis := redistest.Start(t)
		a := startServe(t, nil, "--keys", sampleKeys, "--replay", redis.URL())
		b := startServe(t, nil, "--keys", sampleKeys, "--replay", redis.URL(), "--undecided-status", "503")
		first, second := ask(t, http.DefaultClient, a.URL, text), ask(t, http.DefaultClient, b.URL, text)
		if first.Status != "okay" || second.code != 200 || second.Status != "failure" || second.Undecided {
			t.Errorf("first %+v, then %+v", first, second)
		}
		redis.Kill()
		if down := ask(t, http.DefaultClient, b.URL, text); down.code != 503 || !down.Undecided {
			t.Errorf("without the store: %+v", down)
		}
	})
}

// send sends a command without quoted arguments to a Redis server.
func send(t *testing.T, addr, command string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 100)
	if n, err := conn.Read(answer); err != nil || answer[0] != '+' {
		t.Fatalf("%s: %q, %v", command, answer[:n], err)
	}
}

// TestServeReplayCauses: at level warn, the log has the cause for which the Redis server
// refuses assertions, at the start and when an assertion is undecided.
func TestServeReplayCauses(t *testing.T) {
	text := sample(t, "assertion.txt")
	for cause, commands := range map[string][]string{
		"READONLY: the server is a read-only replica":        {"REPLICAOF 127.0.0.1 1"},
		"OOM: the server is full":                            {"CONFIG SET maxmemory 1"},
		"NOPERM: the user may not run the command":           {"ACL SETUSER u on >s3cret ~* -@all +ping +info +config|get"},
		"NOPERM: the user may not use keys with this prefix": {"ACL SETUSER u on >s3cret ~vepverify:other:* +@all"},
		"WRONGPASS: wrong user or password, or the user":     {"ACL SETUSER u on >other ~* +@all"},
		"NOREPLICAS: fewer replicas are connected":           {"CONFIG SET min-replicas-to-write 1"},
	} {
		t.Run(cause, func(t *testing.T) {
			redis := redistest.Start(t)
			login := ""
			for _, command := range commands {
				send(t, redis.Addr(), command)
				if strings.HasPrefix(command, "ACL") {
					login = "u:s3cret@"
				}
			}
			s := startServe(t, []string{"LOG_LEVEL=warn"}, "--keys", sampleKeys, "--replay", "redis://"+login+redis.Addr())
			for range 3 {
				if r := ask(t, http.DefaultClient, s.URL, text); !r.Undecided {
					t.Errorf("answered %+v", r)
				}
			}
			_, log := s.end(t)
			lines := strings.Split(strings.TrimSpace(log), "\n")
			if len(lines) != 2 || !strings.Contains(lines[0], `"msg":"the replay store does not work`) || !strings.Contains(lines[1], `"level":"WARN","msg":"undecided"`) {
				t.Errorf("the log is %s", log)
			}
			if strings.Count(log, cause) != 2 || strings.Contains(log, "s3cret") {
				t.Errorf("the log is %s", log)
			}
		})
	}
}

// TestServeReplayWorksAgain: at level warn, the log tells when the store works again, also
// after an error at the start. It does not for a store that always worked.
func TestServeReplayWorksAgain(t *testing.T) {
	const again = `"level":"WARN","msg":"the replay store works again"`
	text := sample(t, "assertion.txt")
	for name, c := range map[string]struct{ atStart, asked bool }{
		"at the start": {true, false}, "at the start and later": {true, true}, "later": {false, true}, "never": {},
	} {
		t.Run(name, func(t *testing.T) {
			redis := redistest.Start(t)
			if c.atStart {
				send(t, redis.Addr(), "REPLICAOF 127.0.0.1 1")
			}
			s := startServe(t, []string{"LOG_LEVEL=warn"}, "--keys", sampleKeys, "--replay", redis.URL())
			send(t, redis.Addr(), "REPLICAOF 127.0.0.1 1")
			if c.asked {
				if r := ask(t, http.DefaultClient, s.URL, text); !r.Undecided {
					t.Errorf("answered %+v", r)
				}
			}
			send(t, redis.Addr(), "REPLICAOF NO ONE")
			first, second := ask(t, http.DefaultClient, s.URL, text), ask(t, http.DefaultClient, s.URL, text)
			if first.Status != "okay" || second.Status != "failure" || second.Undecided {
				t.Errorf("first %+v, then %+v", first, second)
			}
			if c.atStart || c.asked {
				s.await(again)
			}
			if _, rest := s.end(t); rest != "" {
				t.Errorf("then the log has %s", rest)
			}
		})
	}
}

// TestServeReplayPermissions: a user with no permission but SET works, and causes no
// warning. That the settings cannot be read is said once, at level info.
func TestServeReplayPermissions(t *testing.T) {
	redis := redistest.Start(t, "--appendfsync", "everysec")
	for user, want := range map[string]struct{ permissions, level, text string }{
		"few": {"+set", `"level":"INFO"`, `"settings":["appendonly yes","appendfsync always","no-appendfsync-on-rewrite no","maxmemory-policy noeviction"]`},
		"all": {"+@all", `"level":"WARN"`, `appendfsync is \"everysec\" and should be always`},
	} {
		send(t, redis.Addr(), "ACL SETUSER "+user+" on >pw ~vepverify:assertion:* -@all "+want.permissions)
		s := startServe(t, nil, "--keys", sampleKeys, "--replay", "redis://"+user+":pw@"+redis.Addr())
		_, log := s.end(t)
		var found []string
		for line := range strings.Lines(log) {
			if strings.Contains(line, "replay store") {
				found = append(found, line)
			}
		}
		if len(found) != 1 || !strings.Contains(found[0], want.level) || !strings.Contains(found[0], want.text) {
			t.Errorf("%s: the log has %q", user, found)
		}
	}
}

// TestServeReplayURL: an error about --replay and its files is one clear text.
func TestServeReplayURL(t *testing.T) {
	a := redistest.NewAuthority(t)
	cert, key := a.Issue()
	_, otherKey := a.Issue()
	for value, want := range map[string]string{
		"redis://:s3cret/@host":            "--replay: the URL: the port is not a number from 1 to 65535",
		"redis://host/s3cret":              "--replay: the URL: the database is not a number",
		"redis://host?skip_verify=true":    "--replay: the URL: has an option other than db",
		"redis://a%zz@host":                "--replay: the URL: not a URL of Redis",
		"redis://:s3cret@a:7000, b:7001":   "--replay: the URL: the list of hosts is not",
		"redis://a:7000,b:7001/s3cret":     "--replay: the URL: something follows the hosts of a Cluster",
		"redis+sentinel://:s3cret@a:26379": "--replay: the URL: no name of the master follows",
		"redis+other://:s3cret@a:26379":    "want off, memory, or the URL of a Redis server",

		"redis://h --replay-ca-file " + a.CAFile:                         "--replay-ca-file, --replay-cert and --replay-key need --replay with TLS",
		"memory --replay-cert " + cert + " --replay-key " + key:          "need --replay with TLS",
		"redis+sentinel://h:1/m --replay-ca-file " + a.CAFile:            "need --replay with TLS",
		"off --replay-key " + key:                                        "need --replay with TLS",
		"rediss://h --replay-cert " + cert:                               "--replay-cert and --replay-key must be set together",
		"rediss+cluster://h:1 --replay-key " + key:                       "--replay-cert and --replay-key must be set together",
		"rediss://h --replay-ca-file absent.pem":                         "--replay-ca-file: ",
		"rediss://h --replay-ca-file " + key:                             "--replay-ca-file: ",
		"rediss://h --replay-cert absent.pem --replay-key " + key:        "--replay-cert: ",
		"rediss://h --replay-cert " + cert + " --replay-key " + otherKey: "--replay-key " + otherKey,
		"rediss://h,i --replay-ca-file " + a.CAFile:                      "--replay: the URL: the list of hosts",
		"rediss://h --replay-cert " + key + " --replay-key " + key:       "--replay-cert",
	} {
		first, rest, more := strings.Cut(value, " --")
		args := []string{"serve", "--replay", first}
		if more {
			args = append(args, strings.Split("--"+rest, " ")...)
		}
		code, _, stderr := clitest.Run(t, app(), cli.Process{}, args...)
		if code != int(cli.ExitUsage) || !strings.Contains(stderr, want) || strings.Contains(stderr, "redisstore") || strings.Contains(stderr, "s3cret") {
			t.Errorf("%s: status %d, %s", value, code, stderr)
		}
	}
}

// TestServeReplaySettings: the settings of a Redis server that was down at the start are checked
// when it works, and are in the metrics.
func TestServeReplaySettings(t *testing.T) {
	redis := redistest.Start(t, "--appendfsync", "everysec")
	redis.Kill()
	metrics := porttest.FreeAddr(t)
	s := startServe(t, nil, "--keys", sampleKeys, "--replay", redis.URL(), "--metrics-address", metrics)
	expectMetric(t, metrics, "vepverify_replay_store_misconfigurations 0")
	redis.Restart()
	text := sample(t, "assertion.txt")
	for ask(t, http.DefaultClient, s.URL, text).Undecided {
		time.Sleep(10 * time.Millisecond)
	}
	s.await("the replay store works again")
	s.await("redis at " + redis.Addr() + ` can lose entries: appendfsync is \"everysec\" and should be always`)
	expectMetric(t, metrics, "vepverify_replay_store_misconfigurations 1")
}

// TestServeReplaySentinel: a service goes on when its master dies, and knows what was used.
func TestServeReplaySentinel(t *testing.T) {
	master := redistest.Start(t)
	replica := redistest.StartReplica(t, master.Addr(), "--appendfsync", "everysec")
	sentinels := redistest.StartSentinels(t, "mymaster", master.Addr(), 1)
	for _, server := range []*redistest.Server{master, replica} {
		send(t, server.Addr(), "ACL SETUSER u on >s3cret ~vepverify:* resetchannels -@all +set +config|get")
	}
	s := startServe(t, nil, "--keys", sampleKeys, "--replay", "redis+sentinel://u:s3cret@"+sentinels.Addrs()+"/mymaster")
	if line := s.await(`"msg":"configuration"`); strings.Contains(line, "s3cret") || !strings.Contains(line, `"replay":"redis+sentinel"`) {
		t.Errorf("the log has %s", line)
	}
	s.await("redis at " + replica.Addr() + " can lose entries: appendfsync")
	text := sample(t, "assertion.txt")
	if first := ask(t, http.DefaultClient, s.URL, text); first.Status != "okay" {
		t.Errorf("first %+v", first)
	}
	awaitReplica(t, master)
	master.Kill()
	second := ask(t, http.DefaultClient, s.URL, text)
	for ; second.Undecided; second = ask(t, http.DefaultClient, s.URL, text) {
		time.Sleep(10 * time.Millisecond)
	}
	if second.Status != "failure" {
		t.Errorf("then %+v", second)
	}
	s.await(replica.Addr()) // sentinel: new master
	s.await("the replay store works again")
	if _, log := s.end(t); strings.Contains(log, "s3cret") {
		t.Errorf("the log is %s", log)
	}
}

// awaitReplica waits until a replica has all that the server has executed.
func awaitReplica(t *testing.T, server *redistest.Server) {
	t.Helper()
	c := server.Client().Conn()
	defer c.Close()
	if err := c.Publish(t.Context(), "x", "x").Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Wait(t.Context(), 1, 30*time.Second).Result(); err != nil || n < 1 {
		t.Fatal(n, err)
	}
}

// TestServeReplayTLS: a private authority and a client certificate apply to --replay, and are
// renewed without a restart.
func TestServeReplayTLS(t *testing.T) {
	dir := t.TempDir()
	caFile, certFile, keyFile := filepath.Join(dir, "ca"), filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	install := func(a *redistest.Authority) {
		cert, key := a.Issue()
		for to, from := range map[string]string{caFile: a.CAFile, certFile: cert, keyFile: key} {
			data, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := redistest.NewAuthority(t)
	redis := redistest.StartTLS(t, a)
	install(redistest.NewAuthority(t))
	s := startServe(t, nil, "--keys", sampleKeys, "--replay", "rediss://"+redis.TLSAddr(),
		"--replay-ca-file", caFile, "--replay-cert", certFile, "--replay-key", keyFile)
	text := sample(t, "assertion.txt")
	if r := ask(t, http.DefaultClient, s.URL, text); !r.Undecided {
		t.Errorf("another authority: %+v", r)
	}
	s.await("TLS certificate of an unknown authority")
	install(a)
	s.await("replay TLS files read again")
	r := ask(t, http.DefaultClient, s.URL, text)
	for ; r.Undecided; r = ask(t, http.DefaultClient, s.URL, text) {
		time.Sleep(10 * time.Millisecond)
	}
	if r.Status != "okay" {
		t.Errorf("renewed: %+v", r)
	}
}

// TestServeReplayCluster: a list of hosts is a Cluster.
func TestServeReplayCluster(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	s := startServe(t, nil, "--keys", sampleKeys, "--replay", "redis://default:s3cret@"+c.Addrs())
	text := sample(t, "assertion.txt")
	first, second := ask(t, http.DefaultClient, s.URL, text), ask(t, http.DefaultClient, s.URL, text)
	if first.Status != "okay" || second.Status != "failure" || second.Undecided {
		t.Errorf("first %+v, then %+v", first, second)
	}
	node := startServe(t, nil, "--keys", sampleKeys, "--replay", c.Nodes[0].URL())
	node.await("redis://host:7000,host:7001,host:7002")
	_, log := s.end(t)
	if strings.Contains(log, "s3cret") || !strings.Contains(log, `"replay":"redis"`) {
		t.Errorf("the log is %s", log)
	}
}
