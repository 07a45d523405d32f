package vepauth_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

// TestBodies checks that a form is signed, whatever the method and the spelling of its
// type, and that the next handler can read every body.
func TestBodies(t *testing.T) {
	const body = "b=2&a=1+%2B&b=1&c"
	s := newSite(t, &vepauth.Config{MaxForm: 64})
	c := s.login(endpoint)
	for _, test := range []struct {
		name, method, contentType, body, tampered string
		status                                    int // of the tampered one
	}{
		{"form", "POST", "application/x-www-form-urlencoded", body, body + "&d", 401},
		{"form in upper case", "POST", "APPLICATION/X-WWW-Form-Urlencoded", body, body + "&d", 401},
		{"form with charset", "POST", "application/x-www-form-urlencoded; charset=utf-8", body, body + "&d", 401},
		{"form with an odd parameter", "POST", "application/x-www-form-urlencoded ;;", body, body + "&d", 401},
		{"form by PUT", "PUT", "application/x-www-form-urlencoded", body, "", 401},
		{"form by GET", "GET", "application/x-www-form-urlencoded", body, "x", 401},
		{"form by DELETE", "DELETE", "application/x-www-form-urlencoded", body, "x", 401},
		{"malformed form", "POST", "application/x-www-form-urlencoded", body, "%", 401},
		{"form up to the limit", "POST", "application/x-www-form-urlencoded", strings.Repeat("x", 64), strings.Repeat("y", 64), 401},
		{"form over the limit", "POST", "application/x-www-form-urlencoded", "x", strings.Repeat("x", 65), 413},
		{"JSON", "POST", "application/json", `{"a":1}`, `{"a":2}`, 200},
		{"text of any size", "PUT", "text/plain", strings.Repeat("x", 1000), "x", 200},
		{"no type", "POST", "", body, "x", 200},
	} {
		signed := func(body string) *http.Request {
			r := request(test.method, data, body)
			r.Header["Content-Type"] = []string{test.contentType}
			return s.signed(r, c)
		}
		r := signed(test.body)
		if got := s.do(resend(r, test.body)); got.status != 200 || got.body != alice+" "+test.body {
			t.Errorf("%s: %d %s", test.name, got.status, got.body)
		}
		got := s.do(resend(signed(test.body), test.tampered))
		check(t, test.name+", tampered", got, test.status)
		if got.status != 200 {
			checkFailure(t, test.name, got)
		}
	}
}

// TestTwoContentTypes checks that a first Content-Type of another type does not hide a form
// from the signature.
func TestTwoContentTypes(t *testing.T) {
	s := newSite(t, nil)
	r := request("POST", data, "a=1")
	r.Header["Content-Type"] = []string{"text/plain"}
	r = resend(s.signed(r, s.login(endpoint)), "a=2")
	r.Header["Content-Type"] = append(r.Header["Content-Type"], "application/x-www-form-urlencoded")
	checkRefused(t, "two types", s.do(r), oauthChallenge)
}

// brokenBody is a body that returns an error.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }
func (b brokenBody) Close() error             { return nil }

func TestBrokenBodies(t *testing.T) {
	s := newSite(t, nil)
	c := s.login(endpoint)
	for err, status := range map[error]int{io.ErrUnexpectedEOF: 400, &http.MaxBytesError{Limit: 1}: 413} {
		r := s.signed(form(request("POST", data, "a=1")), c)
		r.Body = brokenBody{err}
		check(t, err.Error(), s.do(r), status)
		r = tokenRequest(endpoint, "x")
		r.Body = brokenBody{err}
		check(t, "token: "+err.Error(), s.do(r), status)
	}
}

// TestBodyIsClosed checks that closing a body that was read closes the original.
func TestBodyIsClosed(t *testing.T) {
	s := newSite(t, nil)
	r := s.signed(form(request("POST", data, "a=1")), s.login(endpoint))
	body := &closing{Reader: strings.NewReader("a=1")}
	r.Body = body
	h := s.auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("a") != "1" {
			t.Errorf("%v %v", r.PostForm, err)
		}
		r.Body.Close()
	}))
	check(t, "form", do(h, r), 200)
	if !body.closed {
		t.Error("the body is not closed")
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }
