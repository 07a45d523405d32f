package pipeline_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch/pipeline"
)

// TestStuckLine: while a line has no answer, a bounded number of lines after it is
// read, and nothing is written.
func TestStuckLine(t *testing.T) {
	const jobs, total = 2, 100_000
	text := "x\n"
	synctest.Test(t, func(t *testing.T) {
		var read, answered atomic.Int64
		var out bytes.Buffer
		release := make(chan struct{})
		ended := make(chan error)
		go func() {
			_, err := pipeline.Run(t.Context(), pipeline.Config{
				In: counted{strings.NewReader(strings.Repeat(text, total)), &read}, Out: &out, Jobs: jobs,
				Answer: func(ctx context.Context, l pipeline.Line) []byte {
					if l.Number == 1 {
						<-release
					}
					answered.Add(1)
					return describe(ctx, l)
				},
			})
			ended <- err
		}()
		synctest.Wait()
		const blocks = jobs + 4
		if got := answered.Load(); got > blocks*pipeline.BlockLines || got < jobs*pipeline.BlockLines {
			t.Errorf("%d lines are answered, want some, and at most %d", got, blocks*pipeline.BlockLines)
		}
		if got := read.Load(); got > blocks*pipeline.BlockLines*int64(len(text))+2*pipeline.MaxLine {
			t.Errorf("%d bytes are read", got)
		}
		if out.Len() > 0 {
			t.Errorf("%d bytes are written", out.Len())
		}
		close(release)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(wanted(strings.Repeat(text, total)), lines(out.String())); diff != "" {
			t.Error(diff)
		}
	})
}

// counted counts the bytes read.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// TestPause: when the input pauses, all lines read so far are answered.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, keyboard := io.Pipe()
		screen, out := io.Pipe()
		ended := make(chan error)
		go func() {
			_, err := pipeline.Run(t.Context(), pipeline.Config{In: in, Out: out, Answer: describe, Jobs: 2})
			ended <- err
		}()
		answers := bufio.NewReader(screen)
		typed := 0
		for _, text := range []string{"one\n", "two\nthree\nfo", "ur\n"} {
			io.WriteString(keyboard, text)
			for range strings.Count(text, "\n") {
				typed++
				answer, err := answers.ReadString('\n') // deadlocks without an answer, which synctest reports
				if err != nil || !strings.HasPrefix(answer, fmt.Sprint(typed)) {
					t.Errorf("answer %q, %v", answer, err)
				}
			}
		}
		keyboard.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestInterrupt: lines that were begun are finished and written, and no further
// line is begun, with more input and while waiting for input.
func TestInterrupt(t *testing.T) {
	for name, rest := range map[string]string{"more lines": "3\n4\n", "many": strings.Repeat("x\n", 5000), "input pauses": ""} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			in, keyboard := io.Pipe()
			go io.WriteString(keyboard, "1\n2\n"+rest)
			finish := make(chan struct{})
			var out bytes.Buffer
			var done pipeline.Progress
			ended := make(chan error)
			go func() {
				var err error
				done, err = pipeline.Run(ctx, pipeline.Config{In: in, Out: &out, Jobs: 2, Answer: func(ctx context.Context, l pipeline.Line) []byte {
					select {
					case <-finish:
					case <-ctx.Done():
						t.Error("the context of an answer ends")
					}
					return describe(ctx, l)
				}})
				ended <- err
			}()
			synctest.Wait()
			interrupt()
			synctest.Wait()
			if out.Len() > 0 {
				t.Errorf("%s: %q is written", name, &out)
			}
			close(finish)
			if err := <-ended; !errors.Is(err, pipeline.ErrInterrupted) {
				t.Errorf("%s: error %v", name, err)
			}
			if diff := cmp.Diff(wanted("1\n2\n"), lines(out.String())); diff != "" || done.Lines != 2 {
				t.Errorf("%s: %+v %s", name, done, diff)
			}
			in.Close() // ends the goroutines that read or write
		})
	}
}

func TestInterruptBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	done, err := pipeline.Run(ctx, pipeline.Config{In: strings.NewReader("a\n"), Out: &out, Answer: describe, Jobs: 4})
	if !errors.Is(err, pipeline.ErrInterrupted) || done.Lines != 0 || out.Len() > 0 {
		t.Errorf("%+v, %v, %q", done, err, &out)
	}
}

// TestInterruptAfterTheEnd: if every line is answered, there is no error.
func TestInterruptAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		done, err := pipeline.Run(ctx, pipeline.Config{In: strings.NewReader("a\n"), Out: &out, Jobs: 1, Answer: func(ctx context.Context, l pipeline.Line) []byte {
			synctest.Wait() // until the input was read to its end
			cancel()
			return describe(ctx, l)
		}})
		if err != nil || done.Lines != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	})
}
