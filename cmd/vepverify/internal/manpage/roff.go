package manpage

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// roff is a man page in the macros of man(7).
type roff struct {
	strings.Builder
	begun bool // a section or an item has begun, and has no text yet
}

// macro writes a macro or a request with arguments that are escaped already.
func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, arg := range args {
		if arg == "" || strings.ContainsAny(arg, ` "`) {
			arg = `"` + strings.ReplaceAll(arg, `"`, `\(dq`) + `"`
		}
		r.WriteString(" " + arg)
	}
	r.WriteString("\n")
	r.begun = name == "SH" || name == "SS"
}

// paragraph begins a paragraph with PP, or with IP in an item. The first one of a section needs
// no macro.
func (r *roff) paragraph(macro string) {
	if !r.begun {
		r.macro(macro)
	}
}

// line writes a line of text that is escaped already.
func (r *roff) line(text string) {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text // not a macro
	}
	r.WriteString(text + "\n")
	r.begun = false
}

// literal writes lines as they are, without filling, with a margin of so many columns more.
func (r *roff) literal(columns int, lines string) {
	r.macro("sp")
	r.macro("RS", strconv.Itoa(columns))
	r.macro("nf")
	for line := range strings.Lines(lines) {
		for folded := range strings.Lines(fold(strings.TrimSuffix(line, "\n"))) {
			r.line(code(strings.TrimSuffix(folded, "\n")))
		}
	}
	r.macro("fi")
	r.macro("RE")
}

// special are the characters that roff interprets or that typesetters replace, and others that
// have names.
var special = map[rune]string{
	'\\': `\e`, '-': `\-`, '\'': `\(aq`, '`': `\(ga`, '^': `\(ha`, '~': `\(ti`,
	'…': `...`, '–': `\(en`, '×': `\(mu`, 'µ': `\(mc`, '≥': `\(>=`, '≤': `\(<=`,
}

// code escapes text to be shown character by character, as for copying.
func code(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch escaped, ok := special[r]; {
		case ok:
			b.WriteString(escaped)
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func bold(text string) string   { return `\fB` + code(text) + `\fR` }
func italic(text string) string { return `\fI` + code(text) + `\fR` }

var (
	flagWord     = regexp.MustCompile(`^(--?[A-Za-z][a-z0-9-]*…?)(=.*)?$`)
	pageWord     = regexp.MustCompile(`^([a-z][a-z0-9.-]*)(\([1-8]\))$`)
	variableWord = regexp.MustCompile(`^[A-Z][A-Z0-9]*_[A-Z0-9_]*…?$`)
	compoundWord = regexp.MustCompile(`^\p{L}+(-\p{Ll}+)+$`)
	apostrophe   = regexp.MustCompile(`^\p{L}+'s?$`)
	punctuation  = regexp.MustCompile(`^([("'\[]*)(.*?)([)"'\],;:.?!]*)$`)
)

// prose escapes running text. Flags, variables, other pages and the program's name are bold, and
// the names of values are italic.
func prose(text string, values map[string]bool) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = proseWord(word, values)
	}
	return strings.Join(words, " ")
}

func proseWord(word string, values map[string]bool) string {
	if m := pageWord.FindStringSubmatch(strings.TrimRight(word, ",.;:")); m != nil {
		return bold(m[1]) + strings.TrimPrefix(word, m[1])
	}
	m := punctuation.FindStringSubmatch(word)
	before, word, after := m[1], m[2], m[3]
	return quotes(before) + styled(word, values) + quotes(after)
}

// quotes escapes punctuation around a word. Single quotes are those of a shell.
func quotes(marks string) string { return strings.ReplaceAll(marks, "'", `\(aq`) }

func styled(word string, values map[string]bool) string {
	if m := flagWord.FindStringSubmatch(word); m != nil {
		return bold(m[1]) + code(m[2])
	}
	switch {
	case values[word]:
		return italic(word)
	case variableWord.MatchString(word), word == "vepverify":
		return bold(word)
	case strings.HasPrefix(word, "/etc/"), strings.HasPrefix(word, "/usr/"):
		return italic(word)
	case compoundWord.MatchString(word), apostrophe.MatchString(word):
		return word // with a hyphen, or an apostrophe
	}
	return code(word)
}

// foldWidth is the largest number of columns of a line that is not filled: 80, less the
// indentation.
const foldWidth = 68

// unfold joins lines of a command that end with a backslash.
func unfold(lines string) string { return continued.ReplaceAllString(lines, " ") }

var continued = regexp.MustCompile(` \\\n +`)

// fold breaks a line that is wider than a page: a command before a flag or a redirection, with a
// backslash, a line with a remark before it, and others after a comma.
func fold(line string) string {
	line = strings.ReplaceAll(line, "…", "...")
	if len(line) <= foldWidth {
		return line
	}
	if i := strings.Index(line, "    "); i > 0 && strings.TrimSpace(line[:i]) != "" {
		return fold(line[:i]) + "\n    " + strings.TrimSpace(line[i:])
	}
	for _, by := range []struct{ before, after, end string }{{" --", "", ` \`}, {" >", "", ` \`}, {"", ",", ""}} {
		if i := strings.LastIndex(line[:foldWidth-len(by.end)], by.before+by.after); i > 4 {
			i += len(by.after)
			return line[:i] + by.end + "\n" + fold("    "+strings.TrimSpace(line[i:]))
		}
	}
	return line
}
