package refusal_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/internal/refusal"
)

func TestWrite(t *testing.T) {
	for name, test := range map[string]struct {
		refusal refusal.Refusal
		header  http.Header
		body    string
	}{
		"plain":  {refusal.Refusal{Status: 400, Reason: "malformed"}, http.Header{}, `{"status":"failure","reason":"malformed"}`},
		"method": {refusal.Refusal{Status: 405, Reason: "no", Allow: "GET, HEAD"}, http.Header{"Allow": {"GET, HEAD"}}, `{"status":"failure","reason":"no"}`},
		"login": {refusal.Refusal{Status: 401, Reason: "no", Challenge: `OAuth+VEP url="/x"`},
			http.Header{"Www-Authenticate": {`OAuth+VEP url="/x"`}}, `{"status":"failure","reason":"no"}`},
		"undecided": {refusal.Refusal{Status: 503, Reason: "later", Undecided: true, RetryAfter: 5 * time.Second, Close: true},
			http.Header{"Retry-After": {"5"}, "Connection": {"close"}}, `{"status":"failure","reason":"later","undecided":true}`},
		"rounded up": {refusal.Refusal{Status: 503, Reason: "later", RetryAfter: 1}, http.Header{"Retry-After": {"1"}}, `{"status":"failure","reason":"later"}`},
		"not sent": {refusal.Refusal{Status: 400, Reason: "bad", Field: "email", Cause: errors.New("s3cret"), RetryAfter: -1},
			http.Header{}, `{"status":"failure","reason":"bad"}`},
	} {
		rec := httptest.NewRecorder()
		test.refusal.Write(rec, "application/json", test.refusal.JSON())
		test.header.Set("Content-Type", "application/json")
		if rec.Code != test.refusal.Status || rec.Body.String() != test.body {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if diff := cmp.Diff(test.header, rec.Header()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		text := httptest.NewRecorder()
		test.refusal.WriteText(text)
		test.header.Set("Content-Type", "text/plain; charset=utf-8")
		test.header.Set("X-Content-Type-Options", "nosniff")
		if text.Code != test.refusal.Status || text.Body.String() != test.refusal.Reason+"\n" {
			t.Errorf("%s: text %d %q", name, text.Code, text.Body)
		}
		if diff := cmp.Diff(test.header, text.Header()); diff != "" {
			t.Errorf("%s: text: %s", name, diff)
		}
	}
}

// TestError checks that a refusal is found in an error that wraps it, and its cause
// in the refusal.
func TestError(t *testing.T) {
	err := fmt.Errorf("reading: %w", &refusal.Refusal{Status: 400, Reason: "cut off", Cause: io.ErrUnexpectedEOF})
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Status != 400 || !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "reading: cut off" {
		t.Errorf("%v, %+v", err, r)
	}
	if errors.Unwrap(&refusal.Refusal{}) != nil {
		t.Error("a refusal without a cause has one")
	}
}
