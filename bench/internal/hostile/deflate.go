package hostile

import (
	"encoding/binary"
	"hash/crc32"
)

// Blocks returns a gzip stream of at most size bytes that decompresses to text. It has as
// many empty blocks as fit: a block of 31 bytes makes a reader build tables of 40 KB.
func Blocks(text []byte, size int) []byte {
	stream := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	stream = append(stream, 0) // a stored block, not the last
	stream = binary.LittleEndian.AppendUint16(stream, uint16(len(text)))
	stream = binary.LittleEndian.AppendUint16(stream, ^uint16(len(text)))
	stream = append(stream, text...)
	b := &bitWriter{bytes: stream}
	for len(b.bytes) < size-64 {
		b.emptyBlock()
	}
	b.write(3, 3) // the last block: fixed codes
	b.write(0, 7) // its end
	for b.used > 0 {
		b.write(0, 1)
	}
	stream = binary.LittleEndian.AppendUint32(b.bytes, crc32.ChecksumIEEE(text))
	return binary.LittleEndian.AppendUint32(stream, uint32(len(text)))
}

// bitWriter writes bits in the order of RFC 1951, the least significant first.
type bitWriter struct {
	bytes []byte
	last  byte
	used  int // bits of last
}

func (b *bitWriter) write(bits uint, n int) {
	for range n {
		b.last |= byte(bits&1) << b.used
		bits >>= 1
		if b.used++; b.used == 8 {
			b.bytes, b.last, b.used = append(b.bytes, b.last), 0, 0
		}
	}
}

// code writes a Huffman code, the most significant bit first.
func (b *bitWriter) code(bits uint, n int) {
	for i := n - 1; i >= 0; i-- {
		b.write(bits>>i, 1)
	}
}

// lengthCodes are the codes of code lengths in an empty block, by RFC 1951, section
// 3.2.2, from the lengths 16: 1 bit, 10: 2, 15: 4, and 1, 2, 11 to 14: 5.
var lengthCodes = map[int]struct {
	bits uint
	n    int
}{
	16: {0b0, 1}, 10: {0b10, 2}, 15: {0b1100, 4},
	1: {0b11010, 5}, 2: {0b11011, 5}, 11: {0b11100, 5}, 12: {0b11101, 5}, 13: {0b11110, 5}, 14: {0b11111, 5},
}

// codeOrder is the order in which the lengths of lengthCodes are sent.
var codeOrder = [...]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// emptyBlock writes a block with its own codes, 255 of them of 10 bits and one of 15, so that
// a reader with tables of 9 bits needs 128 further tables.
func (b *bitWriter) emptyBlock() {
	b.write(0, 1) // not the last
	b.write(2, 2) // dynamic codes
	b.write(6, 5) // 263 literal codes
	b.write(0, 5) // one distance code
	b.write(uint(len(codeOrder)-4), 4)
	for _, length := range codeOrder {
		b.write(uint(lengthCodes[length].n), 3)
	}
	length := func(n int) { b.code(lengthCodes[n].bits, lengthCodes[n].n) }
	for range 3 {
		length(10) // symbols 0 to 2
	}
	for range 42 {
		length(16) // six more of the same: up to 254
		b.write(3, 2)
	}
	for _, n := range []int{2, 1, 15, 15, 14, 13, 12, 11} { // 255, 256 (the end), 257 to 262
		length(n)
	}
	length(1)    // the distance code
	b.code(0, 1) // the end
}
