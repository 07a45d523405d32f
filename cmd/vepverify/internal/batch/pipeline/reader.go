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
	err   error // the error that ended the input, or nil
}

func newLineReader(in io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, MaxLine+len("\r\n"))}
}

// fill reads lines into an empty block: one line, and then those that are already
// buffered, so that the lines in the block do not wait for input. At the end of the
// input it returns an error, io.EOF if there was none; the block may have lines
// then.
func (r *lineReader) fill(b *block) error {
	b.first = r.lines + 1
	for !b.full() {
		if err := r.next(b); err != nil {
			return err
		}
		if !r.buffered() {
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
	tooLong := errors.Is(err, bufio.ErrBufferFull)
	if tooLong {
		err = r.skip(b)
	}
	r.err = unwrapEOF(err)
	switch {
	case r.err != nil && r.err != io.EOF:
		return r.err
	case r.err == io.EOF && len(text) == 0:
		return r.err
	}
	r.lines++
	text = withoutBreak(text)
	if tooLong || len(text) > MaxLine {
		b.add(nil, true)
		return nil
	}
	b.add(text, false)
	return nil
}

// unwrapEOF returns io.EOF for an error that wraps it, and any other error unchanged.
func unwrapEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

// skip reads the rest of a line that is too long.
func (r *lineReader) skip(b *block) error {
	for {
		rest, err := r.in.ReadSlice('\n')
		b.size += int64(len(rest))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// buffered reports whether the whole next line is in the buffer.
func (r *lineReader) buffered() bool {
	text, _ := r.in.Peek(r.in.Buffered()) // no error: it asks for no more than there is
	return bytes.IndexByte(text, '\n') >= 0
}

// withoutBreak returns a line without its line break, LF or CRLF.
func withoutBreak(text []byte) []byte {
	text, cut := bytes.CutSuffix(text, []byte("\n"))
	if cut {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return text
}
