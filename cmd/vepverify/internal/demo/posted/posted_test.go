package posted_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/posted"
)

// record returns a handler that is registered as those of package login are. It calls next
// with the assertion that the request posted.
func record(next func(assertion string, r *http.Request)) http.Handler {
	mux := posted.Mux{ServeMux: http.NewServeMux()}
	mux.Handle("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { next(posted.Form(r.Context()).Get("assertion"), r) }))
	return mux
}

// TestForm checks that the handler reads the body that was sent, whatever it is,
// and finds the assertion in the context.
func TestForm(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for body, want := range map[string]string{
		"":                       "",
		"assertion=a%7Eb":        "a~b",
		"next=/&assertion=a&b=c": "a",
		"assertion=a;b":          "",
		"assertion=" + long:      long[:65<<10-len("assertion=")],
		long:                     "",
		"\x00\xff":               "",
	} {
		called := false
		record(func(text string, r *http.Request) {
			called = true
			got, err := io.ReadAll(r.Body)
			if string(got) != body || err != nil || text != want {
				t.Errorf("%.20q: assertion %.20q, body %.20q, %v", body, text, got, err)
			}
		}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(body)))
		if !called {
			t.Errorf("%.20q: not called", body)
		}
	}
	broken := errors.New("broken")
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("assertion=a"), iotest.ErrReader(broken)))
	record(func(_ string, r *http.Request) {
		if got, err := io.ReadAll(r.Body); string(got) != "assertion=a" || !errors.Is(err, broken) {
			t.Errorf("%q, %v", got, err)
		}
	}).ServeHTTP(httptest.NewRecorder(), r)
}

// TestManyFields checks that a form is not parsed if package login refuses it for the
// number of its fields.
func TestManyFields(t *testing.T) {
	for n, want := range map[int]string{31: "a", 32: ""} {
		record(func(text string, _ *http.Request) {
			if text != want {
				t.Errorf("%d additional fields: %q", n, text)
			}
		}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader("assertion=a"+strings.Repeat("&b=", n))))
	}
}
