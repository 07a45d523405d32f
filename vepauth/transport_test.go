package vepauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/vepauth"
)

// forAllSchemes runs a test with both schemes, over TLS and over http on this machine.
func forAllSchemes(t *testing.T, test func(t *testing.T, r *remote)) {
	for _, scheme := range []vepauth.Scheme{vepauth.OAuthVEP, vepauth.MACBrowserID} {
		for name, secure := range map[string]bool{"https": true, "http": false} {
			t.Run(string(scheme)+" "+name, func(t *testing.T) { test(t, newRemote(t, secure, vepauth.Config{Scheme: scheme})) })
		}
	}
}

// TestTransport checks that the first request is answered with a challenge, and that the
// following ones are signed at once.
func TestTransport(t *testing.T) {
	forAllSchemes(t, func(t *testing.T, r *remote) {
		res, err := r.client.Get(r.origin + "/public")
		wantAnswer(t, "a public page", res, err, 200, "anonymous ")
		r.want(t, "a public page", "GET /public OK")

		const path = "/a%2Fb/?q=1&q=%C3%A9+x&*"
		res, err = r.client.Get(r.origin + path)
		wantAnswer(t, "first", res, err, 200, alice+" ")
		r.want(t, "first", "GET "+path+" Unauthorized", "POST /request_token OK", "GET signed "+path+" OK")

		form := "application/x-www-form-urlencoded"
		res, err = r.client.Post(r.origin+"/form", form, strings.NewReader("a=b&a=%C3%A9"))
		wantAnswer(t, "form", res, err, 200, alice+" a=b&a=%C3%A9")
		res, err = r.client.Post(r.origin+"/form", form, streamed("a=b"))
		wantAnswer(t, "streamed form", res, err, 200, alice+" a=b")
		res, err = r.client.Post(r.origin+"/json", "application/json", streamed(`{"a":1}`))
		wantAnswer(t, "streamed", res, err, 200, alice+` {"a":1}`)
		res, err = r.client.Get(r.origin + "/public")
		wantAnswer(t, "a public page, again", res, err, 200, alice+" ")
		r.want(t, "then", "POST signed /form OK", "POST signed /form OK", "POST signed /json OK", "GET signed /public OK")
	})
}

// TestTransportBodies checks that a request is sent again only if its body can be read again.
func TestTransportBodies(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		body    io.Reader
		getBody func() (io.ReadCloser, error)
		status  int
		err     error
	}{
		"none":                  {nil, nil, 200, nil},
		"http.NoBody":           {http.NoBody, nil, 200, nil},
		"with GetBody":          {strings.NewReader("hello"), nil, 200, nil},
		"without GetBody":       {streamed("hello"), nil, 401, nil},
		"GetBody with an error": {streamed("hello"), func() (io.ReadCloser, error) { return nil, broken }, 0, broken},
	} {
		r := newRemote(t, false, vepauth.Config{})
		body := ""
		if test.status == 200 && strings.HasPrefix(name, "with") {
			body = "hello"
		}
		q := mustRequest(t, "PUT", r.origin+"/x", test.body)
		if test.getBody != nil {
			q.GetBody = test.getBody
		}
		res, err := r.client.Do(q)
		if test.err != nil {
			if !errors.Is(err, test.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantAnswer(t, name, res, err, test.status, alice+" "+body)
		if test.status == 401 {
			r.want(t, name, "PUT /x Unauthorized")
		}
	}
}

// TestTransportLeavesRequest checks that the caller's request is not modified, that the answer
// refers to it, and that all bodies are closed.
func TestTransportLeavesRequest(t *testing.T) {
	forAllSchemes(t, func(t *testing.T, r *remote) {
		count := &bodies{base: r.transport.Base}
		r.transport.Base = count
		for _, what := range []string{"unsigned first", "signed at once", "expired"} {
			if what == "expired" {
				r.advance(6 * 60 * 1e9)
			}
			sent := &body{Reader: strings.NewReader("a=b"), count: count}
			count.open++
			q := form(mustRequest(t, "POST", r.origin+"/x", sent))
			q.GetBody = func() (io.ReadCloser, error) {
				count.opened()
				return &body{Reader: strings.NewReader("a=b"), count: count}, nil
			}
			before, url := q.Header.Clone(), *q.URL
			res, err := r.transport.RoundTrip(q)
			if err != nil {
				t.Fatal(err)
			}
			if res.Request != q {
				t.Errorf("%s: the answer is another request's", what)
			}
			wantAnswer(t, what, res, err, 200, alice+" a=b")
			if cmp.Diff(before, q.Header) != "" || *q.URL != url || q.Body != io.ReadCloser(sent) || q.Host != url.Host {
				t.Errorf("%s: the request has changed: %v", what, q)
			}
			if n := count.left(); n != 0 {
				t.Errorf("%s: %d bodies left open", what, n)
			}
		}
	})
}

// TestTransportPassesOn checks the requests that a Transport does not sign: the result is an
// error before anything is sent, or the unchanged answer.
func TestTransportPassesOn(t *testing.T) {
	r := newRemote(t, false, vepauth.Config{})
	count := &bodies{base: r.transport.Base}

	none := &vepauth.Transport{Base: count}
	sent := &body{Reader: strings.NewReader("x"), count: count}
	count.opened()
	if _, err := none.RoundTrip(mustRequest(t, "POST", r.origin+"/x", sent)); err == nil || count.left() != 0 {
		t.Errorf("no Assertion: %v, %d bodies left open", err, count.left())
	}
	r.want(t, "no Assertion")

	res, err := r.client.Do(header(mustRequest(t, "GET", r.origin+"/x", nil), "Authorization", "Basic eDp5"))
	wantAnswer(t, "an Authorization of its own", res, err, 401, "")
	r.want(t, "an Authorization of its own", "GET signed /x Unauthorized")

	if _, err := r.transport.RoundTrip(&http.Request{}); err == nil {
		t.Error("a request without URL was sent")
	}

	refused := errors.New("not there")
	r.transport.Assertion = func(context.Context, string) (string, error) { return "", refused }
	if _, err := r.client.Get(r.origin + "/x"); !errors.Is(err, refused) {
		t.Errorf("an Assertion with an error: %v", err)
	}
	r.want(t, "an Assertion with an error", "GET /x Unauthorized")
}

// TestTransportCannotSign checks that a request that cannot be signed is an error, and that
// its body is closed.
func TestTransportCannotSign(t *testing.T) {
	r := newRemote(t, false, vepauth.Config{})
	count := &bodies{base: r.transport.Base}
	r.transport.Base = count
	res, err := r.client.Get(r.origin + "/x")
	wantAnswer(t, "first", res, err, 200, alice+" ")
	r.take()
	for path, isForm := range map[string]bool{"/x": true, "/x?%zz": false} {
		sent := &body{Reader: strings.NewReader("%zz"), count: count}
		count.opened()
		q := mustRequest(t, "POST", r.origin+path, sent)
		if isForm {
			form(q)
		}
		if _, err := r.client.Do(q); err == nil || count.left() != 0 {
			t.Errorf("%s, which has no base string: %v, %d bodies left open", path, err, count.left())
		}
	}
	r.transport.Method = "PLAINTEXT"
	r.advance(6 * 60 * 1e9)
	if _, err := r.client.Get(r.origin + "/x"); !errors.Is(err, vepauth.ErrCredentials) {
		t.Errorf("an unknown method: %v", err)
	}
}

// TestTransportMethod checks that the configured signature method is used.
func TestTransportMethod(t *testing.T) {
	for scheme, want := range map[vepauth.Scheme]string{vepauth.OAuthVEP: "HMAC-SHA256", vepauth.MACBrowserID: "MAC id="} {
		r := newRemote(t, false, vepauth.Config{Scheme: scheme})
		r.transport.Method = vepauth.HMACSHA256
		var header string
		next := r.requestLog.next
		r.requestLog.next = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			header = q.Header.Get("Authorization")
			next.ServeHTTP(w, q)
		})
		res, err := r.client.Get(r.origin + "/x")
		wantAnswer(t, want, res, err, 200, alice+" ")
		if !strings.Contains(header, want) {
			t.Errorf("not with %s: %s", want, header)
		}
	}
}

// TestTransportApplications checks that each application has credentials of its own, which
// are chosen by the path of the request.
func TestTransportApplications(t *testing.T) {
	r := newRemote(t, true, vepauth.Config{
		TokenURL: "/{application}/{version}/token", Applications: map[string][]string{"sync": {"1", "2"}, "notes": {"1"}},
	})
	for range 2 {
		for _, path := range []string{"/sync/1/a", "/sync/2/a", "/notes/1/a", "/sync/1/b"} {
			res, err := r.client.Get(r.origin + path)
			wantAnswer(t, path, res, err, 200, alice+" ")
		}
	}
	lines := r.take()
	tokens := 0
	for _, line := range lines {
		if strings.HasPrefix(line, "POST /") {
			tokens++
		}
	}
	second := []string{"GET signed /sync/1/a OK", "GET signed /sync/2/a OK", "GET signed /notes/1/a OK", "GET signed /sync/1/b OK"}
	if tokens != 3 || !slices.Equal(lines[len(lines)-4:], second) {
		t.Errorf("%d tokens: %q", tokens, lines)
	}
}

// roundTrip is a Base that calls the function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestManyChallenges checks the limits of the size and number of challenges.
func TestManyChallenges(t *testing.T) {
	for name, test := range map[string]struct {
		headers []string
		asked   bool
	}{
		"one":            {[]string{`OAuth+VEP url="/t"`}, true},
		"after others":   {[]string{"a,b,c", `OAuth+VEP url="/t"`}, true},
		"after too many": {[]string{strings.Repeat("a,", 33), `OAuth+VEP url="/t"`}, false},
		"after too much": {[]string{strings.Repeat("a", 16<<10), `OAuth+VEP url="/t"`}, false},
		"in one header":  {[]string{strings.Repeat("a,", 33) + `OAuth+VEP url="/t"`}, false},
		"a long name":    {[]string{`OAuth+VEP ` + strings.Repeat("x", 65) + `="y", url="/t"`}, false},
	} {
		asked := false
		transport := &vepauth.Transport{
			Assertion: func(context.Context, string) (string, error) { asked = true; return "a~b", nil },
			Base: roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 401, Header: http.Header{"Www-Authenticate": test.headers}, Body: http.NoBody, Request: r}, nil
			}),
		}
		res, err := transport.RoundTrip(mustRequest(t, "GET", data, nil))
		if err == nil {
			res.Body.Close()
		}
		if asked != test.asked {
			t.Errorf("%s: asked: %v, %v", name, asked, err)
		}
	}
}
