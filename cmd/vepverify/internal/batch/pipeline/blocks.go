package pipeline

import (
	"context"
	"errors"
	"io"
	"sync"
)

// passage is the way of the blocks: free, read, begun, written, free again.
// Each channel has room for all of them, so that only having none to go on
// with makes anybody wait.
type passage struct {
	free, filled, begun chan *block
	readErr             chan error // gets what ended the input

	workers  sync.WaitGroup
	idle     chan struct{} // closed when the workers have ended
	panicked any           // what a worker panicked with; to be read when idle

	mu          sync.Mutex // held to begin a line
	current     *block     // that has lines to begin; nil: none
	interrupted bool       // a worker stopped before the end of the input
}

func newPassage(jobs int) *passage {
	blocks := jobs + spare
	p := &passage{
		free: make(chan *block, blocks), filled: make(chan *block, blocks), begun: make(chan *block, blocks),
		readErr: make(chan error, 1), idle: make(chan struct{}),
	}
	for range blocks {
		p.free <- newBlock()
	}
	return p
}

// read fills free blocks to the end of the input.
func (p *passage) read(ctx context.Context, in io.Reader) {
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

// work answers lines until there are no more, or taking ends.
func (p *passage) work(taking, answering context.Context, answer func(context.Context, Line) []byte) {
	for {
		b, i := p.next(taking)
		if b == nil {
			return
		}
		b.answer(i, answer(answering, b.line(i)))
	}
}

// next begins a line; the block is nil when there are none, or ctx has ended.
// Whoever waits for input does so with the lock: nobody else would find any.
func (p *passage) next(ctx context.Context) (b *block, i int) {
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
		p.current = nil // once its lines are answered the block has a new life
	}
	return b, i
}

// advance waits for a block to go on with.
func (p *passage) advance(ctx context.Context) bool {
	select {
	case b, more := <-p.filled:
		if more {
			p.current = b
			p.begun <- b
			return true
		}
	case <-ctx.Done():
	}
	allBegun := len(p.readErr) > 0 && len(p.filled) == 0 // in this order: the last block comes before the error
	p.interrupted = !allBegun
	return false
}

// caught keeps what a worker panics with for the goroutine of Run, whose
// caller may know what to do.
func (p *passage) caught(stop func()) {
	r := recover()
	if r == nil {
		return
	}
	stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.panicked = r
}

// finish tells the writer that no answer is to come any more.
func (p *passage) finish() {
	p.workers.Wait()
	close(p.idle)
	close(p.begun)
}

// write writes the answers, block by block.
func (p *passage) write(out io.Writer, progress func(Progress)) (done Progress, err error) {
	var text []byte
	for b := range p.begun {
		select {
		case <-b.done:
		case <-p.idle: // answered as far as it was begun
			if p.panicked != nil {
				return done, nil
			}
		}
		text = b.appendAnswers(text[:0])
		if len(text) == 0 {
			return done, nil // stopped right before this block
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

// outcome says, when idle, how the input ended.
func (p *passage) outcome() error {
	if p.interrupted {
		return ErrInterrupted
	}
	if err := <-p.readErr; !errors.Is(err, io.EOF) {
		return &ReadError{err}
	}
	return nil
}
