package request_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/request"
)

// slowTransport responds after the time before, with a body that ends after the time
// body.
type slowTransport struct{ before, body time.Duration }

func (f slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(f.before):
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(&slowBody{r.Context(), f.body})}, nil
}

// slowBody is an empty body that ends after a time.
type slowBody struct {
	ctx   context.Context
	lasts time.Duration
}

func (s *slowBody) Read([]byte) (int, error) {
	select {
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	case <-time.After(s.lasts):
		return 0, io.EOF
	}
}

// TestTimeout: --timeout applies until the response begins, and not to its body.
func TestTimeout(t *testing.T) {
	for _, test := range []struct {
		slowTransport
		want error
	}{
		{slowTransport{29 * time.Second, time.Hour}, nil},
		{slowTransport{31 * time.Second, 0}, cli.ExitUndecided},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &cli.Process{Out: io.Discard, Err: io.Discard}
			if err := request.Do(t.Context(), p, 30*time.Second, httptest.NewRequest("GET", "https://rp.example/", nil), test.slowTransport); err != test.want {
				t.Errorf("%v: %v, want %v", test.slowTransport, err, test.want)
			}
		})
	}
}
