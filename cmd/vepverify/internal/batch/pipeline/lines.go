package pipeline

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineReader reads the lines of the input into blocks.
type lineReader struct {
	in    *bufio.Reader
	lines int64 // read so far
	err   error // what ended the input, if it has
}

func newLineReader(in io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, MaxLine+len("\r\n"))}
}

// fill reads lines into an empty block: one, and more as long as they are at
// hand, so that it waits for none with others in the block. At the end of the
// input it errs, with io.EOF when all is well; the block may have lines then.
func (r *lineReader) fill(b *block) error {
	b.first = r.lines + 1
	for !b.full() {
		if err := r.next(b); err != nil {
			return err
		}
		if !r.atHand() {
			return nil
		}
	}
	return nil
}

// next reads a line into the block.
func (r *lineReader) next(b *block) error {
	if r.err != nil {
		return r.err
	}
	text, err := r.in.ReadSlice('\n')
	b.size += int64(len(text))
	cut := errors.Is(err, bufio.ErrBufferFull)
	if cut {
		err = r.skip(b)
	}
	r.err = noted(err)
	switch {
	case r.err != nil && r.err != io.EOF:
		return r.err
	case r.err == io.EOF && len(text) == 0:
		return r.err
	}
	r.lines++
	text = withoutBreak(text)
	if cut || len(text) > MaxLine {
		b.add(nil, true)
		return nil
	}
	b.add(text, false)
	return nil
}

// noted gives an end of the input as such, however it is wrapped.
func noted(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

// skip passes over the rest of a line, which a block need not hold.
func (r *lineReader) skip(b *block) error {
	for {
		rest, err := r.in.ReadSlice('\n')
		b.size += int64(len(rest))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// atHand says whether the next line has been read to its end.
func (r *lineReader) atHand() bool {
	held, _ := r.in.Peek(r.in.Buffered()) // errs only when asked for more
	return bytes.IndexByte(held, '\n') >= 0
}

func withoutBreak(text []byte) []byte {
	text, cut := bytes.CutSuffix(text, []byte("\n"))
	if cut {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return text
}
