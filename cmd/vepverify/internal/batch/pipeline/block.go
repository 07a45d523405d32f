package pipeline

import (
	"slices"
	"sync/atomic"
)

// block is consecutive lines on their way through.
type block struct {
	first int64 // the number of its first line
	lines []extent
	text  []byte // of all lines
	size  int64  // of the input that it took

	begun   int // lines given to workers
	answers [][]byte
	left    atomic.Int64  // lines not answered yet
	done    chan struct{} // gets one value when left has come to 0
}

// extent is where a line stands in its block's text.
type extent struct {
	from, to int
	tooLong  bool
}

func newBlock() *block { return &block{done: make(chan struct{}, 1)} }

func (b *block) full() bool { return len(b.lines) == BlockLines || len(b.text) >= blockBytes }

func (b *block) add(text []byte, tooLong bool) {
	from := len(b.text)
	b.text = append(b.text, text...)
	b.lines = append(b.lines, extent{from, len(b.text), tooLong})
}

// ready makes a block that was filled ready for the workers.
func (b *block) ready() {
	b.answers = slices.Grow(b.answers, len(b.lines))[:len(b.lines)]
	b.left.Store(int64(len(b.lines)))
}

func (b *block) line(i int) Line {
	e := b.lines[i]
	return Line{Number: b.first + int64(i), Text: b.text[e.from:e.to:e.to], TooLong: e.tooLong}
}

// answer notes the answer to a line.
func (b *block) answer(i int, text []byte) {
	b.answers[i] = text
	if b.left.Add(-1) == 0 {
		b.done <- struct{}{}
	}
}

// appendAnswers appends the answers to the lines begun, each with a line break.
func (b *block) appendAnswers(to []byte) []byte {
	for _, answer := range b.answers[:b.begun] {
		to = append(append(to, answer...), '\n')
	}
	return to
}

// reset empties a block that was written, and keeps its room.
func (b *block) reset() {
	clear(b.answers)
	b.lines, b.text, b.answers = b.lines[:0], b.text[:0], b.answers[:0]
	b.size, b.begun = 0, 0
}
