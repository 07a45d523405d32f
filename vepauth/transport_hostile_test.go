package vepauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/vepauth"
)

const (
	madeUpToken  = "TOKEN-7391"
	madeUpSecret = "SECRET-5528"
	madeUpAnswer = `{"oauth_consumer_key":"` + madeUpToken + `","oauth_consumer_secret":"` + madeUpSecret + `"}`
)

// hostile is a server with configured challenges and token answers. It accepts every signed
// request.
type hostile struct {
	*httptest.Server
	requestLog
	challenges []string
	token      http.HandlerFunc
	assertions []string // that were posted
	made       int
}

func newHostile(t testing.TB) *hostile {
	h := &hostile{challenges: []string{`OAuth+VEP url="/t"`}}
	h.next = http.HandlerFunc(h.serve)
	h.Server = httptest.NewServer(&h.requestLog)
	t.Cleanup(h.Close)
	return h
}

func (h *hostile) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.FormValue("assertion") != "":
		h.assertions = append(h.assertions, r.FormValue("assertion"))
		if h.token != nil {
			h.token(w, r)
			return
		}
		fmt.Fprint(w, madeUpAnswer)
	case r.Header.Get("Authorization") == "":
		w.Header()["Www-Authenticate"] = h.challenges
		w.WriteHeader(401)
	}
}

// client returns a client without credentials.
func (h *hostile) client() *http.Client {
	h.take()
	h.assertions, h.made = nil, 0
	return &http.Client{Transport: &vepauth.Transport{
		Assertion: func(_ context.Context, audience string) (string, error) {
			h.made++
			return "ASSERTION~FOR:" + audience, nil
		},
		Base: h.Server.Client().Transport,
	}}
}

// TestTransportChallenges checks that an assertion is posted to the origin that was asked,
// whatever the challenge says.
func TestTransportChallenges(t *testing.T) {
	h, evil := newHostile(t), newHostile(t)
	port := h.URL[strings.LastIndexByte(h.URL, ':'):]
	for _, test := range []struct {
		challenges []string
		path       string // where the assertion is posted
		err        bool   // there is an error; otherwise the 401 is the answer
	}{
		{[]string{`OAuth+VEP url="/t"`}, "/t", false},
		{[]string{`oauth+vep URL="/t"`}, "/t", false},
		{[]string{`OAuth+VEP url="t?a=b#c"`}, "/a/t?a=b", false},
		{[]string{`OAuth+VEP url="../t"`}, "/t", false},
		{[]string{`OAuth+VEP url="` + h.URL + `/t%2Fx"`}, "/t%2Fx", false},
		{[]string{`OAuth+VEP url="` + strings.Replace(h.URL, "http", "HTTP", 1) + `"`}, "/", false},
		{[]string{`OAuth+VEP url="//` + h.Listener.Addr().String() + `/t"`}, "/t", false},
		{[]string{`OAuth+VEP url="/\\evil.example/t"`}, "/%5Cevil.example/t", false},
		{[]string{`Basic realm="x"`, `OAuth+VEP url="/t"`}, "/t", false},
		{[]string{`Basic realm="x", Negotiate a==, OAuth+VEP url="/t", Foo`}, "/t", false},
		{[]string{`MAC+BrowserID url="/mac", OAuth+VEP url="/t"`}, "/t", false},
		{[]string{`OAuth+VEP url="` + evil.URL + `"; x`, `OAuth+VEP url="/t"`}, "/t", false},
		{[]string{`OAuth+VEP url="/t", Foo @`}, "/t", false},

		{[]string{`OAuth+VEP url="` + evil.URL + `/t"`}, "", true},
		{[]string{`OAuth+VEP url="//` + evil.Listener.Addr().String() + `/t"`}, "", true},
		{[]string{`OAuth+VEP url="https://127.0.0.1` + port + `/t"`}, "", true},
		{[]string{`OAuth+VEP url="http://localhost` + port + `/t"`}, "", true},
		{[]string{`OAuth+VEP url="http://127.0.0.1/t"`}, "", true},
		{[]string{`OAuth+VEP url="http://127.0.0.1` + port + `.evil.example/t"`}, "", true},
		{[]string{`OAuth+VEP url="http://127.0.0.1` + port + `@evil.example/t"`}, "", true},
		{[]string{`OAuth+VEP url="http://evil@127.0.0.1` + port + `/t"`}, "", true},
		{[]string{`OAuth+VEP url="http:t"`}, "", true},
		{[]string{`OAuth+VEP url="javascript:alert(1)"`}, "", true},
		{[]string{`OAuth+VEP url="file:///etc/passwd"`}, "", true},
		{[]string{`OAuth+VEP url="/%zz"`}, "", true},
		{[]string{`OAuth+VEP url="/t?a b"`}, "", true},
		{[]string{`OAuth+VEP url="/t?x HTTP/1.1"`}, "", true},
		{[]string{`OAuth+VEP url="/t x"`}, "", true},
		{[]string{"OAuth+VEP url=\"/t\t\""}, "", true},
		{[]string{`OAuth+VEP url="/t?%zz"`}, "", true},
		{[]string{`OAuth+VEP url="/t?é"`}, "", true},
		{[]string{`OAuth+VEP url="/é"`}, "", true},
		{[]string{`OAuth+VEP url="/t?a=http://é"`}, "", true},
		{[]string{`OAuth+VEP url="http://[::1"`}, "", true},
		{[]string{`OAuth+VEP url=""`}, "", true},
		{[]string{"OAuth+VEP"}, "", true},
		{[]string{`OAuth+VEP uri="/t"`}, "", true},
		{[]string{`OAuth+VEP url=/t`}, "", true},
		{[]string{`OAuth+VEP url="/t" url="/u"`}, "", true},
		{[]string{`OAuth+VEP url="/t", url="/u"`}, "", true},

		{nil, "", false},
		{[]string{""}, "", false},
		{[]string{`Basic realm="OAuth+VEP url=/t"`}, "", false},
		{[]string{`OAuth url="/t"`}, "", false},
		{[]string{strings.Repeat("x,", 9000) + `OAuth+VEP url="/t"`}, "", false},
	} {
		h.challenges = test.challenges
		res, err := h.client().Get(h.URL + "/a/x")
		if err == nil {
			res.Body.Close()
		}
		asked, what := h.take(), fmt.Sprintf("%.200q", test.challenges)
		switch {
		case test.path != "":
			if err != nil || res.StatusCode != 200 || len(asked) != 3 || asked[1] != "POST "+test.path+" OK" {
				t.Errorf("%s: %v, %q", what, err, asked)
			}
			if len(h.assertions) != 1 || h.assertions[0] != "ASSERTION~FOR:"+h.URL {
				t.Errorf("%s: %q", what, h.assertions)
			}
			continue
		case test.err && !errors.Is(err, vepauth.ErrChallenge), !test.err && (err != nil || res.StatusCode != 401):
			t.Errorf("%s: %v", what, err)
		}
		if len(asked) != 1 || h.made != 0 {
			t.Errorf("%s: %q, %d assertions", what, asked, h.made)
		}
	}
	evil.want(t, "evil", []string(nil)...)
}

// TestTransportTokenAnswers checks that a bad answer of a token endpoint is an error that
// contains no secret, and that nothing is sent elsewhere.
func TestTransportTokenAnswers(t *testing.T) {
	h, evil := newHostile(t), newHostile(t)
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	status := func(status int, more ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(more); i += 2 {
				w.Header().Set(more[i], more[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, madeUpAnswer, r.FormValue("assertion"))
		}
	}
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(conn, text, r.FormValue("assertion"))
			conn.Close()
		}
	}
	mac := func(members string) http.HandlerFunc {
		return body(`{"id":"` + madeUpToken + `","key":"` + madeUpSecret + `"` + members + `}`)
	}
	const mchallenge = `MAC+BrowserID url="/t"`
	for name, test := range map[string]struct {
		token     http.HandlerFunc
		challenge string
		status    int // of the TokenError; -1 means no error
	}{
		"extra members":           {body(`{"a":[{}],` + madeUpAnswer[1:]), "", -1},
		"extra members, mac":      {mac(`,"algorithm":"hmac-sha-1","uid":7,"duration":"long"`), mchallenge, -1},
		"space around":            {body(" \n" + madeUpAnswer + "\n"), "", -1},
		"odd duration":            {body(`{"duration":-1e99,` + madeUpAnswer[1:]), "", -1},
		"nothing":                 {body(""), "", 200},
		"HTML":                    {body("<html>" + madeUpSecret), "", 200},
		"an array":                {body("[" + madeUpAnswer + "]"), "", 200},
		"trailing data":           {body(madeUpAnswer + madeUpAnswer), "", 200},
		"cut off":                 {body(madeUpAnswer[:len(madeUpAnswer)-3]), "", 200},
		"a name twice":            {body(`{"oauth_consumer_key":"x",` + madeUpAnswer[1:]), "", 200},
		"no token":                {body(`{"oauth_consumer_secret":"` + madeUpSecret + `"}`), "", 200},
		"no secret":               {body(`{"oauth_consumer_key":"` + madeUpToken + `"}`), "", 200},
		"other case":              {body(strings.ToUpper(madeUpAnswer)), "", 200},
		"an empty token":          {body(strings.Replace(madeUpAnswer, madeUpToken, "", 1)), "", 200},
		"an empty secret":         {body(strings.Replace(madeUpAnswer, madeUpSecret, "", 1)), "", 200},
		"a number":                {body(strings.Replace(madeUpAnswer, `"`+madeUpSecret+`"`, "7", 1)), "", 200},
		"null":                    {body(strings.Replace(madeUpAnswer, `"`+madeUpSecret+`"`, "null", 1)), "", 200},
		"the other scheme's":      {body(madeUpAnswer), mchallenge, 200},
		"no algorithm":            {mac(""), mchallenge, 200},
		"another algorithm":       {mac(`,"algorithm":"hmac-sha-256"`), mchallenge, 200},
		"a line break":            {body(strings.Replace(madeUpAnswer, "TOKEN", `T\r\nX-Evil: 1`, 1)), "", 200},
		"a zero byte":             {body(strings.Replace(madeUpAnswer, "TOKEN", `T\u0000`, 1)), "", 200},
		"not ASCII":               {body(strings.Replace(madeUpAnswer, "TOKEN", "é", 1)), "", 200},
		"not UTF-8":               {body(strings.Replace(madeUpAnswer, "TOKEN", "\xff", 1)), "", 200},
		"huge":                    {body(strings.Replace(madeUpAnswer, "TOKEN", strings.Repeat("x", 64<<10), 1)), "", 200},
		"deep":                    {body(strings.Repeat(`{"a":`, 9000)), "", 200},
		"created":                 {status(201), "", 201},
		"no content":              {status(204), "", 204},
		"found elsewhere":         {status(302, "Location", evil.URL), "", 302},
		"see elsewhere":           {status(303, "Location", evil.URL), "", 303},
		"post elsewhere":          {status(307, "Location", evil.URL), "", 307},
		"post here":               {status(308, "Location", "/u"), "", 308},
		"refused":                 {status(400), "", 400},
		"challenged":              {status(401, "WWW-Authenticate", `OAuth+VEP url="/u"`), "", 401},
		"broken":                  {status(500), "", 500},
		"unavailable":             {status(503, "Retry-After", "5"), "", 503},
		"no answer":               {raw(""), "", 0},
		"no HTTP":                 {raw("%s\r\n\r\n"), "", 0},
		"the assertion as status": {raw("HTTP/1.1 %s\r\n\r\n"), "", 0},
		"a body cut off":          {raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.ReplaceAll(madeUpAnswer, "%", "%%") + "%s"), "", 0},
	} {
		h.token, h.challenges = test.token, []string{`OAuth+VEP url="/t"`}
		if test.challenge != "" {
			h.challenges = []string{test.challenge}
		}
		res, err := h.client().Get(h.URL + "/x")
		if test.status < 0 {
			wantAnswer(t, name, res, err, 200, "")
			continue
		}
		var failed *vepauth.TokenError
		if !errors.As(err, &failed) || failed.Status != test.status || failed.Origin != h.URL || (failed.Status == 0 && failed.Err == nil) {
			t.Errorf("%s: %#v", name, err)
			continue
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %s", err, err, err)} {
			for _, secret := range []string{madeUpToken, madeUpSecret, "ASSERTION", "\r", "X-Evil"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s: %s", name, text)
				}
			}
		}
		if asked := h.take(); len(asked) > 2 || len(asked) == 2 && !strings.HasPrefix(asked[1], "POST /t ") {
			t.Errorf("%s: %q", name, asked)
		}
	}
	evil.want(t, "evil", []string(nil)...)
}

// TestTransportStall checks that the context bounds the time of a token endpoint that never
// answers.
func TestTransportStall(t *testing.T) {
	h := newHostile(t)
	gone := make(chan struct{})
	h.token = func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-gone
	}
	defer close(gone)
	client := h.client()
	client.Timeout = 50 * time.Millisecond
	_, err := client.Get(h.URL + "/x")
	var failed *vepauth.TokenError
	if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &failed) {
		t.Errorf("%v", err)
	}
}

// TestTransportRedirects checks that credentials and assertions stay with the origin, whatever
// it redirects to.
func TestTransportRedirects(t *testing.T) {
	h, evil := newHostile(t), newHostile(t)
	client := h.client()
	next := h.next
	h.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(307)
			return
		}
		next.ServeHTTP(w, r)
	})
	to := func(u string) string { return h.URL + "/r?to=" + url.QueryEscape(u) }
	get := func(u string) error {
		res, err := client.Get(u)
		if err == nil {
			res.Body.Close()
		}
		return err
	}

	if err := get(to("/x")); err != nil {
		t.Error(err)
	}
	h.want(t, "to the same origin", "GET /r?to=%2Fx Temporary Redirect", "GET /x Unauthorized", "POST /t OK", "GET signed /x OK")
	if err := get(to("/x")); err != nil {
		t.Error(err)
	}
	h.want(t, "again", "GET signed /r?to=%2Fx Temporary Redirect", "GET signed /x OK")

	if err := get(to(evil.URL + "/x")); !errors.Is(err, vepauth.ErrChallenge) {
		t.Errorf("to another origin: %v", err)
	}
	evil.want(t, "to another origin", "GET /x Unauthorized")
	evil.next = http.RedirectHandler(h.URL+"/y", http.StatusFound)
	if err := get(to(evil.URL + "/x")); !errors.Is(err, vepauth.ErrChallenge) {
		t.Errorf("to another origin and back: %v", err)
	}
	evil.want(t, "to another origin and back", "GET /x Found")
	if lines := h.take(); lines[len(lines)-1] != "GET /y Unauthorized" {
		t.Errorf("to another origin and back: %q", lines)
	}
	if err := get(evil.URL + "/x"); !errors.Is(err, vepauth.ErrChallenge) {
		t.Errorf("from another origin: %v", err)
	}
	if len(h.assertions) != 1 || len(evil.assertions) != 0 || h.made != 1 {
		t.Errorf("%q, %q, %d made", h.assertions, evil.assertions, h.made)
	}
}

// TestTransportOrigins checks where requests are signed: not without TLS on another machine,
// and not with a Host that is not that of the URL.
func TestTransportOrigins(t *testing.T) {
	for _, test := range []struct {
		url, host, audience string
	}{
		{"https://RP.example:443/x", "", "https://rp.example"},
		{"https://rp.example/x", "rp.example", "https://rp.example"},
		{"https://rp.example/x", "RP.EXAMPLE:443", "https://rp.example"},
		{"https://rp.example:8443/x", "", "https://rp.example:8443"},
		{"https://bücher.example/x", "", "https://xn--bcher-kva.example"},
		{"https://[2001:db8::1]/x", "", "https://[2001:db8::1]"},
		{"http://localhost:8080/x", "", "http://localhost:8080"},
		{"http://LOCALHOST/x", "", "http://localhost"},
		{"http://127.0.0.1/x", "", "http://127.0.0.1"},
		{"http://127.8.9.1:81/x", "", "http://127.8.9.1:81"},
		{"http://[::1]:8080/x", "", "http://[::1]:8080"},

		{"http://rp.example/x", "", ""},
		{"http://192.168.1.1/x", "", ""},
		{"http://localhost.evil.example/x", "", ""},
		{"http://rp.localhost/x", "", ""}, // resolved by DNS
		{"http://127.0.0.1.evil.example/x", "", ""},
		{"http://[2001:db8::1]/x", "", ""},
		{"https://[fe80::1%25eth0]/x", "", ""},
		{"https://rp.example/x", "evil.example", ""},
		{"https://rp.example/x", "rp.example:8443", ""},
		{"http://127.0.0.1/x", "localhost", ""},
	} {
		var audience string
		posted := 0
		transport := &vepauth.Transport{
			Assertion: func(_ context.Context, a string) (string, error) { audience = a; return "a~b", nil },
			Base: handlerTransport{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == "POST":
					posted++
					fmt.Fprint(w, madeUpAnswer)
				case r.Header.Get("Authorization") == "":
					w.Header().Set("WWW-Authenticate", `OAuth+VEP url="/t"`)
					w.WriteHeader(401)
				}
			})},
		}
		q := mustRequest(t, "GET", test.url, nil)
		if test.host != "" {
			q.Host = test.host
		}
		_, err := transport.RoundTrip(q)
		if (err != nil) != (test.audience == "") || err != nil && !errors.Is(err, vepauth.ErrChallenge) || audience != test.audience || (posted > 0) != (err == nil) {
			t.Errorf("%s at %q: %q, %v", test.url, test.host, audience, err)
		}
	}
}

// TestTransportEndpoints checks the limit of remembered token endpoints: a server could name
// another one for each request.
func TestTransportEndpoints(t *testing.T) {
	h := newHostile(t)
	client := h.client()
	next := h.next
	n := 0
	h.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			n++
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`OAuth+VEP url="/t%d"`, n))
			w.WriteHeader(401)
			return
		}
		next.ServeHTTP(w, r)
	})
	for range 100 {
		res, err := client.Get(h.URL + "/x")
		wantAnswer(t, "always refused", res, err, 401, "")
	}
	if n := client.Transport.(*vepauth.Transport).Endpoints(h.URL); n != 16 || len(h.assertions) != 100 {
		t.Errorf("%d remembered of %d", n, len(h.assertions))
	}
}

// TestTransportURLs checks that a URL that net/http would send as it is, although it is not
// HTTP, is an error before anything is sent, and that the body is closed. The error repeats
// neither the URL nor what is in it.
func TestTransportURLs(t *testing.T) {
	h := newHostile(t)
	for _, test := range []struct {
		query, want string // want is empty if the request is sent
	}{
		{"q=a b", "the query has a space at character 4: write %20"},
		{"x HTTP/1.1", "%20"},
		{"a\tb", "%09"},
		{"a\r\nX-Evil: 1", "%0D"},
		{"q=é", "%C3%A9"},
		{"q=\xff", "%FF"},
		{"q=%zz", "%25"},
		{"100%", "%25"},
		{"a#b", "%23"},
		{"q=a%20b+c&d=%C3%A9&e[]={|}", ""},
	} {
		for _, authorization := range []string{"", "Basic YTpi"} {
			r := mustRequest(t, "POST", h.URL+"/x", strings.NewReader("body"))
			r.URL.RawQuery = test.query
			count := new(bodies)
			count.opened()
			r.Body = &body{Reader: strings.NewReader("body"), count: count}
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			res, err := h.client().Transport.RoundTrip(r)
			if err == nil {
				res.Body.Close()
			}
			asked := h.take()
			switch {
			case test.want == "" && (err != nil || len(asked) == 0):
				t.Errorf("%q: %v", test.query, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || len(asked) > 0 || count.left() != 0):
				t.Errorf("%q: %v, %q, %d bodies left open", test.query, err, asked, count.left())
			}
		}
	}
}

// TestTransportRedirectURL checks the same for the target of a redirect.
func TestTransportRedirectURL(t *testing.T) {
	h := newHostile(t)
	for _, location := range []string{"/y?a b", "/y?x HTTP/1.1", "/y?é", "/y?%zz"} {
		h.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Location"] = []string{location}
			w.WriteHeader(302)
		})
		if res, err := h.client().Get(h.URL + "/x"); err == nil {
			res.Body.Close()
			t.Errorf("%q is followed", location)
		}
		if asked := h.take(); len(asked) != 1 {
			t.Errorf("%q: %q", location, asked)
		}
	}
}
