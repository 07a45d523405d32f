package serve_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/serve"
	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/redistest"
)

// readiness returns what the service answers at /readyz.
func readiness(t *testing.T, base string) (status int, body string) {
	t.Helper()
	res, err := http.Get(base + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// awaitReadiness waits until the answer of /readyz has this text. The test times out if it never
// has.
func awaitReadiness(t *testing.T, base, text string) (status int) {
	t.Helper()
	for {
		status, body := readiness(t, base)
		if strings.Contains(body, text) {
			return status
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestReadyWithRedis: an instance whose Redis has never worked is not ready. One whose Redis fails
// later is.
func TestReadyWithRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	metrics := porttest.FreeAddr(t)
	s := startServe(t, nil, "--keys", sampleKeys, "--replay", redis.URL(), "--metrics-address", metrics)
	if status, body := readiness(t, s.URL); status != 503 || !strings.HasPrefix(body, `{"status":"not ready","components":{"replay_store":"`) {
		t.Errorf("at the start: %d %s", status, body)
	}
	for _, step := range []struct {
		change        func()
		text, up, log string
	}{
		{redis.Restart, `{"status":"ok","components":{"replay_store":"ok","service":"ok"}}`, "1", "works again"},
		{redis.Kill, `{"status":"degraded","components":{"replay_store":"connection refused","service":"ok"}}`, "0", "does not work; until"},
		{redis.Restart, `"status":"ok"`, "1", ""},
	} {
		step.change()
		if status := awaitReadiness(t, s.URL, step.text); status != 200 {
			t.Errorf("%s has the status %d", step.text, status)
		}
		expectMetric(t, metrics, "vepverify_replay_store_up "+step.up)
		if step.log != "" {
			s.await("the replay store " + step.log)
		}
	}
}

// TestClosing: while the service stops, each response over HTTP/1 and HTTP/2 ends the use of its
// connection.
func TestClosing(t *testing.T) {
	for _, version := range []int{1, 2} {
		var connections atomic.Int64
		s := httptest.NewUnstartedServer(serve.Closing(http.NotFoundHandler()))
		s.EnableHTTP2 = version == 2
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		s.StartTLS()
		for range 3 {
			res, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.ProtoMajor != version {
				t.Errorf("answered over HTTP/%d, want %d", res.ProtoMajor, version)
			}
		}
		if got := connections.Load(); got != 3 {
			t.Errorf("HTTP/%d: 3 requests have used %d connections", version, got)
		}
		s.Close()
	}
}
