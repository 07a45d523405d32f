package main

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/testtool"
)

// shownCommand is a command in a document, with the output that the document shows.
type shownCommand struct{ line, output string }

// run runs the command, and fails the test if the output differs, except in times.
func (c shownCommand) run(t *testing.T, folder string, env ...string) {
	t.Helper()
	if got := runInShell(t, folder, c.line, env...); maskRate(got) != maskRate(c.output) {
		t.Fatalf("%s:\n%s\nThe page says:\n%s", c.line, got, c.output)
	}
}

// batchCommands returns the commands of docs/BATCH.md in the order of the text: those for one
// machine, and those for several.
func batchCommands(t *testing.T) (one, several []shownCommand) {
	t.Helper()
	text, err := os.ReadFile("../../docs/BATCH.md")
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), "### Machines that are reached with ssh")
	if !found {
		t.Fatal("no section about several machines")
	}
	return shownCommands(before), shownCommands(after)
}

func shownCommands(text string) (all []shownCommand) {
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for _, shown := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, output, _ := strings.Cut(strings.TrimSuffix(shown, "\n")+"\n", "\n")
			all = append(all, shownCommand{line, output})
		}
	}
	return all
}

// TestBatchDocs runs the commands of docs/BATCH.md for one machine.
func TestBatchDocs(t *testing.T) {
	needGNUParallel(t)
	commands, _ := batchCommands(t)
	folder := t.TempDir()
	parallel := 0
	for _, c := range commands {
		if strings.HasPrefix(c.line, "parallel ") {
			parallel++
		}
		c.run(t, folder)
	}
	if parallel == 0 {
		t.Error("no command runs parallel")
	}
}

// TestBatchUnderSpark starts the commands of docs/BATCH.md for Spark as the source of Spark does:
// split at white space, without a shell, a process for each partition, in Python with an empty
// environment. It does not run Spark.
func TestBatchUnderSpark(t *testing.T) {
	folder := t.TempDir()
	one, _ := batchCommands(t)
	for _, c := range one {
		if !strings.Contains(c.line, "parallel") {
			c.run(t, folder)
		}
	}
	text, err := os.ReadFile("../../docs/BATCH.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`lines\.pipe\("(.*)"(, checkCode=True)?\)`).FindAllStringSubmatch(string(text), -1)
	if len(commands) != 2 {
		t.Fatalf("the document has %d commands for Spark, want those for Scala and for Python", len(commands))
	}
	for _, c := range commands {
		testPartitions(t, folder, strings.Fields(c[1]), c[2] != "")
	}
}

// testPartitions pipes the lines in three partitions, one of them empty, to processes of a
// command, and compares the answers with those of one process.
func testPartitions(t *testing.T, folder string, command []string, python bool) {
	t.Helper()
	program, err := exec.LookPath(path.Base(command[0]))
	if err != nil {
		t.Fatal(err)
	}
	pipe := func(partition string) ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), program, command[1:]...)
		cmd.Dir, cmd.Stdin = folder, strings.NewReader(partition)
		if python {
			cmd.Env = []string{}
		}
		return cmd.Output()
	}
	lines, err := os.ReadFile(filepath.Join(folder, "lines.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	middle := bytes.IndexByte(lines, '\n') + 1
	var got []byte
	for _, partition := range []string{string(lines[:middle]), "", string(lines[middle:])} {
		answers, err := pipe(partition)
		if err != nil {
			t.Fatalf("%q: %v", command, err)
		}
		got = append(got, answers...)
	}
	want, err := os.ReadFile(filepath.Join(folder, "answers.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%q: not the answers of one process", command)
	}
	folder = t.TempDir() // without keys.json
	if answers, err := pipe(string(lines)); err == nil || len(answers) > 0 {
		t.Errorf("%q without keys: error %v and %d bytes of answers", command, err, len(answers))
	}
}

// needGNUParallel skips the test if GNU parallel is not installed; in CI the test
// fails. The program of the same name in moreutils has no --pipe.
func needGNUParallel(t *testing.T) {
	t.Helper()
	out, err := exec.Command("parallel", "--version").CombinedOutput()
	if err == nil && bytes.Contains(out, []byte("GNU parallel")) {
		return
	}
	testtool.Missing(t, "parallel")
}

func runInShell(t *testing.T, folder, line string, env ...string) string {
	t.Helper()
	out, err := shell(t, folder, line, env...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// shell returns a command of bash.
func shell(t *testing.T, folder, line string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "bash", "-c", line)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0", "LC_ALL=C"), env...)
	return cmd
}

func maskRate(s string) string {
	return regexp.MustCompile(`in [0-9.]+m?s, [0-9]+/s`).ReplaceAllString(s, "in TIME")
}
