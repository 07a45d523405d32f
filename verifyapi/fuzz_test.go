package verifyapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/verifyapi"
)

// FuzzRequest checks that every request has a documented response in JSON, and that
// none is a fault. A request that is accepted means the same to other parsers.
func FuzzRequest(f *testing.F) {
	for _, tt := range requestTests {
		path, query, _ := strings.Cut(tt.path, "?")
		f.Add(path == "/v2", tt.contentType, query, tt.body)
	}
	for _, r := range contents() {
		_, body, _ := strings.Cut(r.text, "\r\n\r\n")
		f.Add(strings.Contains(r.text, "/v2"), jsonType, "", body)
		f.Add(false, formType, "", body)
	}
	h := watch(f, verifyapi.Config{})
	f.Fuzz(func(t *testing.T, second bool, contentType, query, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", contentType)
		if second {
			r.URL.Path = "/v2"
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		checkHeaders(t, rec.Result())
		var answer struct{ Status, Reason, Audience string }
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		switch rec.Code {
		case 400, 413, 414, 415:
			if answer.Status != "failure" || answer.Reason == "" {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			return
		case 200:
		default:
			t.Fatalf("status %d", rec.Code)
		}
		asked := parsed(t, second, contentType, query, body)
		if asked("assertion") == "" || asked("audience") == "" {
			t.Fatalf("accepted without both parameters: %s", rec.Body)
		}
		if answer.Status == "okay" && answer.Audience != asked("audience") {
			t.Fatalf("asked for %q: %s", asked("audience"), rec.Body)
		}
	})
}

// parsed returns the parameters of a request as the standard library parses it.
func parsed(t *testing.T, second bool, contentType, query, body string) func(string) string {
	var values url.Values
	var members map[string]any
	if !second {
		values, _ = url.ParseQuery(query)
	}
	switch t, _, _ := strings.Cut(contentType, ";"); strings.ToLower(strings.TrimSpace(t)) {
	case jsonType:
		_ = json.Unmarshal([]byte(body), &members)
	case formType:
		form, _ := url.ParseQuery(body)
		members = make(map[string]any)
		for name := range form {
			members[name] = form.Get(name)
		}
	}
	return func(name string) string {
		if value := values.Get(name); value != "" {
			return value
		}
		value, _ := members[name].(string)
		return value
	}
}
