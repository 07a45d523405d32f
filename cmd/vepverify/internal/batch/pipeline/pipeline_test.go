package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// describe is an Answer that describes the line.
func describe(_ context.Context, l pipeline.Line) []byte {
	return fmt.Appendf(nil, "%d %q %v", l.Number, l.Text, l.TooLong)
}

// wanted returns the answers of describe to the lines of a text. It does not use
// the package.
func wanted(text string) (want []string) {
	if text == "" {
		return nil
	}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if i < strings.Count(text, "\n") {
			line = strings.TrimSuffix(line, "\r")
		}
		tooLong := len(line) > pipeline.MaxLine
		if tooLong {
			line = ""
		}
		want = append(want, fmt.Sprintf("%d %q %v", i+1, line, tooLong))
	}
	return want
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func TestAnswers(t *testing.T) {
	full := strings.Repeat("x", pipeline.MaxLine)
	for name, text := range map[string]string{
		"nothing":              "",
		"one":                  "a\n",
		"no break at the end":  "a\nb",
		"empty lines":          "\n\na\n\n",
		"CRLF":                 "a\r\n\r\nb\r\r\nc\r",
		"longest":              full + "\n" + full + "\r\n" + full,
		"too long":             "a\n" + full + "x\nb\n",
		"too long with CRLF":   full + "x\r\n\n",
		"much too long":        strings.Repeat(full, 5) + "\nb",
		"too long at the end":  "a\n" + full + full + "xy",
		"more than all blocks": strings.Repeat("line\n", 3000),
		"zero bytes":           "\x00\n\xff\n",
	} {
		for _, jobs := range []int{0, 1, 8} {
			for kind, in := range map[string]io.Reader{
				"whole":        strings.NewReader(text),
				"pieces":       &pieces{[]byte(text), 1 + len(text)/1000},
				"halves":       iotest.HalfReader(strings.NewReader(text)),
				"end with all": iotest.DataErrReader(strings.NewReader(text)),
			} {
				var out bytes.Buffer
				done, err := pipeline.Run(t.Context(), pipeline.Config{In: in, Out: &out, Answer: describe, Jobs: jobs})
				want := wanted(text)
				if err != nil || done != (pipeline.Progress{Lines: int64(len(want)), Bytes: int64(len(text))}) {
					t.Errorf("%s, %d jobs, %s: %+v, %v", name, jobs, kind, done, err)
				}
				if diff := cmp.Diff(want, lines(out.String())); diff != "" {
					t.Errorf("%s, %d jobs, %s: %s", name, jobs, kind, diff)
				}
			}
		}
	}
}

func TestProgress(t *testing.T) {
	text := strings.Repeat("line\n", 10*pipeline.BlockLines)
	var calls []pipeline.Progress
	var out bytes.Buffer
	done, err := pipeline.Run(t.Context(), pipeline.Config{
		In: strings.NewReader(text), Out: &out, Answer: describe, Jobs: 2,
		Progress: func(p pipeline.Progress) { calls = append(calls, p) },
	})
	if err != nil || len(calls) < 10 || calls[len(calls)-1] != done {
		t.Errorf("%v, %v, progress %v", done, err, calls)
	}
	for i := range calls[1:] {
		if calls[i].Lines >= calls[i+1].Lines || calls[i].Bytes >= calls[i+1].Bytes {
			t.Errorf("from %v to %v", calls[i], calls[i+1])
		}
	}
}

func TestUnreadableInput(t *testing.T) {
	broken := errors.New("broken")
	in := io.MultiReader(strings.NewReader("a\nb\nhalf"), iotest.ErrReader(broken))
	var out bytes.Buffer
	done, err := pipeline.Run(t.Context(), pipeline.Config{In: in, Out: &out, Answer: describe, Jobs: 2})
	var unread *pipeline.ReadError
	if !errors.As(err, &unread) || !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(wanted("a\nb\n"), lines(out.String())); diff != "" || done.Lines != 2 {
		t.Errorf("%+v %s", done, diff)
	}
}

// TestUnwritableOutput: the context of Answer ends if the output cannot be written.
func TestUnwritableOutput(t *testing.T) {
	full := errors.New("full")
	second := make(chan struct{})
	in, feeder := io.Pipe()
	defer feeder.Close()
	go io.WriteString(feeder, "1\n2\n")
	done, err := pipeline.Run(t.Context(), pipeline.Config{
		In: iotest.OneByteReader(in), Jobs: 2, // each line is a block of its own
		Out: writerFunc(func([]byte) (int, error) { return 0, full }),
		Answer: func(ctx context.Context, l pipeline.Line) []byte {
			switch l.Number {
			case 1:
				<-second
			case 2:
				close(second)
				<-ctx.Done()
			}
			return nil
		},
	})
	if !errors.Is(err, full) || done.Lines != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// panicAt is an Answer that panics.
func panicAt(number int64) func(context.Context, pipeline.Line) []byte {
	return func(_ context.Context, l pipeline.Line) []byte {
		if l.Number == number {
			panic("a panic")
		}
		return []byte("fine")
	}
}

// TestPanic: Run panics with the value and the stack of a panic of Answer.
func TestPanic(t *testing.T) {
	var out bytes.Buffer
	defer func() {
		p, ok := recover().(*pipeline.Panic)
		if !ok || p.Value != "a panic" {
			t.Fatalf("recovered %v", p)
		}
		if frame, _ := runtime.CallersFrames(p.Callers()).Next(); !strings.Contains(frame.Function, "panicAt") {
			t.Errorf("the stack begins with %s", frame.Function)
		}
		if strings.Contains(out.String(), "\n\n") {
			t.Errorf("an empty answer: %q", &out)
		}
	}()
	pipeline.Run(t.Context(), pipeline.Config{
		In: strings.NewReader(strings.Repeat("a\n", 5000)), Out: &out, Jobs: 3,
		Answer: panicAt(1000),
	})
}

// FuzzLines: each line has its answer, for all sizes of reads.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{"", "a", "a\n", "\r\n\n\r", "a\r\nb\n", strings.Repeat("ab\n", 200)} {
		f.Add(seed, uint16(1), uint8(2))
		f.Add(seed, uint16(5), uint8(0))
	}
	f.Add(strings.Repeat("x", pipeline.MaxLine+1)+"\n\n", uint16(4096), uint8(1))
	f.Fuzz(func(t *testing.T, text string, piece uint16, jobs uint8) {
		var out bytes.Buffer
		done, err := pipeline.Run(t.Context(), pipeline.Config{
			In: &pieces{[]byte(text), int(piece) + 1}, Out: &out, Answer: describe, Jobs: int(jobs % 16),
		})
		if err != nil || done.Bytes != int64(len(text)) {
			t.Errorf("%+v, %v", done, err)
		}
		if diff := cmp.Diff(wanted(text), lines(out.String())); diff != "" {
			t.Error(diff)
		}
	})
}

// pieces is a reader that returns at most size bytes at a time.
type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
