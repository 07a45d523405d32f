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

// screen is standard error during a batch: a progress bar, if it is a terminal, and
// lines of text. It is safe for concurrent use.
type screen struct {
	mu    sync.Mutex
	err   io.Writer
	now   func() time.Time
	begin time.Time
	bar   *progressbar.ProgressBar // nil means none
	size  int64                    // of the input in bytes; -1 means unknown
}

// newScreen returns a screen. It has a bar unless --quiet is given, standard error is
// not a terminal or is dumb, or the input is typed. The bar shows the time left if
// the input is a file.
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
		// Zero means no goroutine: the bar is drawn by show only.
		progressbar.OptionSetSpinnerChangeInterval(0),
	)
	return s
}

// sizeOf returns the number of bytes left to read in a file, and -1 for an input
// that is not a regular file.
func sizeOf(in io.Reader) int64 {
	f, ok := in.(*os.File)
	if !ok {
		return -1
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	offset, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return max(info.Size()-offset, 0)
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

// println writes a line of text.
func (s *screen) println(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.err, "%s: %s\n", cli.Program, text)
}

// close removes the bar.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.bar = nil
}

// clear removes the bar until it is drawn again. The caller holds the lock.
func (s *screen) clear() {
	if s.bar != nil {
		s.bar.Clear()
	}
}

// writer returns a writer to out. If out and the bar are on one terminal, it removes
// the bar before each write.
func (s *screen) writer(out io.Writer) io.Writer {
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
