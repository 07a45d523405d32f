package manifests_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// service is a running vepverify serve.
type service struct {
	t      *testing.T
	url    string
	cmd    *exec.Cmd
	stderr *syncBuffer
}

// syncBuffer is a bytes.Buffer that may be read while a process writes.
type syncBuffer struct {
	sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.String()
}

// start starts the service with only these settings in its environment, and waits until it
// listens. The test ends it, and fails unless it stops with the exit status 0.
func start(t *testing.T, env map[string]string, args ...string) *service {
	t.Helper()
	s := &service{t: t, cmd: exec.Command(binary, args...), stderr: new(syncBuffer)}
	s.cmd.Stderr = s.stderr
	s.cmd.Env = []string{}
	for name, value := range env {
		s.cmd.Env = append(s.cmd.Env, name+"="+value)
	}
	stdout, err := s.cmd.StdoutPipe()
	check(t, err)
	check(t, s.cmd.Start())
	t.Cleanup(s.stop)
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the service does not start with %q, %q:\n%s", args, env, s.stderr)
	}
	var running struct{ Fields struct{ URL string } }
	check(t, json.Unmarshal(line, &running))
	s.url = running.Fields.URL
	return s
}

func (s *service) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the service: %v\n%s", err, s.stderr)
	}
}

// expectNoLog fails the test if the log has a line with this message.
func (s *service) expectNoLog(messages ...string) {
	s.t.Helper()
	for line := range strings.Lines(s.stderr.String()) {
		for _, message := range messages {
			if strings.Contains(line, `"msg":"`+message) {
				s.t.Error(line)
			}
		}
	}
}

var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
}

// get returns the status and the body at a path.
func (s *service) get(path string) (status int, body string) {
	s.t.Helper()
	return get(s.t, s.url+path)
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	res, err := client.Get(url)
	check(t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	check(t, err)
	return res.StatusCode, string(data)
}

// verify posts an assertion for https://rp.example, and returns the status in the answer.
func (s *service) verify(assertion string) string {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"assertion": assertion, "audience": "https://rp.example"})
	check(s.t, err)
	return s.post("/v2", string(body))
}

// post posts JSON, and returns the status in the answer.
func (s *service) post(path, body string) string {
	s.t.Helper()
	res, err := client.Post(s.url+path, "application/json", strings.NewReader(body))
	check(s.t, err)
	defer res.Body.Close()
	var answer struct{ Status string }
	check(s.t, json.NewDecoder(res.Body).Decode(&answer))
	return answer.Status
}

// issuer is a domain with a key, and a user with an identity.
type issuer struct {
	t        *testing.T
	keys     string // file for --keys
	identity string
}

func newIssuer(t *testing.T, domain string) *issuer {
	t.Helper()
	dir := t.TempDir()
	i := &issuer{t, filepath.Join(dir, "keys.json"), filepath.Join(dir, "identity.json")}
	key := filepath.Join(dir, "key")
	check(t, os.WriteFile(i.keys, []byte(output(t, binary, "keygen", "--out", key, "--bundle", domain)), 0o644))
	output(t, binary, "certify", "--key", key, "--issuer", domain, "--email", "ada@"+domain, "--out", i.identity)
	return i
}

// assert returns a new assertion for an audience.
func (i *issuer) assert(audience string) string {
	i.t.Helper()
	return strings.TrimSpace(output(i.t, binary, "assert", "--identity", i.identity, "--audience", audience))
}

// with returns the settings with others added.
func with(env map[string]string, pairs ...string) map[string]string {
	all := maps.Clone(env)
	for pair := range slices.Chunk(pairs, 2) {
		all[pair[0]] = pair[1]
	}
	return all
}
