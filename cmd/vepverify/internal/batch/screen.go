package batch

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch/pipeline"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// screen is standard error during a batch: a progress bar, when it is a
// terminal, and lines of text, in turn. It is safe for concurrent use.
type screen struct {
	mu    sync.Mutex
	err   io.Writer
	now   func() time.Time
	begin time.Time
	bar   *progressbar.ProgressBar // nil: none
	size  int64                    // of the input; -1: not known
}

// newScreen shows a bar to whoever watches: not when quiet, nor where the lines
// are typed. It knows when it will all be over when the input is a file.
func (b *command) newScreen(c *cli.Call, in io.Reader) *screen {
	s := &screen{err: c.Err, now: c.Now, begin: c.Now(), size: sizeOf(in)}
	kind, _ := c.Env("TERM")
	if b.quiet || kind == "dumb" || !cli.IsTerminal(c.Err) || cli.IsTerminal(in) || s.size == 0 {
		return s
	}
	theme := progressbar.ThemeDefault
	if c.ASCIIOnly() {
		theme = progressbar.ThemeASCII
	}
	s.bar = progressbar.NewOptions64(s.size,
		progressbar.OptionSetWriter(s.err), progressbar.OptionSetTheme(theme), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(20),
		// Without its own goroutine: it draws when there is something new.
		progressbar.OptionSetSpinnerChangeInterval(0),
	)
	return s
}

// sizeOf gives how much of a file is left to read, -1 when it is none.
func sizeOf(in io.Reader) int64 {
	f, ok := in.(*os.File)
	if !ok {
		return -1
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return max(info.Size()-at, 0)
}

// show draws the bar.
func (s *screen) show(p pipeline.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar == nil {
		return
	}
	s.bar.Describe(fmt.Sprintf("%s, %s", plural(p.Lines, "line"), rate(p.Lines, s.now().Sub(s.begin))))
	if s.size > 0 {
		s.bar.Set64(min(p.Bytes, s.size))
	}
}

// say writes a line of text.
func (s *screen) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.err, "%s: %s\n", cli.Program, text)
}

// close takes the bar away.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.bar = nil
}

func (s *screen) clear() {
	if s.bar != nil {
		s.bar.Clear()
	}
}

// above gives a writer of answers which, where they and the bar are on one
// screen, takes the bar away first.
func (s *screen) above(out io.Writer) io.Writer {
	if s.bar == nil || !cli.IsTerminal(out) {
		return out
	}
	return writerFunc(func(b []byte) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.clear()
		return out.Write(b)
	})
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
