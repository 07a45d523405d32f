package pipeline

import (
	"slices"
	"sync/atomic"
)

// block is a sequence of consecutive lines with their answers.
type block struct {
	first int64 // the number of its first line
	lines []extent
	text  []byte // of all lines
	size  int64  // bytes of the input

	begun   int // number of lines that workers have begun
	answers [][]byte
	left    atomic.Int64  // number of lines without an answer
	done    chan struct{} // receives one value when left is 0
}

// extent is the position of a line in the text of its block.
type extent struct {
	from, to int
	tooLong  bool
}

func newBlock() *block { return &block{done: make(chan struct{}, 1)} }

// full reports whether no further line should be added.
func (b *block) full() bool { return len(b.lines) == BlockLines || len(b.text) >= blockBytes }

func (b *block) add(text []byte, tooLong bool) {
	from := len(b.text)
	b.text = append(b.text, text...)
	b.lines = append(b.lines, extent{from, len(b.text), tooLong})
}

// ready prepares a filled block for the workers.
func (b *block) ready() {
	b.answers = slices.Grow(b.answers, len(b.lines))[:len(b.lines)]
	b.left.Store(int64(len(b.lines)))
}

func (b *block) line(i int) Line {
	e := b.lines[i]
	return Line{Number: b.first + int64(i), Text: b.text[e.from:e.to:e.to], TooLong: e.tooLong}
}

// answer sets the answer to a line.
func (b *block) answer(i int, text []byte) {
	b.answers[i] = text
	if b.left.Add(-1) == 0 {
		b.done <- struct{}{}
	}
}

// appendAnswers appends the answers to all lines that were begun, each with a line
// break.
func (b *block) appendAnswers(to []byte) []byte {
	for _, answer := range b.answers[:b.begun] {
		to = append(append(to, answer...), '\n')
	}
	return to
}

// reset empties a block that was written, and keeps its memory.
func (b *block) reset() {
	clear(b.answers)
	b.lines, b.text, b.answers = b.lines[:0], b.text[:0], b.answers[:0]
	b.size, b.begun = 0, 0
}
