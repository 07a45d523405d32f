package mont

// Comb is a table of powers of one base (Lim and Lee, 1994). It does not change
// and is safe for concurrent use.
//
// The exponent is written in rows of equal length, one above the other; a
// column of bits is a digit. All columns of one position have one entry in the
// table, so that it takes as many multiplications as there are columns, and one
// squaring less. The columns may further be dealt out to several tables, side
// by side, which leaves the multiplications as they are, but divides the number
// of squarings.
type Comb struct {
	rows   int
	length int // of a row, in bits
	step   int // columns of a table, but maybe fewer in the last
	tables [][]uint64
}

// NewComb makes the comb of a base for exponents of so many bits. It has
// tables·(2^rows − 1) elements. rows is at most 16.
func NewComb(r Ring, base []uint64, bits, rows, tables int) *Comb {
	c := &Comb{rows: rows, length: (bits + rows - 1) / rows}
	c.step = (c.length + tables - 1) / tables
	n := r.Len()
	for range (c.length + c.step - 1) / c.step {
		c.tables = append(c.tables, make([]uint64, n*(1<<rows-1)))
	}
	c.setRows(r, base)
	for _, t := range c.tables {
		for d := 3; d < 1<<rows; d++ {
			if rest := d & (d - 1); rest != 0 { // d without its lowest bit
				r.Mul(entry(t, n, d), entry(t, n, rest), entry(t, n, d-rest))
			}
		}
	}
	return c
}

// setRows sets the entries of a single bit: base^(2^i) for the bit i of the
// exponent at which the table's part of a row begins.
func (c *Comb) setRows(r Ring, base []uint64) {
	n := r.Len()
	x := append([]uint64(nil), base...)
	for i := range c.rows * c.length {
		if j := i % c.length; j%c.step == 0 {
			copy(entry(c.tables[j/c.step], n, 1<<(i/c.length)), x)
		}
		r.Square(x, x)
	}
}

// entry gives that of the digit d, which is not zero.
func entry(table []uint64, n, d int) []uint64 { return table[(d-1)*n:][:n] }

// columns is the number of columns of table i.
func (c *Comb) columns(i int) int { return min(c.step, c.length-i*c.step) }

// recode adds the digits of the exponent for table i to digits, which are zero.
func (c *Comb) recode(digits []uint16, i int, exponent []uint64) {
	for row := range c.rows {
		start := row*c.length + i*c.step
		var w uint64
		for j := range digits {
			if j%64 == 0 {
				w = word(exponent, start+j)
			}
			digits[j] |= uint16(w&1) << row
			w >>= 1
		}
	}
}

// Size is the memory that the tables take, in bytes.
func (c *Comb) Size() int {
	size := 0
	for _, t := range c.tables {
		size += 8 * len(t)
	}
	return size
}
