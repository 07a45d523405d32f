package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/serve"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/redistest"
)

// app returns a program with the command serve.
func app() *cli.App {
	return &cli.App{Default: "serve", Commands: []*cli.Command{serve.Command()}}
}

const relyingParty = "https://rp.example"

var sampleTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// service is a vepverify serve that runs within the test.
type service struct {
	URL, Fallback string // of the line on standard output

	stop context.CancelFunc
	done chan struct{}

	code   int
	mu     sync.Mutex
	log    bytes.Buffer
	logged sync.Cond // signaled when log grows
}

// Write is standard error.
func (s *service) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.logged.Broadcast()
	return s.log.Write(b)
}

// await waits for the next line with this text after those that it has returned, and
// returns it. The test times out if there is none.
func (s *service) await(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for {
			line, err := s.log.ReadString('\n')
			if err != nil {
				break
			}
			if strings.Contains(line, text) {
				return line
			}
		}
		s.logged.Wait()
	}
}

// end stops the service and returns its exit status and log.
func (s *service) end(t *testing.T) (int, string) {
	t.Helper()
	s.stop()
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code, s.log.String()
}

// startServe starts the service and waits until it listens. The variables are
// NAME=value.
func startServe(t *testing.T, variables []string, args ...string) *service {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	s := &service{stop: cancel, done: make(chan struct{})}
	s.logged.L = &s.mu
	p := &cli.Process{
		In: strings.NewReader(""), Out: stdout, Err: s, Env: clitest.Env(variables...), Environ: func() []string { return variables },
		Now: func() time.Time { return sampleTime },
	}
	go func() {
		defer close(s.done)
		s.code = app().Run(ctx, append([]string{"serve"}, args...), p)
		stdout.Close()
	}()
	t.Cleanup(func() { s.end(t) })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		_, log := s.end(t)
		t.Fatalf("it does not listen: status %d, %s", s.code, log)
	}
	var running struct {
		Type   string
		Fields struct{ URL, Fallback string }
	}
	if err := json.Unmarshal([]byte(line), &running); err != nil || running.Type != "server.running" {
		t.Fatalf("standard output has %q (%v)", line, err)
	}
	s.URL, s.Fallback = running.Fields.URL, running.Fields.Fallback
	go func() {
		if rest, _ := io.ReadAll(lines); len(rest) > 0 {
			t.Errorf("more on standard output: %q", rest)
		}
	}()
	return s
}

// sample returns a file of testdata/sample.
func sample(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "testdata", "sample", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

var sampleKeys = filepath.Join("..", "..", "..", "..", "testdata", "sample", "keys.json")

type reply struct {
	code                                   int
	Status, Reason, Email, Issuer, Version string
	Undecided                              bool
}

// ask posts an assertion.
func ask(t *testing.T, c *http.Client, base, text string) reply {
	t.Helper()
	answer, err := c.PostForm(base+"/verify", url.Values{"assertion": {text}, "audience": {relyingParty}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	r := reply{code: answer.StatusCode}
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestServe(t *testing.T) {
	s := startServe(t, nil, "--keys", sampleKeys)
	if r := ask(t, http.DefaultClient, s.URL, sample(t, "assertion.txt")); r.code != 200 || r.Email != "alice@idp.example" {
		t.Errorf("the sample is answered with %+v", r)
	}
	answer, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 404 {
		t.Errorf("/metrics is served at the public port: %d", answer.StatusCode)
	}
	code, log := s.end(t)
	if code != 0 {
		t.Errorf("after it was stopped, the exit status is %d", code)
	}
	for _, secret := range []string{"alice", sample(t, "assertion.txt")[:40]} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// TestServeTLSWithoutCertificate: a client that begins with TLS is in the log, once.
func TestServeTLSWithoutCertificate(t *testing.T) {
	s := startServe(t, nil, "--keys", sampleKeys)
	for range 3 {
		if answer, err := http.Get("https" + strings.TrimPrefix(s.URL, "http")); err == nil {
			answer.Body.Close()
			t.Error("there is TLS")
		}
	}
	if line := s.await("a client tried TLS"); !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, "--tls-cert") {
		t.Error(line)
	}
	if _, log := s.end(t); strings.Contains(log, "a client tried TLS") {
		t.Errorf("logged again: %s", log)
	}
}

// TestServeHTTP2 sends requests over HTTP/2 without TLS.
func TestServeHTTP2(t *testing.T) {
	s := startServe(t, nil, "--keys", sampleKeys)
	http2 := new(http.Protocols)
	http2.SetUnencryptedHTTP2(true)
	c := &http.Client{Transport: &http.Transport{Protocols: http2}}
	defer c.CloseIdleConnections()
	if r := ask(t, c, s.URL, sample(t, "assertion.txt")); r.Status != "okay" {
		t.Errorf("answered with %+v", r)
	}
}

// readMetrics returns the metrics that a service serves at an address.
func readMetrics(t *testing.T, address string) string {
	t.Helper()
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// expectMetric checks that the metrics of a service have a line.
func expectMetric(t *testing.T, address, line string) {
	t.Helper()
	if text := readMetrics(t, address); !strings.Contains(text, "\n"+line+"\n") {
		t.Errorf("no %s in %s", line, text)
	}
}

func TestServeMetrics(t *testing.T) {
	address := porttest.FreeAddr(t)
	s := startServe(t, nil, "--keys", sampleKeys, "--metrics-address", address)
	s.await(`"msg":"metrics","url":"http://` + address + `/metrics"`)
	ask(t, http.DefaultClient, s.URL, sample(t, "assertion.txt"))
	text := readMetrics(t, address)
	for _, want := range []string{
		`vepverify_verifications_total{class="none",result="okay"} 1`, "go_goroutines", "process_resident_memory_bytes",
		"process_start_time_seconds", `vepverify_build_info{commit="`, "vepverify_log_lines_lost_total 0", `vepverify_files_modified_timestamp_seconds{files="keys"} 1.`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestServeSettings: a flag wins over its variable, that variable over the one of the
// original, and that over the configuration files, of which later ones win.
func TestServeSettings(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := file("first.json", `{"fallback":"first.example","httpTimeout":2,"port":0,"insecureSSL":false,"logging":{"level":"info"}}`)
	second := file("second.json", `{"fallback":"second.example","httpTimeout":2.5}`)
	both := "CONFIG_FILES=" + first + "," + second
	for _, test := range []struct {
		name      string
		variables []string
		args      []string
		fallback  string
		timeout   string
	}{
		{name: "nothing", timeout: "8s"},
		{name: "one file", variables: []string{"CONFIG_FILES=" + first}, fallback: "first.example", timeout: "2s"},
		{name: "later files win", variables: []string{both}, fallback: "second.example", timeout: "2.5s"},
		{name: "old variables", variables: []string{both, "FALLBACK_DOMAIN=old.example", "HTTP_TIMEOUT=3"}, fallback: "old.example", timeout: "3s"},
		{name: "our variables", variables: []string{both, "FALLBACK_DOMAIN=old.example", "VEPVERIFY_FALLBACK=ours.example"}, fallback: "ours.example", timeout: "2.5s"},
		{name: "flags", variables: []string{both, "VEPVERIFY_FALLBACK=ours.example", "HTTP_TIMEOUT=3"}, args: []string{"--fallback", "flag.example", "--timeout", "4s"}, fallback: "flag.example", timeout: "4s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startServe(t, test.variables, test.args...)
			_, log := s.end(t)
			first, _, _ := strings.Cut(log, "\n")
			var got struct {
				Msg, Fallback, Timeout string
			}
			if err := json.Unmarshal([]byte(first), &got); err != nil || got.Msg != "configuration" {
				t.Fatalf("the log begins with %s (%v)", first, err)
			}
			if got.Fallback != test.fallback || got.Timeout != test.timeout {
				t.Errorf("got %+v, want fallback %q and timeout %s", got, test.fallback, test.timeout)
			}
		})
	}
}

// TestServeInKubernetes: the variables of a Service called vepverify do not keep the service from
// its port. The log names a variable that is ignored, and one that no setting has.
func TestServeInKubernetes(t *testing.T) {
	s := startServe(t, []string{
		"PORT=0", "VEPVERIFY_PORT=tcp://10.96.0.1:8080", "VEPVERIFY_SERVICE_HOST=10.96.0.1", "VEPVERIFY_SERVICE_PORT=8080",
		"VEPVERIFY_PORT_8080_TCP=tcp://10.96.0.1:8080", "VEPVERIFY_FALBACK=s3cret",
	})
	ignored, unknown := s.await("variable ignored"), s.await("variable unknown")
	if !strings.Contains(ignored, `"variable":"VEPVERIFY_PORT"`) || !strings.Contains(ignored, "enableServiceLinks") {
		t.Errorf("ignored: %s", ignored)
	}
	if !strings.Contains(unknown, `"variable":"VEPVERIFY_FALBACK","advice":"perhaps VEPVERIFY_FALLBACK"`) {
		t.Errorf("unknown: %s", unknown)
	}
	if _, log := s.end(t); strings.Contains(log, "s3cret") || strings.Contains(log, `"level":"WARN"`) {
		t.Errorf("further in the log: %s", log)
	}
}

// TestServePort: a service without a port says how to set one. A port of each source is used, and 0
// is one, too.
func TestServePort(t *testing.T) {
	const unset = `"level":"INFO","msg":"no port is set: the system has chosen a free one","url":"http://127.0.0.1:`
	file := func(port string) string {
		name := filepath.Join(t.TempDir(), "serve.json")
		if err := os.WriteFile(name, []byte(`{"port":`+port+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, port := range []string{"0", "other"} {
		for source, set := range map[string]func(port string) (variables, args []string){
			"flag":         func(port string) ([]string, []string) { return nil, []string{"--port", port} },
			"variable":     func(port string) ([]string, []string) { return []string{"VEPVERIFY_PORT=" + port}, nil },
			"old variable": func(port string) ([]string, []string) { return []string{"PORT=" + port}, nil },
			"file":         func(port string) ([]string, []string) { return []string{"CONFIG_FILES=" + file(port)}, nil },
			"text in file": func(port string) ([]string, []string) { return []string{"CONFIG_FILES=" + file(`"`+port+`"`)}, nil },
		} {
			if port != "0" {
				_, port, _ = net.SplitHostPort(porttest.FreeAddr(t))
			}
			variables, args := set(port)
			s := startServe(t, variables, args...)
			if _, log := s.end(t); strings.Contains(log, unset) || port != "0" && s.URL != "http://127.0.0.1:"+port {
				t.Errorf("%s: port %s: it listens at %s: %s", source, port, s.URL, log)
			}
		}
	}
	for _, variables := range [][]string{nil, {"PORT="}, {"VEPVERIFY_PORT=tcp://10.96.0.1:8080"}} {
		s := startServe(t, variables)
		if _, log := s.end(t); strings.Count(log, unset) != 1 || !strings.Contains(log, `"url":"`+s.URL+`","advice":"set --port, or the variable PORT`) {
			t.Errorf("%q: the log is %s", variables, log)
		}
	}
}

// TestServeAddresses: addresses in every usual form.
func TestServeAddresses(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string // how the URL begins
	}{
		{[]string{"--address", "::1"}, "http://[::1]:"},
		{[]string{"--address", "[::1]"}, "http://[::1]:"},
		{[]string{"--address", "localhost"}, "http://127.0.0.1:"},
		{[]string{"--address", "0.0.0.0", "--metrics-address", "[::1]:0"}, "http://0.0.0.0:"},
		{[]string{"--address", "::", "--metrics-address", ":0"}, "http://[::]:"},
	} {
		if s := startServe(t, nil, test.args...); !strings.HasPrefix(s.URL, test.want) {
			t.Errorf("%q: it listens at %s, want %s", test.args, s.URL, test.want)
		}
	}
}

// TestServeSources: an error about a flag names the variable or the file that has set it.
func TestServeSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "serve.json")
	if err := os.WriteFile(file, []byte(`{"fallback":"a b"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ variable, args, want string }{
		{"VEPVERIFY_FALLBACK=a b", "", "--fallback is set by VEPVERIFY_FALLBACK\n"},
		{"FALLBACK_DOMAIN=a b", "", "--fallback is set by FALLBACK_DOMAIN\n"},
		{"CONFIG_FILES=" + file, "", "--fallback is set by " + file + ": fallback\n"},
		{"IP_ADDRESS=x y", "", "--address is set by IP_ADDRESS\n"},
		{"INSECURE_SSL=maybe", "", "INSECURE_SSL: bad value \"maybe\": want true or false (see"},
		{"VEPVERIFY_TLS_CERT=cert.pem", "", "--tls-cert is set by VEPVERIFY_TLS_CERT\n"},
		{"FALLBACK_DOMAIN=a b", "--fallback=http://x", "(see vepverify help serve)\n"},
	} {
		var out, stderr bytes.Buffer
		p := &cli.Process{In: strings.NewReader(""), Out: &out, Err: &stderr, Env: clitest.Env(test.variable), Now: time.Now}
		if code := app().Run(t.Context(), append([]string{"serve"}, strings.Fields(test.args)...), p); code != int(cli.ExitUsage) || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%s %s: status %d, %s", test.variable, test.args, code, stderr.String())
		}
	}
}

// TestServeRefuses: a configuration that cannot be used is an error, with nothing on
// standard output.
func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	bad, unknown, array := filepath.Join(dir, "bad.json"), filepath.Join(dir, "unknown.json"), filepath.Join(dir, "array.json")
	for name, text := range map[string]string{bad: "{", unknown: `{"fallbck":"x"}`, array: `{"fallback":["x"]}`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, test := range []struct {
		variables, args []string
	}{
		{args: []string{"file.txt"}},
		{args: []string{"--port", "65536"}},
		{args: []string{"--port", port}},
		{args: []string{"--metrics-address", taken.Addr().String()}},
		{args: []string{"--metrics-address", "nowhere"}},
		{args: []string{"--metrics-address", "::1:9090"}},
		{args: []string{"--address", "127.0.0.1:8080"}},
		{args: []string{"--address", "not an address"}},
		{args: []string{"--tls-cert", "cert.pem"}},
		{args: []string{"--tls-cert", bad, "--tls-key", bad}},
		{args: []string{"--replay", "redis"}},
		{args: []string{"--replay", "redis://:a%zz@host"}},
		{args: []string{"--undecided-status", "500"}},
		{args: []string{"--shutdown-delay", "6m"}},
		{args: []string{"--shutdown-delay", "-1s"}},
		{args: []string{"--shutdown-delay", "30"}},
		{args: []string{"--log-level", "loud"}},
		{args: []string{"--fallback", "not a domain"}},
		{args: []string{"--keys", bad}},
		{args: []string{"--keys", sampleKeys, "--insecure-ssl"}},
		{args: []string{"--timeout", "0"}},
		{args: []string{"--max-life", "1h"}},
		{args: []string{"--replay", "memory", "--max-life", "0"}},
		{args: []string{"--replay", "memory", "--max-life", "-1s"}},
		{args: []string{"--replay", "memory", "--max-life", "25h"}},
		{args: []string{"--replay", "memory", "--max-life", "24h"}}, // twice --leeway is added
		{variables: []string{"PORT=http"}},
		{variables: []string{"HTTP_TIMEOUT=8s"}},
		{variables: []string{"HTTP_TIMEOUT=0"}},
		{variables: []string{"INSECURE_SSL=perhaps"}},
		{variables: []string{"CONFIG_FILES=" + bad}},
		{variables: []string{"CONFIG_FILES=" + unknown}},
		{variables: []string{"CONFIG_FILES=" + array}},
		{variables: []string{"CONFIG_FILES=" + filepath.Join(dir, "absent.json")}},
	} {
		p := cli.Process{Env: clitest.Env(test.variables...)}
		code, out, stderr := clitest.Run(t, app(), p, append([]string{"serve"}, test.args...)...)
		if code != int(cli.ExitUsage) || out != "" || !strings.HasPrefix(stderr[strings.LastIndex(strings.TrimSpace(stderr), "\n")+1:], "vepverify: ") {
			t.Errorf("%q %q: status %d, %q on standard output, stderr %q", test.variables, test.args, code, out, stderr)
		}
	}
}

// TestServeHidesPasswords: neither the log nor an error has a password.
func TestServeHidesPasswords(t *testing.T) {
	redis := redistest.Start(t)
	s := startServe(t, nil, "--replay", strings.Replace(redis.URL(), "redis://", "redis://user:s3cret@", 1), "--proxy", "http://user:s3cret@127.0.0.1:1")
	_, log := s.end(t)
	_, _, stderr := clitest.Run(t, app(), cli.Process{}, "serve", "--replay", "redis://user:s3cret@[")
	if strings.Contains(log+stderr, "s3cret") {
		t.Errorf("a password shows in %q or %q", log, stderr)
	}
}

// TestServeFinishes: requests that have begun when the service is stopped are
// answered.
func TestServeFinishes(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	idp := idptest.New("placeholder.example").At(sampleTime)
	document, err := json.Marshal(idp.Document())
	if err != nil {
		t.Fatal(err)
	}
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	}))
	defer host.Close()
	idp.Domain = strings.TrimPrefix(host.URL, "http://")
	s := startServe(t, []string{"FORCE_INSECURE_LOOKUP_OVER_HTTP=true"}, "--trusted-issuer", idp.Domain)
	answered := make(chan reply)
	go func() {
		answered <- ask(t, http.DefaultClient, s.URL, idp.Backed("alice@idp.example", idptest.Key("DS128"), relyingParty))
	}()
	<-begun
	s.stop()
	close(release)
	if r := <-answered; r.Status != "okay" {
		t.Errorf("answered with %+v", r)
	}
	if code, _ := s.end(t); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestServeTestSettings: the settings for the test suites of clients.
func TestServeTestSettings(t *testing.T) {
	idp := suiteIssuer(t, httptest.NewTLSServer, "RS256")
	text := idp.Backed("alice@idp.example", idptest.Key("DS128"), relyingParty)
	for _, test := range []struct {
		variable string
		want     reply
	}{
		{"INSECURE_SSL=", reply{code: 200, Status: "failure"}}, // an IP address is not a host of an issuer
		{"INSECURE_SSL=false", reply{code: 200, Status: "failure"}},
		{"INSECURE_SSL=true", reply{code: 200, Status: "okay"}},
		{"INSECURE_SSL=1", reply{code: 200, Status: "okay"}},
		{"TEST_SERVICE_FAILURE=true", reply{code: 503, Status: "failure"}},
	} {
		s := startServe(t, []string{test.variable}, "--trusted-issuer", idp.Domain)
		r := ask(t, http.DefaultClient, s.URL, text)
		if r.code != test.want.code || r.Status != test.want.Status {
			t.Errorf("%s: %+v, want %+v", test.variable, r, test.want)
		}
		if _, log := s.end(t); strings.Contains(log, "WARN") != (strings.HasSuffix(test.variable, "true") || strings.HasSuffix(test.variable, "1")) {
			t.Errorf("%s: the warning is missing, or out of place: %s", test.variable, log)
		}
	}
}

// TestServeMemory: the service sets the garbage collector unless the environment
// does, and restores the settings at its end.
func TestServeMemory(t *testing.T) {
	settings := func() (percent int, limit int64) {
		percent = debug.SetGCPercent(100)
		debug.SetGCPercent(percent)
		return percent, debug.SetMemoryLimit(-1)
	}
	percent, limit := settings()
	for _, test := range []struct {
		variables, args []string
		percent         int
		limit           int64
	}{
		{nil, nil, serve.GCPercent, serve.MemoryLimit},
		{[]string{"GOGC=50"}, nil, percent, serve.MemoryLimit},
		{[]string{"GOMEMLIMIT=1GiB"}, nil, serve.GCPercent, limit},
		{nil, []string{"--replay", "memory"}, percent, limit},
	} {
		s := startServe(t, test.variables, test.args...)
		if p, l := settings(); p != test.percent || l != test.limit {
			t.Errorf("%q %q: %d %%, %d bytes; want %d %%, %d bytes", test.variables, test.args, p, l, test.percent, test.limit)
		}
		s.end(t)
		if p, l := settings(); p != percent || l != limit {
			t.Errorf("%q %q: afterwards %d %%, %d bytes; want %d %%, %d bytes", test.variables, test.args, p, l, percent, limit)
		}
	}
}

// TestServeMaxLife: with a guard, an assertion that is valid for too long is refused,
// unless the limit is raised.
func TestServeMaxLife(t *testing.T) {
	user := idptest.Key("DS128")
	idp := suiteIssuer(t, httptest.NewServer, "RS256")
	certificate := idp.Certificate("alice@"+idp.Domain, user.Public()).With("exp", sampleTime.Add(48*time.Hour).UnixMilli())
	validFor := func(life time.Duration) string {
		return idptest.Backed(certificate, idp.Assertion(relyingParty, user).With("exp", sampleTime.Add(life).UnixMilli()))
	}
	for _, test := range []struct {
		args []string
		life time.Duration
		want string
	}{
		{nil, 24 * time.Hour, "okay"},
		{[]string{"--replay", "memory"}, 10 * time.Minute, "okay"},
		{[]string{"--replay", "memory"}, time.Hour, "failure"},
		{[]string{"--replay", "memory", "--max-life", "1h"}, time.Hour, "okay"},
		{[]string{"--replay", "memory", "--max-life", "1h"}, 2 * time.Hour, "failure"},
		{[]string{"--replay", "memory", "--max-life", "store"}, 23 * time.Hour, "okay"},
		{[]string{"--replay", "memory", "--max-life", "store"}, 25 * time.Hour, "failure"},
	} {
		s := startServe(t, []string{"FORCE_INSECURE_LOOKUP_OVER_HTTP=true"}, test.args...)
		r := ask(t, http.DefaultClient, s.URL, validFor(test.life))
		if r.code != 200 || r.Status != test.want || r.Undecided {
			t.Errorf("%q, %v: %+v", test.args, test.life, r)
		}
		if _, log := s.end(t); strings.Contains(log, `"class":"lifetime"`) != (test.want == "failure") {
			t.Errorf("%q, %v: %s", test.args, test.life, log)
		}
	}
}
