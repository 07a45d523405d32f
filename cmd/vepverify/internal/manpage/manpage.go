// Package manpage writes the man pages of the program and of its commands, in roff with the
// macros of man(7). The texts are those of package cli: a page has everything that the help
// has, and the parts of [cli.Manual] that are for pages only.
//
// [Write] writes all pages, and [Command] is the command that prints one of them or writes them.
package manpage

import (
	"fmt"
	"go/doc/comment"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// Repository is where the documents are that pages name.
const Repository = "https://github.com/vepverify/vepverify"

// page is a man page that is being written.
type page struct {
	roff
	values map[string]bool // the names of flags' values and of arguments
}

// Name returns the name of the page of a command, such as vepverify-serve.
func Name(command string) string { return cli.Program + "-" + command }

// Write writes the pages of the program and of all its commands to a folder, which it makes if
// it is missing. The date is that of the pages; zero means none.
func Write(folder string, app *cli.App, date time.Time) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	pages := map[string]string{cli.Program: Program(app, date)}
	for _, c := range app.Commands {
		pages[Name(c.Name)] = Page(c, date)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(folder, name+".1"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Program returns the page of the program.
func Program(app *cli.App, date time.Time) string {
	p := &page{values: values(app.Synopsis...)}
	p.title(cli.Program, app.Usage, date)
	p.section("SYNOPSIS")
	p.synopsis(app.Synopsis...)
	p.section("DESCRIPTION")
	p.text(app.Help)
	p.text(app.Manual.Notes)
	p.text(app.Manual.Detail)
	p.section("COMMANDS")
	p.prose(cli.CommandsHelp)
	for _, group := range app.Groups() {
		p.macro("SS", code(group.Name))
		for _, c := range group.Commands {
			p.item(bold(Name(c.Name))+"(1)", sentence(c.Usage))
		}
	}
	p.examples(app.Manual.Examples)
	p.environment(app.Manual.Environment)
	p.entries("FILES", app.Manual.Files)
	p.exit(app.Manual)
	p.seeAlso(app.Manual, false)
	return p.String()
}

// Page returns the page of a command.
func Page(c *cli.Command, date time.Time) string {
	p := &page{values: values(c.Synopsis())}
	for _, f := range c.Flags {
		p.values[cli.TextOf(f).Value] = true
	}
	p.title(Name(c.Name), c.Usage, date)
	p.section("SYNOPSIS")
	p.synopsis(c.Synopsis())
	p.section("DESCRIPTION")
	p.text(c.Help)
	p.text(c.Manual.Notes)
	p.text(c.Manual.Detail)
	p.options(c)
	p.examples(c.Manual.Examples)
	if len(c.Flags) > 0 || len(c.Manual.Environment) > 0 {
		p.environment(c.Manual.Environment)
	}
	p.entries("FILES", c.Manual.Files)
	p.exit(c.Manual)
	p.entries("TROUBLESHOOTING", c.Manual.Trouble)
	p.seeAlso(c.Manual, true)
	return p.String()
}

// values returns the words of synopses that are in capitals: names of values.
func values(synopses ...string) map[string]bool {
	all := make(map[string]bool)
	for _, word := range strings.FieldsFunc(strings.Join(synopses, " "), func(r rune) bool { return strings.ContainsRune(" []|…", r) }) {
		if word == strings.ToUpper(word) && word != "-" {
			all[word] = true
		}
	}
	return all
}

// title writes the header, and the section NAME, from which whatis(1) takes its line.
func (p *page) title(name, usage string, date time.Time) {
	day := ""
	if !date.IsZero() {
		day = date.UTC().Format(time.DateOnly)
	}
	p.macro("TH", code(strings.ToUpper(name)), "1", day, cli.Program, "vepverify manual")
	p.macro("nh") // no hyphenation, which would add hyphens to names
	p.macro("ad", "l")
	p.section("NAME")
	p.line(code(name) + ` \- ` + code(usage))
}

func (p *page) section(title string) { p.macro("SH", title) }

// synopsis writes forms of the command line.
func (p *page) synopsis(forms ...string) {
	for i, form := range forms {
		if i > 0 {
			p.macro("br")
		}
		words := strings.Fields(form)
		for i, word := range words {
			words[i] = p.synopsisWord(word)
		}
		p.line(strings.Join(words, " "))
	}
}

var synopsisPart = regexp.MustCompile(`[A-Za-z]+|[^A-Za-z]+`)

// synopsisWord writes the names of values in italics: those in capitals, also in [FILE|-], and
// [flags].
func (p *page) synopsisWord(word string) string {
	if word == strings.ToLower(word) && word[0] != '[' && !strings.Contains(word, "|") {
		return bold(word)
	}
	return synopsisPart.ReplaceAllStringFunc(word, func(part string) string {
		switch {
		case strings.ToUpper(part) == strings.ToLower(part):
			return code(part)
		case part == strings.ToUpper(part), part == "flags":
			return italic(part)
		}
		return bold(part)
	})
}

// text writes paragraphs, and indented lines as they are.
func (p *page) text(text string) {
	for _, block := range new(comment.Parser).Parse(text).Content {
		p.block(block, "PP")
	}
}

// margin are the columns by which lines are indented, by the macro of the paragraphs around them.
// In an item, they count from the margin of its term.
var margin = map[string]int{"PP": 4, "IP": 11}

// block writes a block of a text, whose paragraphs begin with this macro.
func (p *page) block(block comment.Block, paragraph string) {
	switch block := block.(type) {
	case *comment.Paragraph:
		p.paragraph(paragraph)
		p.prose(plain(block.Text))
	case *comment.Code:
		p.literal(margin[paragraph], block.Text)
	case *comment.Heading:
		p.macro("SS", code(plain(block.Text)))
	case *comment.List:
		for _, item := range block.Items {
			p.macro("IP", `\(bu`, "2")
			for _, block := range item.Content {
				p.prose(plain(block.(*comment.Paragraph).Text))
			}
		}
	}
}

// plain returns the text of a paragraph.
func plain(text []comment.Text) string {
	var b strings.Builder
	for _, t := range text {
		switch t := t.(type) {
		case comment.Plain:
			b.WriteString(string(t))
		case comment.Italic:
			b.WriteString(string(t))
		case *comment.Link:
			b.WriteString(plain(t.Text))
		case *comment.DocLink:
			b.WriteString(plain(t.Text))
		}
	}
	return b.String()
}

// prose writes running text.
func (p *page) prose(text string) {
	p.line(prose(text, p.values))
}

// item writes a term, which is escaped already, and its text.
func (p *page) item(term, text string) {
	p.macro("TP")
	p.line(term)
	p.begun = true
	for _, block := range new(comment.Parser).Parse(text).Content {
		p.block(block, "IP")
	}
}

// options writes the flags.
func (p *page) options(c *cli.Command) {
	if len(c.Flags) == 0 {
		return
	}
	p.section("OPTIONS")
	for _, group := range c.FlagGroups() {
		if group.Title != "" {
			p.macro("SS", code(group.Title))
		}
		for _, f := range group.Flags {
			p.flag(cli.TextOf(f), group.Text[f.Names()[0]])
		}
	}
}

// flag writes a flag, with an explanation that may be empty.
func (p *page) flag(text cli.FlagText, explanation string) {
	p.macro("TP")
	p.line(flagTerm(text))
	p.prose(sentence(text.Usage))
	if origin := origin(text); origin != "" {
		p.macro("br")
		p.line(origin)
	}
	for _, block := range new(comment.Parser).Parse(explanation).Content {
		p.block(block, "IP")
	}
}

// flagTerm returns the names of a flag and of its value.
func flagTerm(text cli.FlagText) string {
	var forms []string
	for _, short := range text.Names[1:] {
		form := bold("-" + short)
		if text.Value != "" {
			form += " " + italic(text.Value)
		}
		forms = append(forms, form)
	}
	form := bold("--" + text.Names[0])
	if text.Value != "" {
		form += "=" + italic(text.Value)
	}
	return strings.Join(append(forms, form), ", ")
}

// origin returns the default and the variable of a flag.
func origin(text cli.FlagText) string {
	var parts []string
	if text.Default != "" {
		parts = append(parts, "Default: "+code(text.Default)+".")
	}
	if text.Variable != "" {
		parts = append(parts, "Environment: "+bold(text.Variable)+".")
	}
	return strings.Join(parts, " ")
}

// sentence returns a usage as a sentence.
func sentence(usage string) string { return strings.TrimSuffix(capitalized(usage), ".") + "." }

// capitalized returns a text with a capital first letter, unless its first word is a name with
// capitals.
func capitalized(text string) string {
	if word, _, _ := strings.Cut(text, " "); word == strings.ToLower(word) {
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}

func (p *page) examples(examples []cli.Example) {
	if len(examples) == 0 {
		return
	}
	p.section("EXAMPLES")
	for _, e := range examples {
		p.paragraph("PP")
		p.prose(e.For + ":")
		p.literal(margin["PP"], unfold(e.Lines))
	}
}

// environment writes the variables of flags, and others.
func (p *page) environment(others []cli.Entry) {
	p.section("ENVIRONMENT")
	p.paragraph("PP")
	p.prose(cli.VariablesHelp + " The values of a repeatable flag have spaces between them. " +
		"A switch is on if its variable is true. An empty variable counts as not set. " +
		"A flag on the command line takes precedence over its variable.")
	for _, e := range others {
		p.item(bold(e.Name), e.Text)
	}
}

func (p *page) entries(title string, entries []cli.Entry) {
	if len(entries) == 0 {
		return
	}
	p.section(title)
	for _, e := range entries {
		p.item(prose(capitalized(e.Name), p.values), e.Text)
	}
}

func (p *page) exit(m cli.Manual) {
	if len(m.Exit) == 0 && m.ExitNote == "" {
		return
	}
	p.section("EXIT STATUS")
	if m.ExitNote != "" {
		p.prose(sentence(m.ExitNote))
	}
	for _, e := range slices.SortedFunc(slices.Values(m.Exit), func(a, b cli.Exit) int { return int(a.Status - b.Status) }) {
		p.item(bold(fmt.Sprint(int(e.Status))), sentence(e.Meaning))
	}
}

// seeAlso writes the page of the program, related ones, and the documents that explain more.
func (p *page) seeAlso(m cli.Manual, program bool) {
	var pages []string
	if program {
		pages = append(pages, bold(cli.Program)+"(1)")
	}
	for _, name := range m.SeeAlso {
		if other, section, found := strings.Cut(name, "("); found {
			pages = append(pages, bold(other)+"("+section)
		} else {
			pages = append(pages, bold(Name(name))+"(1)")
		}
	}
	if len(pages) == 0 && len(m.Documents) == 0 {
		return
	}
	p.section("SEE ALSO")
	if len(pages) > 0 {
		p.line(strings.Join(pages, ", "))
	}
	if len(m.Documents) > 0 {
		p.paragraph("PP")
		p.prose("In " + Repository + ", and in /usr/share/doc/vepverify if the Debian package is installed: " +
			strings.Join(m.Documents, ", ") + ".")
	}
}
