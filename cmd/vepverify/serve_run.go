package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// stopTime is how long requests that were begun have to finish once the
// service is told to stop.
const stopTime = 30 * time.Second

// serveUntil serves on the listeners until ctx ends or one of them fails, then
// finishes what was begun.
func serveUntil(ctx context.Context, servers map[net.Listener]*http.Server) error {
	failed := make(chan error, len(servers))
	for l, s := range servers {
		go func() { failed <- s.Serve(l) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		failed <- nil // what is counted below
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	for _, s := range servers {
		if stopped := s.Shutdown(last); stopped != nil {
			err = errors.Join(err, fmt.Errorf("requests not finished after %v: %w", stopTime, stopped))
		}
	}
	for range servers {
		if ended := <-failed; ended != nil && !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
	}
	return err
}

// listenAt opens a port. That of an IPv4 address is open over IPv4 alone: the net
// package would take 0.0.0.0 for all addresses of IPv6 too.
func listenAt(address string) (net.Listener, error) {
	if a, err := netip.ParseAddrPort(address); err == nil && a.Addr().Is4() {
		return net.Listen("tcp4", address)
	}
	return net.Listen("tcp", address)
}
