package keys

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"sync"
)

// chunkDigits is the number of decimal digits that are parsed at a time.
const chunkDigits = 16

// maxChunks is the number of chunks of the longest number, 2^rsaMaxBits.
const maxChunks = (rsaMaxBits*1234/4096+1)/chunkDigits + 1

// parseDigits parses a number of at most maxChunks chunks. ok is false if text has a
// character that is not a digit. The number is Σ chunk[i]·10^(16·i): its words are sums
// of products of the chunks with the words of the powers, column by column. This takes
// as many multiplications as the usual method, but does not go through the memory once
// for each chunk (BenchmarkParseRSA in parse_test.go).
func parseDigits(text []byte) (n *big.Int, ok bool) {
	var buf [maxChunks]uint64
	chunks := buf[:0]
	for len(text) >= chunkDigits {
		rest := len(text) - chunkDigits
		c, ok := parseChunk((*[chunkDigits]byte)(text[rest:]))
		if !ok {
			return nil, false
		}
		chunks, text = append(chunks, c), text[:rest]
	}
	if len(text) > 0 {
		first := [chunkDigits]byte([]byte("0000000000000000"))
		copy(first[chunkDigits-len(text):], text)
		c, ok := parseChunk(&first)
		if !ok {
			return nil, false
		}
		chunks = append(chunks, c)
	}
	return sumOfPowers(chunks), true
}

// parseChunk parses 16 characters. ok is false if one of them is not a digit.
func parseChunk(text *[chunkDigits]byte) (n uint64, ok bool) {
	high, low := binary.LittleEndian.Uint64(text[:8]), binary.LittleEndian.Uint64(text[8:])
	return parseEight(high)*1e8 + parseEight(low), areDigits(high) && areDigits(low)
}

// areDigits reports whether all eight bytes of v are digits: bytes from 0x30 to 0x3f
// that are still in this range when 6 is added.
func areDigits(v uint64) bool {
	const sixes, tops, zeros = 0x0606060606060606, 0xf0f0f0f0f0f0f0f0, 0x3030303030303030
	return v&tops == zeros && (v+sixes)&tops == zeros
}

// parseEight returns the number whose digits are the bytes of v. The first digit is the
// lowest byte. Each step joins neighbours: digits to numbers below 100, these to numbers
// below 10 000, and these to the result.
func parseEight(v uint64) uint64 {
	v -= 0x3030303030303030
	v = v*10 + v>>8 // every second byte
	const mask = 0x000000ff000000ff
	return ((v&mask)*(100+1e6<<32) + (v>>16&mask)*(1+1e4<<32)) >> 32
}

// column holds one word of each power of 10^16, at the same position in all of them. It
// begins with the first power that is long enough.
type column struct {
	first int
	words []uint64
}

var columns = sync.OnceValue(func() []column {
	all := make([]column, rsaMaxBits/64+1) // the last one for the carry of the others
	for j := range all {
		all[j].first = maxChunks
	}
	power, base := big.NewInt(1), big.NewInt(1e16)
	for i := range maxChunks {
		b := make([]byte, 8*len(all))
		power.FillBytes(b)
		for j := range (power.BitLen() + 63) / 64 {
			all[j].first = min(i, all[j].first)
			all[j].words = append(all[j].words, binary.BigEndian.Uint64(b[len(b)-8*(j+1):]))
		}
		power.Mul(power, base)
	}
	return all
})

// sumOfPowers returns Σ chunks[i]·10^(16·i).
func sumOfPowers(chunks []uint64) *big.Int {
	const wordsOf64 = 64 / bits.UintSize
	words := make([]big.Word, 0, wordsOf64*(len(chunks)*54/64+1)) // 10^16 is below 2^54
	var c0, c1, c2 uint64
	for _, column := range columns() {
		if column.first < len(chunks) {
			c0, c1, c2 = dotProduct(c0, c1, c2, chunks[column.first:], column.words)
		} else if c0 == 0 && c1 == 0 {
			break
		}
		words = append(words, big.Word(c0))
		if wordsOf64 == 2 {
			words = append(words, big.Word(c0>>32))
		}
		c0, c1, c2 = c1, c2, 0
	}
	return new(big.Int).SetBits(words)
}

// dotProduct adds Σ x[i]·y[i] to the sum c2:c1:c0 and returns the sum. y is at least as
// long as x.
func dotProduct(c0, c1, c2 uint64, x, y []uint64) (uint64, uint64, uint64) {
	y = y[:len(x)]
	var c uint64
	for i, a := range x {
		high, low := bits.Mul64(a, y[i])
		c0, c = bits.Add64(c0, low, 0)
		c1, c = bits.Add64(c1, high, c)
		c2, _ = bits.Add64(c2, 0, c)
	}
	return c0, c1, c2
}
