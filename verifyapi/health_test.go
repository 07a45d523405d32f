package verifyapi_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/vepverify/vepverify/verifyapi"
)

// TestReady: the service is ready unless a required component fails. Whether it is alive does not
// depend on components.
func TestReady(t *testing.T) {
	works, fails := verifyapi.Component{Name: "disk", Required: true}, verifyapi.Component{Name: "store", Err: errors.New("connection refused")}
	required := verifyapi.Component{Name: "service", Err: errors.New("stopping\n\"now\""), Required: true}
	for name, test := range map[string]struct {
		components []verifyapi.Component
		status     int
		body       string
	}{
		"nothing to report":   {nil, 200, `{"status":"ok"}`},
		"all work":            {[]verifyapi.Component{works}, 200, `{"status":"ok","components":{"disk":"ok"}}`},
		"one fails":           {[]verifyapi.Component{works, fails}, 200, `{"status":"degraded","components":{"disk":"ok","store":"connection refused"}}`},
		"a required one":      {[]verifyapi.Component{required, works}, 503, `{"status":"not ready","components":{"disk":"ok","service":"stopping\n\"now\""}}`},
		"both, required last": {[]verifyapi.Component{fails, required}, 503, `{"status":"not ready","components":{"service":"stopping\n\"now\"","store":"connection refused"}}`},
		"both, required first": {[]verifyapi.Component{required, fails}, 503,
			`{"status":"not ready","components":{"service":"stopping\n\"now\"","store":"connection refused"}}`},
	} {
		h := watch(t, verifyapi.Config{Components: func() []verifyapi.Component { return test.components }})
		for path, want := range map[string]struct {
			status int
			body   string
		}{"/healthz": {200, `{"status":"ok"}`}, "/readyz": {test.status, test.body}} {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
			if rec.Code != want.status || rec.Body.String() != want.body {
				t.Errorf("%s: GET %s: %d %s, want %d %s", name, path, rec.Code, rec.Body, want.status, want.body)
			}
		}
	}
}

// TestReadyFollowsComponents: each request asks for the components anew.
func TestReadyFollowsComponents(t *testing.T) {
	var failure error
	h := watch(t, verifyapi.Config{Components: func() []verifyapi.Component {
		return []verifyapi.Component{{Name: "service", Err: failure, Required: true}}
	}})
	for _, step := range []struct {
		failure error
		status  int
	}{{nil, 200}, {errors.New("stopping"), 503}, {nil, 200}} {
		failure = step.failure
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("HEAD", "/readyz", nil))
		if rec.Code != step.status {
			t.Errorf("%v: status %d, want %d", step.failure, rec.Code, step.status)
		}
	}
}
