// Package pipeline answers the lines of a text: it reads them, has several
// answered at a time, and writes one line for each, in the order of the input,
// however long one of them takes. What an answer is, is the caller's affair.
//
// Start with [Run].
//
// # Memory
//
// Lines go through in blocks: the lines that one read brought, at most
// [BlockLines] of them and some 64 KiB. There are [Config.Jobs] + 4 blocks, which
// are used again and again. While all of them wait behind a line that takes
// long, nothing more is read: neither the length of the input nor a slow answer
// makes memory grow. Lines longer than [MaxLine] are skipped over, not held.
//
// # When answers are written
//
// A block is written when all of it is answered, and all before it. As a block
// never waits for more input, answers come out when the input pauses: a line
// typed in is answered before the next one; and a file costs one write for
// each block.
//
// # Stopping
//
// When the context of Run ends, no further line is begun, those that were are
// finished, and their answers written. Lines are begun in order, so that what
// is written then answers the first lines of the input and no others.
//
// # What is not done
//
// Reading cannot be broken off: when Run stops early, a goroutine may stay
// behind in a Read of the input until that returns. Run does not flush or close
// what it writes to.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Limits on what is held of the input.
const (
	// MaxLine is the size of the longest line that is answered for what it
	// says, in bytes, without the line break.
	MaxLine = 64 << 10
	// BlockLines is how many lines a block has at most.
	BlockLines = 64

	blockBytes = 64 << 10 // a block with that much is full
	spare      = 4        // blocks beyond one for each job: being read, waiting on either side, being written
)

// ErrInterrupted: the context of Run ended before every line was answered.
var ErrInterrupted = errors.New("interrupted")

// ReadError: the input could not be read to its end. The lines before are
// answered; one that was cut off is not.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return fmt.Sprintf("reading: %v", e.Err) }

// Unwrap gives what the reader said.
func (e *ReadError) Unwrap() error { return e.Err }

// Line is a line of the input.
type Line struct {
	// Number counts from 1.
	Number int64
	// Text is the line without its line break, LF or CRLF. It is valid until
	// the line is answered.
	Text []byte
	// TooLong: the line is longer than MaxLine, and Text is empty.
	TooLong bool
}

// Progress is how far the answers have come.
type Progress struct {
	Lines int64 // answered and written
	Bytes int64 // of the input, of all blocks of which something was written; line breaks included
}

// Config says what to do with the lines. In, Out and Answer are needed.
type Config struct {
	In  io.Reader
	Out io.Writer
	// Answer gives the answer to a line, without a line break, in memory of its
	// own. It is called by several goroutines at once. Its context is that of Run,
	// without the end: it ends only when the answer cannot be written any more.
	Answer func(context.Context, Line) []byte
	// Jobs is how many lines are answered at a time; less than 1 counts as 1.
	Jobs int
	// Progress, when set, is called after each write, by one goroutine.
	Progress func(Progress)
}

// Run answers all lines of the input, and says how many. An error is
// [ErrInterrupted], a [*ReadError], or else what Out said. A last line without
// a line break counts; an empty line does too.
func Run(ctx context.Context, c Config) (Progress, error) {
	taking, stop := context.WithCancel(ctx)
	defer stop()
	answering, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()

	p := newPassage(max(c.Jobs, 1))
	go p.read(taking, c.In)
	for range max(c.Jobs, 1) {
		p.workers.Go(func() {
			defer p.caught(stop)
			p.work(taking, answering, c.Answer)
		})
	}
	go p.finish()
	done, err := p.write(c.Out, c.Progress)
	if err != nil {
		stop()
		abandon()
	}
	<-p.idle
	if p.panicked != nil {
		panic(p.panicked)
	}
	if err != nil {
		return done, err
	}
	return done, p.outcome()
}
