package servers_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
)

// noteClose is a listener that closes a channel when it is closed.
type noteClose struct {
	net.Listener
	once   sync.Once
	closed chan struct{}
}

// Close implements net.Listener.
func (l *noteClose) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// TestRunStopsAll checks that no server accepts new connections while a request to one of them
// goes on.
func TestRunStopsAll(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(begun); <-release })
	all := make(map[net.Listener]*http.Server)
	var listeners []*noteClose
	for range 8 {
		l, err := servers.ListenLocal(0)
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, &noteClose{Listener: l, closed: make(chan struct{})})
		all[listeners[len(listeners)-1]] = &http.Server{Handler: handler}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- servers.Run(ctx, all, nil) }()
	answered := make(chan error, 1)
	go func() {
		res, err := http.Get(servers.LocalOrigin(listeners[0]))
		if err == nil {
			err = res.Body.Close()
		}
		answered <- err
	}()
	<-begun
	stop()
	for i, l := range listeners {
		select {
		case <-l.closed:
		case <-time.After(10 * time.Second):
			t.Errorf("server %d still accepts connections", i)
		}
	}
	close(release)
	if err := <-answered; err != nil {
		t.Errorf("the request: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}
