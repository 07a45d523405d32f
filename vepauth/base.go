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
	w := encoder{to: to, room: make([]byte, 0, 1024)}
	w.encoded(strings.ToUpper(m.method))
	w.plain("&")
	w.encoded(m.origin.text)
	w.encoded(m.path())
	w.plain("&")
	for i, p := range parameters {
		if i > 0 {
			w.plain("%26")
		}
		w.encodedTwice(p.name)
		w.plain("%3D")
		w.encodedTwice(p.value)
	}
	w.flush()
	return nil
}

// encoder writes text in percent-encoding, in pieces.
type encoder struct {
	to   io.Writer
	room []byte
}

func (w *encoder) plain(s string)        { w.room = append(w.room, s...) }
func (w *encoder) encoded(s string)      { w.write(s, "%") }
func (w *encoder) encodedTwice(s string) { w.write(s, "%25") }

func (w *encoder) write(s, percent string) {
	for s != "" {
		piece := s[:min(len(s), 128)]
		s = s[len(piece):]
		w.room = appendEncoded(w.room, piece, percent)
		if len(w.room) >= 512 { // a piece has at most 640 bytes
			w.flush()
		}
	}
}

func (w *encoder) flush() {
	w.to.Write(w.room)
	w.room = w.room[:0]
}
