package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// oauthOrigins are the origins that clients send requests to. The first gets all requests,
// each of the others four.
var oauthOrigins = []string{
	"http://rp.example", "http://RP.Example", "http://rp.example:80", "http://rp.example:443", "http://rp.example:8080",
	"http://[2001:db8::1]", "http://[2001:db8::1]:80",
}

// oauthHashes are the signature methods.
var oauthHashes = []string{vepauth.HMACSHA1, vepauth.HMACSHA256}

// The members of the questions to the clients, which vepauth/testdata/oauthlib_client.py
// describes.
type (
	oauthRequest struct {
		Name   string  `json:"name"`
		Method string  `json:"method"`
		URI    string  `json:"uri"`
		Hash   string  `json:"hash"`
		Body   *string `json:"body,omitempty"`
		Realm  string  `json:"realm,omitempty"`
	}
	oauthJob struct {
		Host     string         `json:"host"`
		Port     int            `json:"port"`
		TLS      bool           `json:"tls"`
		Key      string         `json:"key"`
		Secret   string         `json:"secret"`
		Requests []oauthRequest `json:"requests"`
	}
)

// oauthAnswer is the status and the body of an answer.
type oauthAnswer struct {
	status int
	body   string
}

func (a *oauthAnswer) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&a.status, &a.body})
}

// oauthClient signs and sends the requests of some jobs.
type oauthClient func(context.Context, []oauthJob) ([][]oauthAnswer, error)

// oauthRequests returns the requests that some signers sign differently.
func oauthRequests() ([]oauthRequest, error) {
	text, err := os.ReadFile("../../vepauth/testdata/oauth_requests.json")
	if err != nil {
		return nil, err
	}
	var all []oauthRequest
	err = json.Unmarshal(text, &all)
	return all, err
}

// oauthRequestsTo returns requests to an origin with each signature method. To all origins
// but the first, they are named after the origin.
func oauthRequestsTo(i int) ([]oauthRequest, error) {
	some, err := oauthRequests()
	if err != nil {
		return nil, err
	}
	if i > 0 {
		some = slices.DeleteFunc(some, func(r oauthRequest) bool { return r.URI == "" })[:4]
	}
	var all []oauthRequest
	for _, hash := range oauthHashes {
		for _, r := range some {
			r.Hash, r.URI = hash, oauthOrigins[i]+r.URI
			if i > 0 {
				r.Name = "to " + oauthOrigins[i]
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// runOAuthClient has a client sign requests to a vepauth server and to one with
// python3-oauthlib. The reasons explain refused requests by name.
func runOAuthClient(ctx context.Context, client oauthClient, reasons map[string]string) (table, error) {
	server, err := newOAuthServer()
	if err != nil {
		return nil, err
	}
	defer server.Close()
	byUs, err := server.accepted(ctx, client)
	if err != nil {
		return nil, err
	}
	byOAuthlib, err := acceptedByOAuthlib(ctx, client)
	if err != nil {
		return nil, err
	}
	t := newTable("requests signed by the peer", "accepted by ours", "accepted by python3-oauthlib", "why the others are refused")
	t.add(allRequests, byUs.ratio(allRequests), byOAuthlib.ratio(allRequests), "")
	t.add(otherSecret, byUs.ratio(otherSecret), byOAuthlib.ratio(otherSecret), "")
	for _, name := range byUs.names {
		r, other := byUs.ratio(name), byOAuthlib.ratio(name)
		if name != allRequests && name != otherSecret && (r.good < r.all || other.good < other.all) {
			t.add(name, r, other, cmp.Or(reasons[name], "not explained"))
		}
	}
	return t, nil
}

// accepted counts accepted requests by name.
type accepted struct {
	names  []string // in the order in which they were counted
	ratios map[string]*ratio
}

func (a *accepted) count(name string, good bool) {
	if a.ratios[name] == nil {
		if a.ratios == nil {
			a.ratios = map[string]*ratio{}
		}
		a.ratios[name] = new(ratio)
		a.names = append(a.names, name)
	}
	a.ratios[name].count(good)
}

func (a *accepted) ratio(name string) ratio { return *a.ratios[name] }

// The names of the rows that are always in the table.
const (
	allRequests = "all"
	otherSecret = "all to the first origin, with another secret"
)

// acceptedOf has a client send the requests to all origins with the credentials of some
// jobs, and those to the first origin with another secret. It counts the answers that the
// function accepts.
func acceptedOf(ctx context.Context, client oauthClient, jobs []oauthJob, accepts func(oauthRequest, oauthAnswer) bool) (a accepted, err error) {
	for i := range jobs {
		if jobs[i].Requests, err = oauthRequestsTo(i); err != nil {
			return a, err
		}
	}
	thief := jobs[0]
	thief.Secret = "x" + thief.Secret
	jobs = append(jobs, thief)
	answers, err := client(ctx, jobs)
	if err != nil {
		return a, err
	}
	for i, j := range jobs {
		if i >= len(answers) || len(answers[i]) != len(j.Requests) {
			return a, errors.New("the client did not answer to each request")
		}
		for k, r := range j.Requests {
			good := accepts(r, answers[i][k])
			if i == len(jobs)-1 {
				a.count(otherSecret, good)
				continue
			}
			a.count(allRequests, good)
			a.count(r.Name, good)
		}
	}
	return a, nil
}

// echo returns the body of the answer of oauthServer to a request that it accepts.
func (r oauthRequest) echo() string {
	if r.Body == nil {
		return oauthEmail + " "
	}
	return oauthEmail + " " + *r.Body
}

const oauthEmail = "alice@idp.example"

// oauthServer is a vepauth server.
type oauthServer struct {
	*httptest.Server
	idp *idptest.IdP
}

func newOAuthServer() (*oauthServer, error) {
	idp := idptest.New("idp.example")
	known, err := wellknown.NewStatic(map[string]json.RawMessage{idp.Domain: idp.Document().JSON()})
	if err != nil {
		return nil, err
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: known})
	if err != nil {
		return nil, err
	}
	auth, err := vepauth.New(vepauth.Config{Audiences: oauthOrigins, Verifier: verifier, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return &oauthServer{httptest.NewServer(auth.Require(http.HandlerFunc(echo))), idp}, nil
}

// echo answers with the signer and the body.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	signer, _ := vepauth.FromContext(r.Context())
	fmt.Fprintf(w, "%s %s", signer.Email, body)
}

// accepted counts the requests of a client that the server accepts.
func (s *oauthServer) accepted(ctx context.Context, client oauthClient) (a accepted, err error) {
	var jobs []oauthJob
	for _, origin := range oauthOrigins {
		j, err := s.job(ctx, origin)
		if err != nil {
			return a, err
		}
		jobs = append(jobs, j)
	}
	return acceptedOf(ctx, client, jobs, func(r oauthRequest, answer oauthAnswer) bool {
		return answer == oauthAnswer{200, r.echo()}
	})
}

// job signs in at an origin, and returns a job with the credentials.
func (s *oauthServer) job(ctx context.Context, origin string) (oauthJob, error) {
	address := s.Listener.Addr().(*net.TCPAddr)
	j := oauthJob{Host: address.IP.String(), Port: address.Port}
	form := url.Values{"assertion": {s.idp.Backed(oauthEmail, idptest.Key("DS128"), origin)}}
	r, err := http.NewRequestWithContext(ctx, "POST", origin+vepauth.DefaultTokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return j, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := send(clientTo(address.String()), r)
	if err != nil {
		return j, err
	}
	var token struct {
		Key    string `json:"oauth_consumer_key"`
		Secret string `json:"oauth_consumer_secret"`
	}
	if err := json.Unmarshal([]byte(a.body), &token); err != nil || a.status != http.StatusOK {
		return j, fmt.Errorf("token request: status %d: %s", a.status, a.body)
	}
	j.Key, j.Secret = token.Key, token.Secret
	return j, nil
}

// clientTo returns a client that sends every request to one address.
func clientTo(address string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}
}

func send(c *http.Client, r *http.Request) (oauthAnswer, error) {
	response, err := c.Do(r)
	if err != nil {
		return oauthAnswer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return oauthAnswer{response.StatusCode, string(body)}, err
}

// newRequest returns a request before it is signed.
func (r oauthRequest) newRequest(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		body = strings.NewReader(*r.Body)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URI, body)
	if err == nil && r.Body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request, err
}

func (j oauthJob) address() string { return net.JoinHostPort(j.Host, strconv.Itoa(j.Port)) }
