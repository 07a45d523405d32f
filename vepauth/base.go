package vepauth

import (
	"bytes"
	"io"
	"strings"
)

// baseString is the signature base string of RFC 5849, section 3.4.1, of the
// message and what of the header is signed.
func baseString(m message, signed []parameter) ([]byte, error) {
	var base bytes.Buffer
	err := writeBaseString(&base, m, signed)
	return base.Bytes(), err
}

// writeBaseString writes it piece by piece, since it can be five times as long
// as the form. Errors are those of appendForm: writing to a hash has none.
func writeBaseString(to io.Writer, m message, signed []parameter) error {
	var room [16]parameter
	parameters := append(room[:0], signed...)
	parameters, err := appendForm(parameters, m.query())
	if err != nil {
		return err
	}
	if parameters, err = appendForm(parameters, m.form); err != nil {
		return err
	}
	sortParameters(parameters)
	w := &encoder{to: to}
	w.encode(strings.ToUpper(m.method), "%")
	w.write("&")
	w.encode(m.origin.text, "%")
	w.encode(m.path(), "%")
	w.write("&")
	for i, p := range parameters {
		if i > 0 {
			w.write("%26")
		}
		w.encode(p.name, "%25") // twice encoded, as the rest of the parameters
		w.write("%3D")
		w.encode(p.value, "%25")
	}
	w.flush()
	return nil
}

// encoder writes text in percent-encoding, in pieces (BenchmarkHostile).
type encoder struct {
	to   io.Writer
	n    int
	room [512]byte
}

// write writes a short text as it is.
func (w *encoder) write(s string) {
	if w.n+len(s) > len(w.room) {
		w.flush()
	}
	w.n += copy(w.room[w.n:], s)
}

// encode writes text with that text in place of the percent sign.
func (w *encoder) encode(s, percent string) {
	n := w.n
	for i := range len(s) {
		if n+5 > len(w.room) {
			w.n = n
			w.flush()
			n = 0
		}
		c := s[i]
		if unreserved[c] {
			w.room[n] = c
			n++
			continue
		}
		n += copy(w.room[n:], percent)
		w.room[n], w.room[n+1] = hexDigits[c>>4], hexDigits[c&15]
		n += 2
	}
	w.n = n
}

func (w *encoder) flush() {
	w.to.Write(w.room[:w.n])
	w.n = 0
}
