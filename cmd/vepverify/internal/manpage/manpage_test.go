package manpage_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/manpage"
	"github.com/vepverify/vepverify/internal/testtool"
)

// awkward are texts that roff would interpret, or that typesetters would replace.
var awkward = []string{
	`.SH is no macro here`, `'br neither`, `.\" nor is this a comment`, `a \fBbackslash\fR and \e`, `"quoted" and 'single'`,
	"--flag-name, -x, and one-use", "`back` ^ ~ and a~b", "100 %, 2 × 3 ≥ 5 – µs", "é ü ✓",
}

// page returns the page of a command with awkward texts in all places.
func page(t *testing.T, date time.Time) string {
	t.Helper()
	var value string
	lines := strings.Join(awkward, "\n")
	return manpage.Page(&cli.Command{
		Name: "try", Usage: `do .this and 'that' with \n`, Arguments: "[FILE|-] DOMAIN…",
		Help:  strings.Join(awkward, "\n\n") + "\n\n\t" + strings.ReplaceAll(lines, "\n", "\n\t"),
		Flags: []cli.Flag{cli.Short("f", cli.Text(&value, "flag", "'quoted' `VALUE` with \\ and .dot"))},
		Manual: cli.Manual{
			Examples: []cli.Example{{For: ".An example", Lines: lines}}, Exit: []cli.Exit{{Status: 0, Meaning: ".done"}},
			Environment: []cli.Entry{{Name: ".NAME", Text: lines}}, Flags: map[string]string{"flag": lines},
		},
	}, date)
}

// TestAwkwardText: a page shows texts as they are written, without warnings.
func TestAwkwardText(t *testing.T) {
	source := page(t, time.Date(2026, 1, 1, 23, 0, 0, 0, time.FixedZone("", -7200)))
	for _, program := range [][]string{{"mandoc", "-T", "utf8"}, {"man", "--encoding=UTF-8", "--warnings", "-l", "-"}} {
		cmd := exec.Command(testtool.Path(t, program[0]), program[1:]...)
		cmd.Stdin = strings.NewReader(source)
		cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=200", "MAN_KEEP_FORMATTING=")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning") {
			t.Fatalf("%s: %v\n%s", program[0], err, out)
		}
		shown := regexp.MustCompile(".\b").ReplaceAllString(string(out), "")
		squashed := strings.Join(strings.Fields(shown), " ")
		for _, text := range awkward {
			plain := strings.NewReplacer("’", "'", "‐", "-", "−", "-").Replace
			if n := strings.Count(plain(squashed), text); n < 5 {
				t.Errorf("%s: %q is shown %d times:\n%s", program[0], text, n, shown)
			}
		}
		for _, want := range []string{"vepverify-try - do .this and 'that' with \\n", "vepverify try [flags] [FILE|-] DOMAIN...", "-f VALUE, --flag=VALUE", "2026-01-02"} {
			if !strings.Contains(squashed, want) {
				t.Errorf("%s: %q is not shown:\n%s", program[0], want, shown)
			}
		}
	}
}

// TestFolded: lines of examples that are too wide continue after a backslash, so that they can be
// copied, and the shell gets the same words.
func TestFolded(t *testing.T) {
	const line = `printf '%s\n' vepverify --first-flag=1 --second-flag 2 --third-flag "three words" --fourth-flag 4 --fifth-flag 5 > file.txt`
	source := manpage.Page(&cli.Command{Name: "try", Manual: cli.Manual{Examples: []cli.Example{{For: "Try", Lines: line}}}}, time.Time{})
	_, block, _ := strings.Cut(source, ".nf\n")
	block, _, _ = strings.Cut(block, ".fi\n")
	copied := strings.NewReplacer(`\e`, `\`, `\-`, "-", `\(aq`, "'").Replace(block)
	if strings.Count(copied, "\\\n") == 0 {
		t.Fatalf("not folded: %s", copied)
	}
	cut := func(script string) string { return strings.TrimSuffix(strings.TrimSpace(script), "> file.txt") }
	for l := range strings.Lines(copied) {
		if len(l) > 70 {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
	want, err := exec.Command("sh", "-c", cut(line)).Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("sh", "-c", cut(copied)).Output()
	if err != nil || string(got) != string(want) {
		t.Errorf("%v: %s, want %s", err, got, want)
	}
}
