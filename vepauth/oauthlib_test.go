package vepauth_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/vepverify/vepverify/internal/testtool"
	"github.com/vepverify/vepverify/vepauth"
)

// oauthlibRequest is a request that oauthlib_client.py signs and sends.
type oauthlibRequest struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	URI    string `json:"uri"`
	Hash   string `json:"hash"`
	Body   string `json:"body,omitempty"`
	Realm  string `json:"realm,omitempty"`
}

type oauthlibJob struct {
	Host      string            `json:"host"`
	Port      int               `json:"port"`
	TLS       bool              `json:"tls"`
	Key       string            `json:"key,omitempty"`
	Secret    string            `json:"secret,omitempty"`
	Assertion string            `json:"assertion,omitempty"`
	Resource  string            `json:"resource,omitempty"`
	Requests  []oauthlibRequest `json:"requests"`
}

// python returns Debian's own interpreter: another one may not have Debian's packages.
func python(t *testing.T) string {
	t.Helper()
	const interpreter = "/usr/bin/python3"
	if err := exec.Command(interpreter, "-c", "import oauthlib.oauth1").Run(); err != nil {
		testtool.Missing(t, "python3-oauthlib")
	}
	return interpreter
}

// runJobs returns the status and body of each answer, job by job.
func runJobs(t *testing.T, jobs ...oauthlibJob) [][]answer {
	t.Helper()
	input, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/oauthlib_client.py") // so that go test notices changes
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python(t), "-c", string(script))
	command.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var pairs [][][2]any
	if err := json.Unmarshal(out, &pairs); err != nil || len(pairs) != len(jobs) {
		t.Fatalf("%v\n%s", err, out)
	}
	all := make([][]answer, len(jobs))
	for i, answers := range pairs {
		if len(answers) != len(jobs[i].Requests) {
			t.Fatalf("%d answers to %d requests", len(answers), len(jobs[i].Requests))
		}
		for _, p := range answers {
			all[i] = append(all[i], answer{status: int(p[0].(float64)), body: p[1].(string)})
		}
	}
	return all
}

// job returns a job for a server.
func job(t *testing.T, server *httptest.Server) oauthlibJob {
	t.Helper()
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return oauthlibJob{Host: host, Port: number, TLS: server.TLS != nil}
}

// oauthlibRequests returns the requests of testdata/oauth_requests.json, which some signers
// sign differently, to an origin.
func oauthlibRequests(t *testing.T, origin string) []oauthlibRequest {
	t.Helper()
	text, err := os.ReadFile("testdata/oauth_requests.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []oauthlibRequest
	for _, hash := range []string{vepauth.HMACSHA1, vepauth.HMACSHA256} {
		var some []oauthlibRequest
		if err := json.Unmarshal(text, &some); err != nil {
			t.Fatal(err)
		}
		for _, r := range some {
			r.Name, r.URI, r.Hash = hash+" "+origin+" "+r.Name, origin+r.URI, hash
			all = append(all, r)
		}
	}
	return all
}

// oauthlibServer starts a server whose clock is the real time.
func oauthlibServer(t *testing.T, tls bool, c vepauth.Config) (*httptest.Server, *site) {
	t.Helper()
	s := newSite(t, &c)
	s.setToNow()
	server := httptest.NewUnstartedServer(s.auth.Require(http.HandlerFunc(echo)))
	if tls {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, s
}

// TestOAuthlib checks that python3-oauthlib, an independent implementation, signs requests
// as this package does: it signs in over a socket and sends the requests. The first origin of
// each server gets all requests, the others a few.
func TestOAuthlib(t *testing.T) {
	python(t)
	var jobs []oauthlibJob
	for _, test := range []struct {
		tls     bool
		public  string
		origins []string
	}{
		{false, "", []string{"http://rp.example:80", "http://rp.example", "http://RP.Example", "http://rp.example:8080", "http://127.0.0.1:80",
			"http://[2001:db8::1]", "http://[2001:DB8::1]:80", "http://[::1]:8080", "http://rp.example:443"}},
		{true, "", []string{"https://[::1]:443", "https://rp.example", "https://rp.example:443", "https://rp.example:8443", "https://[::1]:8443",
			"https://rp.example:80"}},
		{false, rp, []string{"https://rp.example:443", "https://rp.example"}}, // behind a proxy
	} {
		server, s := oauthlibServer(t, test.tls, vepauth.Config{PublicOrigin: test.public, Audiences: test.origins})
		for i, origin := range test.origins {
			j := job(t, server)
			j.Resource, j.Assertion = origin+"/data", idp.At(s.now()).Backed(alice, userKey, origin)
			j.Requests = oauthlibRequests(t, origin)
			if i > 0 {
				j.Requests = j.Requests[:4]
			}
			jobs = append(jobs, j)
		}
	}
	for i, answers := range runJobs(t, jobs...) {
		for k, got := range answers {
			r := jobs[i].Requests[k]
			if want := alice + " " + r.Body; got.status != 200 || got.body != want {
				t.Errorf("%s: %d %s; want %s", r.Name, got.status, got.body, want)
			}
		}
	}
}

// TestOAuthlibRefused checks that its requests are refused if they are signed with another
// secret, or for another origin.
func TestOAuthlibRefused(t *testing.T) {
	server, s := oauthlibServer(t, false, vepauth.Config{PublicOrigin: rp})
	a := s.do(tokenRequest(endpoint, idp.At(s.now()).Backed(alice, userKey, rp)))
	own := job(t, server)
	own.Key, own.Secret, own.Requests = a.member("oauth_consumer_key"), a.member("oauth_consumer_secret"), oauthlibRequests(t, rp)[:1]
	c := newSite(t, nil).login(endpoint) // of another site
	another, guessed, elsewhere := own, own, own
	another.Key, another.Secret = c.ID, c.Secret
	guessed.Secret = "x" + own.Secret
	elsewhere.Requests = oauthlibRequests(t, "http://rp.example")[:1]
	for i, answers := range runJobs(t, own, another, guessed, elsewhere) {
		check(t, []string{"its own", "another's token", "another secret", "another origin"}[i], answers[0], []int{200, 401, 401, 401}[i])
	}
}
