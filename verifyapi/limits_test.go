package verifyapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/verifyapi"
)

// TestManyParameters checks that a request of the largest size does not make the
// handler parse many names, or trust many issuers.
func TestManyParameters(t *testing.T) {
	h := watch(t, verifyapi.Config{MaxBody: 1 << 20})
	wanted := form("assertion", good, "audience", audience)
	for _, tt := range []struct {
		name, path, contentType, body string
		status                        int
	}{
		{"a form with 100 names", "/verify", formType, wanted + strings.Repeat("&x=1", 98), 200},
		{"a form with 101 names", "/verify", formType, wanted + strings.Repeat("&x=1", 99), 400},
		{"a form with half a million names", "/verify", formType, strings.Repeat("a&", 1<<19), 400},
		{"a query with 100 names", "/verify?" + wanted + strings.Repeat("&x=1", 98), formType, "", 200},
		{"a query with 101 names", "/verify?" + wanted + strings.Repeat("&x=1", 99), formType, "", 400},
		{"2048 commas", "/v2", jsonType, ask(good, `"x":[0`+strings.Repeat(",0", 2048-2)+"]"), 200},
		{"2049 commas", "/v2", jsonType, ask(good, `"x":[0`+strings.Repeat(",0", 2049-2)+"]"), 400},
		{"170 000 members", "/v2", jsonType, ask(good, strings.Repeat(`"x":0,`, 170_000)+`"y":0`), 400},
		{"1024 trusted issuers", "/v2", jsonType, ask(foreign, `"trustedIssuers":["other.example"`+strings.Repeat(`,"a.example"`, 1023)+"]"), 200},
		{"1025 trusted issuers", "/v2", jsonType, ask(foreign, `"trustedIssuers":["other.example"`+strings.Repeat(`,"a.example"`, 1024)+"]"), 400},
		{"200 000 trusted issuers", "/v2", jsonType, ask(foreign, `"trustedIssuers":["other.example"`+strings.Repeat(`,"a"`, 200_000)+"]"), 400},
	} {
		r := httptest.NewRequest("POST", tt.path, strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.contentType)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != tt.status || tt.status == 200 && !strings.Contains(rec.Body.String(), `"status":"okay"`) {
			t.Errorf("%s: %d %s, not %d", tt.name, rec.Code, rec.Body, tt.status)
		}
	}
}

// TestServerLimits checks that every limit of a server is set.
func TestServerLimits(t *testing.T) {
	s := watch(t, verifyapi.Config{}).Server()
	if s.MaxHeaderBytes <= 0 || s.MaxHeaderBytes > 64<<10 || s.ReadHeaderTimeout <= 0 || s.IdleTimeout <= 0 || s.WriteTimeout <= 0 ||
		s.HTTP2 == nil || s.HTTP2.MaxConcurrentStreams <= 0 || s.HTTP2.MaxReceiveBufferPerConnection <= 0 {
		t.Errorf("%+v %+v", s, s.HTTP2)
	}
}
