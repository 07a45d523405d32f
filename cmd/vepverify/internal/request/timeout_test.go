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

// timed answers after a while, and takes its time for the body.
type timed struct{ before, body time.Duration }

func (f timed) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(f.before):
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(&slow{r.Context(), f.body})}, nil
}

// slow ends after a while, without having said anything.
type slow struct {
	ctx   context.Context
	lasts time.Duration
}

func (s *slow) Read([]byte) (int, error) {
	select {
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	case <-time.After(s.lasts):
		return 0, io.EOF
	}
}

// TestTimeout: --timeout is for the answer to begin, not for its body.
func TestTimeout(t *testing.T) {
	for _, test := range []struct {
		timed
		want error
	}{
		{timed{29 * time.Second, time.Hour}, nil},
		{timed{31 * time.Second, 0}, cli.ExitUndecided},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &cli.Process{Out: io.Discard, Err: io.Discard}
			if err := request.Do(t.Context(), p, 30*time.Second, httptest.NewRequest("GET", "https://rp.example/", nil), test.timed); err != test.want {
				t.Errorf("%v: %v, want %v", test.timed, err, test.want)
			}
		})
	}
}
