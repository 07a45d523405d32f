package batch_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch/pipeline"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// app returns a program with the command batch.
func app() *cli.App { return &cli.App{Default: "batch", Commands: []*cli.Command{batch.Command()}} }

// FuzzBatch: each line of any input has one line of output: a JSON object with a
// status, and with the line's id as it was written.
func FuzzBatch(f *testing.F) {
	text, err := os.ReadFile("../../testdata/fixtures/assertion.txt")
	if err != nil {
		f.Fatal(err)
	}
	good := strings.TrimSpace(string(text))
	for _, seed := range []string{
		good + "\n", `{"id":1.0,"assertion":"` + good + `","audience":"https://rp.example"}`,
		"\n\r\n{}\n[]\n", `{"id":"\ud83d\ude00é","assertion":1}`, "{\"id\":{ \"a\" :[\t1]\r}}\nx", `{"id":1,"id":2}`, `{"id":null,"more":0}`,
		`{"assertion":"~","audience":"https://rp.example","id":"` + "\x7f\u202e\"}", "\xff\n\x00\n" + good + "~\n",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, bare bool) {
		args := []string{"batch", "--quiet", "--jobs=2", "--keys=../../testdata/fixtures/keys.json", "--now=2026-01-01T00:01:00Z"}
		if bare {
			args = append(args, "--audience=https://rp.example")
		}
		code, out, stderr := clitest.Run(t, app(), cli.Process{In: strings.NewReader(text)}, args...)
		if code != 0 || stderr != "" {
			t.Fatalf("status %d: %s", code, stderr)
		}
		answers := strings.SplitAfter(out, "\n")
		for line := range strings.Lines(text) {
			checkBatchAnswer(t, line, answers[0])
			if answers = answers[1:]; len(answers) == 0 {
				t.Fatal("an answer is missing")
			}
		}
		if len(answers) != 1 || answers[0] != "" {
			t.Errorf("more than one answer a line: %q", answers)
		}
	})
}

func checkBatchAnswer(t *testing.T, line, answer string) {
	t.Helper()
	var got struct{ Status string }
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.Status != "okay" && got.Status != "failure" {
		t.Errorf("%q has the answer %q", line, answer)
	}
	prefix := `{"status":`
	o, err := strictjson.ParseObject([]byte(strings.TrimSuffix(line, "\n")))
	if id, ok := o.Get("id"); err == nil && ok && len(line) <= pipeline.MaxLine {
		prefix = `{"id":` + string(id) + `,"status":`
	}
	if !strings.HasPrefix(answer, prefix) {
		t.Errorf("%q has the answer %q", line, answer)
	}
}

// TestNoTextOfLines: neither error messages nor counts have text of a line.
func TestNoTextOfLines(t *testing.T) {
	secret := "SECRET"
	text := strings.Join([]string{
		secret, `{"id":"` + secret + `"`, `{"` + secret + `":1}`, `{"assertion":"` + secret + `","audience":"` + secret + `"}`,
	}, "\n")
	code, out, counts := clitest.Run(t, app(), cli.Process{In: strings.NewReader(text)}, "batch", "--keys=../../testdata/fixtures/keys.json")
	if code != 0 || strings.Contains(counts, secret) || strings.Contains(out, secret) || bytes.Count([]byte(out), []byte("\n")) != 4 {
		t.Errorf("status %d\n%s\n%s", code, out, counts)
	}
}
