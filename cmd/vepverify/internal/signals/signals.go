// Package signals is how the program reacts to signals. SIGINT and SIGTERM stop a
// command: the first lets it finish what it has begun, the second ends the process.
// SIGHUP, which the system sends if a terminal is closed, stops some commands and
// makes serve read its files again.
package signals

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// Context returns a context that ends at the first SIGINT or SIGTERM, with a
// [cli.Interrupt] as its cause. At the second, the process prints a line and ends with the
// status that shells use for it: 128 and the number of the signal. That does not depend on the
// signal's default action, which is to do nothing for the first process of a container, and for
// a job that a script starts with "&".
func Context(stderr io.Writer) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		number, _ := (<-received).(syscall.Signal)
		first := time.Now()
		cancel(cli.Interrupt{Signal: number})
		for second := range received {
			if time.Since(first) > oneSignal {
				fmt.Fprintf(stderr, "%s: ended at once by a second signal: %v\n", cli.Program, second)
				os.Exit(statusOf(second))
			}
		}
	}()
	return ctx
}

// oneSignal is the time within which several signals count as one. A program such as timeout
// signals its child and then its process group, to which the child belongs.
const oneSignal = 100 * time.Millisecond

// statusOf returns the exit status of a process that a signal has ended.
func statusOf(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 128
}

// UntilHangup returns a context that ends when ctx does, or at SIGHUP. Then it prints a
// line. A process that ignores SIGHUP from its start, as nohup arranges, goes on ignoring
// it. The caller must call stop.
func UntilHangup(ctx context.Context, stderr io.Writer) (until context.Context, stop func()) {
	if signal.Ignored(syscall.SIGHUP) {
		return ctx, func() {}
	}
	until, cancel := context.WithCancel(ctx)
	received := Hangups()
	go func() {
		defer cancel()
		select {
		case <-received:
			fmt.Fprintf(stderr, "%s: stopped by SIGHUP: the terminal was closed\n", cli.Program)
		case <-until.Done():
		}
	}()
	return until, func() {
		cancel()
		signal.Stop(received)
	}
}

// Hangups returns a channel that receives SIGHUP. The process no longer ends at SIGHUP,
// until signal.Stop is called with the channel.
func Hangups() chan os.Signal {
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGHUP)
	return received
}
