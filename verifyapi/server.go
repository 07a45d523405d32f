package verifyapi

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"time"
)

// Limits of Server.
const (
	maxHeader     = 16 << 10 // bytes; net/http adds 4 KiB of its own
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 2 * time.Minute

	// Of each connection over HTTP/2. The net/http package has 250 and 1 MiB.
	maxStreams      = 100
	maxUnreadBodies = 256 << 10 // bytes
)

// Server gives a server for the handler, with the limits that go with it and that
// only a server can set: 16 KiB of header within 10 s, two minutes until
// a connection without requests is closed, two minutes for a request with its
// answer (raise WriteTimeout where look-ups may take that long). It speaks
// HTTP/1.1 and HTTP/2, the latter with TLS and without, with at most 100 requests
// and 256 KiB of bodies that were not yet read for each connection. What net/http has to
// say goes to Config.Logger, at level Debug.
//
// The address, TLS and shutting down are the caller's; see http.Server.
func (h *Handler) Server() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{
		Handler: h, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		WriteTimeout: writeTimeout, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: maxUnreadBodies},
		Protocols: protocols, DisableGeneralOptionsHandler: true,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if logger := h.config.Logger; logger != nil {
		s.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	}
	return s
}
