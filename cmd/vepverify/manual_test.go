package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
	"github.com/vepverify/vepverify/internal/testtool"
)

// writePages writes all man pages to a folder, and returns their texts by their names.
func writePages(t *testing.T, folder string) map[string]string {
	t.Helper()
	env := clitest.Env("SOURCE_DATE_EPOCH=1767225600")
	if code, _, stderr := runApp(t, cli.Process{Env: env}, "man", "--out", folder); code != 0 {
		t.Fatal(stderr)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	pages := make(map[string]string)
	for _, f := range files {
		source, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutSuffix(f.Name(), ".1")
		if !ok {
			t.Errorf("%s is not a page of section 1", f.Name())
		}
		pages[name] = string(source)
	}
	return pages
}

// TestEveryCommandHasAPage: there are pages of the program and of each command, no others,
// and that of the program lists them.
func TestEveryCommandHasAPage(t *testing.T) {
	pages := writePages(t, t.TempDir())
	want := []string{"vepverify"}
	for _, c := range newApp().Commands {
		want = append(want, "vepverify-"+c.Name)
		entry := `\fBvepverify\-` + c.Name + `\fR(1)`
		if !strings.Contains(pages["vepverify"], "\n.TP\n"+entry+"\n") {
			t.Errorf("vepverify(1) does not list %s", c.Name)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(pages)); !slices.Equal(got, want) {
		t.Errorf("pages %q, want %q", got, want)
	}
}

// TestPageHasTheHelp: everything in the help is in the page: each paragraph, example and exit
// status, and each flag with its value, usage, default and variable.
func TestPageHasTheHelp(t *testing.T) {
	pages := writePages(t, t.TempDir())
	app := newApp()
	checkHelp(t, "vepverify", nil, pages["vepverify"])
	for _, c := range app.Commands {
		checkHelp(t, "vepverify-"+c.Name, c, pages["vepverify-"+c.Name])
	}
}

var (
	// helpTitle are lines of the help that stand for the title of a section of the page.
	helpTitle  = regexp.MustCompile(`^(Usage|Flags|Examples?|Exit status|If something does not work):$`)
	helpStatus = regexp.MustCompile(`^Exit status[,:] `)
	helpName   = regexp.MustCompile(`^vepverify( [a-z]+)?: `)
	helpEntry  = regexp.MustCompile(`^   ([a-z]+)  +(.*)$`)
	helpFlag   = regexp.MustCompile(`^   (--\S.*?)(?:  +(.*?))?(?: \(default: "?(.*?)"?\))?$`)
)

// checkHelp compares the help of a command, or of the program if it is nil, with its page.
func checkHelp(t *testing.T, name string, c *cli.Command, page string) {
	t.Helper()
	args := []string{"help"}
	if c != nil {
		args = append(args, c.Name)
	}
	_, help, _ := runApp(t, cli.Process{}, args...)
	text := squash(textOf(page))
	lines := 0
	for line := range strings.Lines(help) {
		line = strings.TrimSuffix(line, "\n")
		if helpTitle.MatchString(line) || c == nil && isGroup(strings.TrimSuffix(line, ":")) {
			continue
		}
		lines++
		if want := inPage(c, line); !strings.Contains(text, squash(want)) {
			t.Errorf("%s: the page has not %q", name, want)
		}
	}
	if lines < 3 {
		t.Errorf("%s: the help has %d lines", name, lines)
	}
}

func isGroup(title string) bool {
	return slices.ContainsFunc(newApp().Groups(), func(g cli.CommandGroup) bool { return g.Name == title })
}

// inPage returns the form that a line of the help has in the page.
func inPage(c *cli.Command, line string) string {
	if m := helpFlag.FindStringSubmatch(line); m != nil && c != nil {
		return flagInPage(m[1], m[2], m[3])
	}
	if m := helpEntry.FindStringSubmatch(line); m != nil && c == nil {
		return "vepverify-" + m[1] + "(1)" + m[2] + "."
	}
	line = helpName.ReplaceAllString(line, "")
	return strings.TrimSuffix(helpStatus.ReplaceAllString(line, ""), ":")
}

// flagInPage returns the entry of a flag in a page.
func flagInPage(names, usage, standard string) string {
	forms := strings.Split(names, ", ")
	long, _, _ := strings.Cut(strings.TrimPrefix(forms[0], "--"), " ")
	forms[0] = strings.Replace(forms[0], " ", "=", 1)
	entry := strings.Join(append(forms[1:], forms[0]), ", ") + usage + "."
	if standard != "" {
		entry += "Default: " + standard + "."
	}
	if v := variableOf(long); v != "" {
		entry += "Environment: " + v + "."
	}
	return entry
}

// squash removes what differs between the help and a page: white space, the backslashes at the
// ends of lines, capitals at the beginning of sentences.
func squash(text string) string {
	text = strings.NewReplacer("…", "...", `\`, "").Replace(text)
	return strings.ToLower(strings.Join(strings.Fields(text), ""))
}

var roffEscapes = strings.NewReplacer(`\fB`, "", `\fI`, "", `\fR`, "", `\&`, "", `\-`, "-", `\e`, `\`, `\(aq`, "'", `\(ga`, "`",
	`\(ha`, "^", `\(ti`, "~", `\(en`, "–", `\(dq`, `"`, `\(bu`, "")

// textOf returns the text of a page without the macros and escapes of roff.
func textOf(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, ".S") {
			line = strings.ReplaceAll(line[len(".SH"):], `"`, "")
		} else if strings.HasPrefix(line, ".") {
			continue
		}
		b.WriteString(roffEscapes.Replace(line))
	}
	return b.String()
}

// TestHelpHasThePage: the flags, the examples and the exit statuses of a page are those of the
// help, and flags and variables that its texts name exist.
func TestHelpHasThePage(t *testing.T) {
	flags := map[string]bool{"help": true, "version": true, "some-flag": true, "flag": true, "network": true} // the last is docker's
	variables := map[string]bool{"VEPVERIFY_": true, "VEPVERIFY_SOME_FLAG": true}
	for _, c := range newApp().Commands {
		for _, f := range c.Flags {
			flags[f.Names()[0]] = true
			variables[variableOf(f.Names()[0])] = true
		}
	}
	pages := writePages(t, t.TempDir())
	for _, c := range newApp().Commands {
		_, help, _ := runApp(t, cli.Process{}, "help", c.Name)
		page := pages["vepverify-"+c.Name]
		for _, m := range regexp.MustCompile(`(?m)^\.TP\n(?:\\fB\\-\w\\fR.*, )?\\fB\\-\\-(.*?)\\fR`).FindAllStringSubmatch(page, -1) {
			if flag := roffEscapes.Replace(m[1]); !strings.Contains(help, "   --"+flag+" ") && !strings.Contains(help, "   --"+flag+",") {
				t.Errorf("%s: --%s is in the page only", c.Name, flag)
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^\.TP\n\\fB(\d+)\\fR`).FindAllStringSubmatch(page, -1) {
			if !regexp.MustCompile(`(?m)^  ` + m[1] + ` `).MatchString(help) {
				t.Errorf("%s: exit status %s is in the page only", c.Name, m[1])
			}
		}
		for _, e := range c.Manual.Examples {
			if !strings.Contains(squash(help), squash(e.Lines)) || e.For == "" {
				t.Errorf("%s: the example %q is in the page only, or without explanation", c.Name, e.Lines)
			}
		}
	}
	for name, page := range pages {
		text := textOf(page)
		for _, m := range regexp.MustCompile(`\\fB\\-\\-([a-z\\-]*[a-z])\\fR`).FindAllStringSubmatch(page, -1) {
			if flag := roffEscapes.Replace(m[1]); !flags[flag] {
				t.Errorf("%s: no command has --%s", name, flag)
			}
		}
		for _, v := range regexp.MustCompile(`VEPVERIFY_[A-Z_]*`).FindAllString(text, -1) {
			if !variables[v] {
				t.Errorf("%s: no flag has the variable %s", name, v)
			}
		}
	}
}

// TestManualsAreWhole: the texts of each command are in the fields of cli.Manual, so that the
// page has them in its sections, and those about flags are about flags of the command.
func TestManualsAreWhole(t *testing.T) {
	app := newApp()
	names := make(map[string]bool)
	explained := make(map[string]bool) // flags with an explanation, and whether a command has them
	for _, c := range app.Commands {
		names[c.Name] = true
	}
	for _, c := range append(app.Commands, &cli.Command{Name: "the program", Help: app.Help, Manual: app.Manual, Group: "all"}) {
		if m := regexp.MustCompile(`(?m)^(Examples?|Exit status|If something does not work).*:$`).FindString(c.Help + "\n" + c.Manual.Notes); m != "" {
			t.Errorf("%s: %q is in the text, not in a field of cli.Manual", c.Name, m)
		}
		if c.Group == "" {
			t.Errorf("%s is in no group", c.Name)
		}
		for _, group := range append(c.Manual.FlagGroups, cli.FlagGroup{Text: c.Manual.Flags}) {
			for flag := range group.Text {
				explained[flag] = explained[flag] || slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return f.Names()[0] == flag })
			}
		}
		for _, e := range c.Manual.Examples {
			for line := range strings.Lines(strings.ReplaceAll(e.Lines, "\\\n", "")) {
				checkExample(t, c.Name, strings.TrimSuffix(line, "\n"))
			}
		}
		for _, other := range c.Manual.SeeAlso {
			if !names[other] && !regexp.MustCompile(`^[a-z][a-z.-]+\([1-8]\)$`).MatchString(other) || other == c.Name {
				t.Errorf("%s: no page %q for SEE ALSO", c.Name, other)
			}
		}
		for _, document := range c.Manual.Documents {
			if _, err := os.Stat(filepath.Join("..", "..", document)); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
	for flag, exists := range explained {
		if !exists {
			t.Errorf("--%s is explained, but no command has it", flag)
		}
	}
}

// checkExample checks that a line of an example runs a command, with flags that it has.
func checkExample(t *testing.T, name, line string) {
	t.Helper()
	m := regexp.MustCompile(`^(?:pbpaste \| |source <\(|parallel (?:--[a-z-]+ )*)?vepverify (\S+) ?([^|]*)`).FindStringSubmatch(line)
	if m == nil {
		t.Errorf("%s: the example %q does not run the program", name, line)
		return
	}
	command := newApp().Commands[0] // the default command
	for _, c := range newApp().Commands {
		if c.Name == m[1] {
			command = c
		}
	}
	for _, flag := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(m[0][strings.Index(m[0], "vepverify"):], -1) {
		if !slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return f.Names()[0] == flag[1] }) {
			t.Errorf("%s: the example %q gives %s a flag that it has not: %s", name, line, command.Name, flag[0])
		}
	}
}

// TestPagesAreClean: mandoc has no warning about a page.
func TestPagesAreClean(t *testing.T) {
	mandoc := testtool.Path(t, "mandoc")
	folder := t.TempDir()
	for name := range writePages(t, folder) {
		out, err := exec.Command(mandoc, "-T", "lint", "-W", "warning", filepath.Join(folder, name+".1")).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestPagesAreReadable: man finds the pages and shows them with no warning and in 80 columns,
// with and without Unicode, and they have the same text as the source.
func TestPagesAreReadable(t *testing.T) {
	man := testtool.Path(t, "man")
	folder := t.TempDir()
	pages := writePages(t, filepath.Join(folder, "man1"))
	for _, encoding := range []string{"ascii", "UTF-8"} {
		for name, page := range pages {
			var stderr strings.Builder
			cmd := exec.Command(man, "--manpath", folder, "--warnings", "--encoding="+encoding, "1", name)
			cmd.Env = append(os.Environ(), "MANWIDTH=80", "MAN_KEEP_FORMATTING=", "PAGER=cat", "MANPAGER=cat", "LC_ALL=C.UTF-8")
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("%s in %s: %v\n%s", name, encoding, err, &stderr)
			}
			shown := regexp.MustCompile(".\b").ReplaceAllString(string(out), "") // bold and underlined
			for line := range strings.Lines(shown) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
					t.Errorf("%s in %s: %d columns: %s", name, encoding, n, line)
				}
			}
			plain := strings.NewReplacer("–", "-", "’", "'", "‐", "-", "−", "-").Replace
			if !strings.Contains(plain(squash(shown)), plain(squash(textOf(page)))) {
				t.Errorf("%s in %s: the page as shown is not its source:\n%s", name, encoding, shown)
			}
		}
	}
}

// TestPagesAreIndexed: whatis finds the name and the usage of a page.
func TestPagesAreIndexed(t *testing.T) {
	lexgrog := testtool.Path(t, "lexgrog")
	folder := t.TempDir()
	writePages(t, folder)
	for _, c := range newApp().Commands {
		file := filepath.Join(folder, "vepverify-"+c.Name+".1")
		out, err := exec.Command(lexgrog, file).Output()
		if want := fmt.Sprintf("%s: \"vepverify-%s - %s\"\n", file, c.Name, c.Usage); err != nil || string(out) != want {
			t.Errorf("%s: %v: %s", c.Name, err, out)
		}
	}
}
