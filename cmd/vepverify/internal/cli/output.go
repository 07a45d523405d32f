package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/vepverify/vepverify/internal/humantime"
)

// Printable escapes the characters that a terminal may interpret, such as control
// characters and those that change the writing direction, in the notation of JSON.
// Escaped JSON has the same value. A byte that is not UTF-8 becomes U+FFFD.
func Printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// Shorten returns s in printable form, cut off after limit bytes.
func Shorten(s string, limit int) string {
	s = Printable(s)
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}

// PrintJSON prints v on standard output as one line of printable JSON.
func (p *Process) PrintJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Out, Printable(string(data)))
	return err
}

// Table is a list of names and values, with the values in one column.
type Table struct {
	Indent string
	rows   [][2]string
}

// Row adds a row.
func (t *Table) Row(name, value string) { t.rows = append(t.rows, [2]string{name, value}) }

// String returns the table in printable form.
func (t *Table) String() string {
	width := 0
	for _, r := range t.rows {
		width = max(width, len(r[0]))
	}
	var b strings.Builder
	for _, r := range t.rows {
		fmt.Fprintf(&b, "%s%-*s  %s\n", t.Indent, width, Printable(r[0]), Printable(r[1]))
	}
	return b.String()
}

// FormatTime returns a time and its distance from now.
func FormatTime(at, now time.Time) string { return humantime.At(at, now) }

// IsTerminal reports whether a stream, an io.Reader or io.Writer, is a terminal.
// The standard output of a [Call] may be one.
func IsTerminal(stream any) bool {
	if checked, ok := stream.(*checkedWriter); ok {
		stream = checked.to
	}
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// isCharDevice reports whether a stream is a terminal or a device such as /dev/null, and
// not a pipe or a file.
func isCharDevice(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// WantsColor reports whether standard error is a terminal that shows colors,
// unless NO_COLOR (no-color.org) is set.
func (p *Process) WantsColor() bool {
	no, _ := p.Env("NO_COLOR")
	kind, _ := p.Env("TERM")
	return no == "" && kind != "dumb" && IsTerminal(p.Err)
}

// ASCIIOnly reports whether the environment has a locale that is not UTF-8.
func (p *Process) ASCIIOnly() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale, _ := p.Env(name); locale != "" {
			locale = strings.ToUpper(strings.ReplaceAll(locale, "-", ""))
			return !strings.Contains(locale, "UTF8")
		}
	}
	return false
}
