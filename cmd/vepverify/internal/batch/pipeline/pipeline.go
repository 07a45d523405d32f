// Package pipeline answers the lines of an input. It reads the lines, has several
// of them answered at a time, and writes one line for each, in the order of the
// input. The caller decides what an answer is.
//
// Start with [Run].
//
// # Memory
//
// Lines are read in blocks: the lines that one read returned, at most [BlockLines]
// lines and about 64 KiB. There are [Config.Jobs] + 4 blocks, which are reused. If
// all of them wait for a line that takes long, nothing more is read. Memory
// depends neither on the length of the input nor on slow answers. Lines longer than
// [MaxLine] are skipped and not kept in memory.
//
// # When answers are written
//
// A block is written when all of its lines are answered and all blocks before it are
// written. A block never waits for more input, so that all answers are written
// when the input pauses: a line that is typed is answered before the next one. A file
// takes one write for each block.
//
// # Stopping
//
// When the context of Run ends, no further line is begun. The lines that were begun
// are finished, and their answers are written. Lines are begun in order, so that the
// answers written are those of the first lines of the input.
//
// # What is not done
//
// A Read of the input cannot be interrupted. If Run stops early, a goroutine may
// stay in a Read of the input until that returns. Run does not flush or close its
// output.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// Limits of the memory for the input.
const (
	// MaxLine is the size of the longest line that is passed to Answer, in bytes,
	// without the line break.
	MaxLine = 64 << 10
	// BlockLines is the largest number of lines in a block.
	BlockLines = 64

	blockBytes = 64 << 10 // a block with that many bytes is full
	// spareBlocks is the number of blocks beyond one for each job: one that is read,
	// one that is written, one that waits for the jobs, and one that waits to be written.
	spareBlocks = 4
)

// ErrInterrupted is returned if the context of Run ended before every line was
// answered.
var ErrInterrupted = errors.New("interrupted")

// ReadError is returned if the input could not be read to its end. The lines before
// the error are answered, except one that was cut off.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return fmt.Sprintf("reading the input: %v", e.Err) }

// Unwrap returns the reader's error.
func (e *ReadError) Unwrap() error { return e.Err }

// Panic is the value with which Run panics after a panic of Answer in another
// goroutine.
type Panic struct {
	Value   any // the value of the panic of Answer
	callers []uintptr
}

// Callers returns the stack of Answer, as [runtime.Callers] does.
func (p *Panic) Callers() []uintptr { return p.callers }

// Line is a line of the input.
type Line struct {
	// Number is the number of the line, beginning with 1.
	Number int64
	// Text is the line without its line break, LF or CRLF. It is valid until Answer
	// returns.
	Text []byte
	// TooLong means that the line is longer than MaxLine. Text is empty then.
	TooLong bool
}

// Progress is the number of lines and bytes that are done.
type Progress struct {
	Lines int64 // lines whose answer is written
	Bytes int64 // bytes of the input, with line breaks, of all blocks that are at least partly written
}

// Config has the settings of [Run]. In, Out and Answer must be set.
type Config struct {
	In  io.Reader
	Out io.Writer
	// Answer returns the answer to a line, without a line break. The caller of Answer
	// keeps the memory. Several goroutines call Answer at once. Its context has the
	// values of that of Run, and ends only if answers can no longer be written.
	Answer func(context.Context, Line) []byte
	// Jobs is the number of lines that are answered at a time. Less than 1 means 1.
	Jobs int
	// Progress, if not nil, is called after each write, always by the same goroutine.
	Progress func(Progress)
}

// Run answers all lines of the input and returns their number. The error is
// [ErrInterrupted], a [*ReadError], or an error of Out. A last line without a line
// break is a line, and an empty line is a line too. If Answer panics, Run panics with
// a [*Panic].
func Run(ctx context.Context, c Config) (Progress, error) {
	starting, stop := context.WithCancel(ctx)
	defer stop()
	answering, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()

	p := newPipeline(max(c.Jobs, 1))
	go p.read(starting, c.In)
	for range max(c.Jobs, 1) {
		p.workers.Go(func() {
			defer p.recoverPanic(stop)
			p.work(starting, answering, c.Answer)
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
	return done, p.result()
}

// pipeline has the channels through which blocks pass: free, filled, begun, and
// free again. Each channel has capacity for all blocks, so that a send never blocks.
type pipeline struct {
	free, filled, begun chan *block
	readErr             chan error // receives the error that ended the input

	workers  sync.WaitGroup
	idle     chan struct{} // closed when the workers have returned
	panicked *Panic        // of a worker; to be read when idle

	mu          sync.Mutex // held while a line is begun
	current     *block     // the block with lines to begin, or nil
	interrupted bool       // a worker stopped before the end of the input
}

func newPipeline(jobs int) *pipeline {
	blocks := jobs + spareBlocks
	p := &pipeline{
		free: make(chan *block, blocks), filled: make(chan *block, blocks), begun: make(chan *block, blocks),
		readErr: make(chan error, 1), idle: make(chan struct{}),
	}
	for range blocks {
		p.free <- newBlock()
	}
	return p
}

// read fills free blocks until the end of the input.
func (p *pipeline) read(ctx context.Context, in io.Reader) {
	defer close(p.filled)
	r := newLineReader(in)
	for {
		var b *block
		select {
		case b = <-p.free:
		case <-ctx.Done():
			return
		}
		err := r.fill(b)
		if len(b.lines) > 0 {
			b.ready()
			p.filled <- b
		}
		if err != nil {
			p.readErr <- err
			return
		}
	}
}

// work answers lines until the end of the input, or until starting ends.
func (p *pipeline) work(starting, answering context.Context, answer func(context.Context, Line) []byte) {
	for {
		b, i := p.next(starting)
		if b == nil {
			return
		}
		b.answer(i, answer(answering, b.line(i)))
	}
}

// next begins a line. The block is nil at the end of the input, or if ctx has
// ended. A worker that waits for input holds the lock: no other worker could begin a
// line.
func (p *pipeline) next(ctx context.Context) (b *block, i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil && !p.advance(ctx) {
		return nil, 0
	}
	if ctx.Err() != nil {
		p.interrupted = true
		return nil, 0
	}
	b, i = p.current, p.current.begun
	b.begun++
	if b.begun == len(b.lines) {
		p.current = nil // the block is reused once its lines are answered
	}
	return b, i
}

// advance waits for the next block with lines. It reports whether there is one.
func (p *pipeline) advance(ctx context.Context) bool {
	select {
	case b, more := <-p.filled:
		if more {
			p.current = b
			p.begun <- b
			return true
		}
	case <-ctx.Done():
	}
	allBegun := len(p.readErr) > 0 && len(p.filled) == 0 // in this order: read sends the last block before the error
	p.interrupted = !allBegun
	return false
}

// recoverPanic recovers a panic of a worker and keeps it for Run.
func (p *pipeline) recoverPanic(stop func()) {
	r := recover()
	if r == nil {
		return
	}
	callers := make([]uintptr, 100)
	callers = callers[:runtime.Callers(3, callers)] // without Callers, recoverPanic and gopanic
	stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.panicked = &Panic{Value: r, callers: callers}
}

// finish waits for the workers. It then closes the channels on which the writer waits.
func (p *pipeline) finish() {
	p.workers.Wait()
	close(p.idle)
	close(p.begun)
}

// write writes the answers, one block at a time.
func (p *pipeline) write(out io.Writer, progress func(Progress)) (done Progress, err error) {
	var text []byte
	for b := range p.begun {
		select {
		case <-b.done:
		case <-p.idle: // all lines that were begun are answered
			if p.panicked != nil {
				return done, nil
			}
		}
		text = b.appendAnswers(text[:0])
		if len(text) == 0 {
			return done, nil // no line of this block was begun
		}
		if _, err := out.Write(text); err != nil {
			return done, err
		}
		done.Lines += int64(b.begun)
		done.Bytes += b.size
		if progress != nil {
			progress(done)
		}
		b.reset()
		p.free <- b
	}
	return done, nil
}

// result returns how the input ended. It must be called when idle.
func (p *pipeline) result() error {
	if p.interrupted {
		return ErrInterrupted
	}
	if err := <-p.readErr; !errors.Is(err, io.EOF) {
		return &ReadError{err}
	}
	return nil
}
