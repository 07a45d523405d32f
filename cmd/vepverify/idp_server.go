package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

type servers = map[net.Listener]*http.Server

// Limits of localServer, so that a page or a program that sends slowly or without
// end cannot hold its memory and its connections.
const (
	// localHeader is in bytes. Browsers send the cookies of all ports of localhost,
	// so it is larger than that of the service.
	localHeader       = 64 << 10
	localHeaderTime   = 10 * time.Second
	localRequestTime  = 30 * time.Second
	localResponseTime = time.Minute
	localIdleTime     = 2 * time.Minute
)

// localServer returns a server for what one person on this machine tries out. It
// closes at once when it is told to stop, because browsers keep connections open
// that they may never use.
func localServer(h http.Handler) *http.Server {
	s := &http.Server{
		Handler: h, MaxHeaderBytes: localHeader, ReadHeaderTimeout: localHeaderTime, ReadTimeout: localRequestTime,
		WriteTimeout: localResponseTime, IdleTimeout: localIdleTime, ErrorLog: log.New(io.Discard, "", 0),
	}
	s.RegisterOnShutdown(func() { _ = s.Close() }) // Shutdown reports what there is
	return s
}

// invocation is how the reader started this program, for lines that they may
// copy; arg0 is what the system says.
func invocation(arg0 string) string {
	if strings.Contains(filepath.ToSlash(arg0), "/go-build") {
		return "go run ./cmd/vepverify"
	}
	return shellWord(arg0)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// shellWord quotes text for a shell if it has to be.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return shellQuote(text)
}
