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

// localServer is for what one person on this machine tries out. When it is told
// to stop it does so at once, as nobody else is waiting for an answer, and
// browsers keep connections open that they may never use.
func localServer(h http.Handler) *http.Server {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0),
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
