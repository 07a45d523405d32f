package verifyapi_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/testtool"
	"github.com/vepverify/vepverify/verifyapi"
	"github.com/vepverify/vepverify/wellknown"
)

// TestDocs runs every command of docs/API.md against a server with the keys of
// testdata/sample, at a time when the sample assertion is valid, and compares the
// output with the document.
func TestDocs(t *testing.T) {
	testtool.Path(t, "curl")
	t.Chdir("..")
	text, err := os.ReadFile("docs/API.md")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := wellknown.LoadStatic("testdata/sample/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: keys, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, verifyapi.Config{
		Verifier: v, Tokens: sampleTokens(t),
		Version:    verifyapi.Version{Version: "1.0.0", Commit: strings.Repeat("0123456789", 4)},
		Components: func() []verifyapi.Component { return []verifyapi.Component{{Name: "service", Required: true}} }, // as vepverify serve
	})
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, shown := range strings.Split(block[1], "$ curl ")[1:] {
			line, want, _ := strings.Cut(shown, "\n")
			out, err := exec.Command("sh", "-c", "curl "+strings.ReplaceAll(line, "http://127.0.0.1:8080", s.url)).Output()
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			if got := masked(string(out)); got != masked(want) {
				t.Errorf("%s:\n%s\nThe document has:\n%s", line, got, want)
			}
			ran++
		}
	}
	if ran < 8 {
		t.Errorf("only %d commands found", ran)
	}
}

// sampleTokens returns a verifier of the sample token, at a time when it is valid.
func sampleTokens(t *testing.T) *evp.Verifier {
	t.Helper()
	bundle, err := evp.LoadBundle("testdata/sample/token-keys.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := evp.NewVerifier(evp.Config{
		Origins: []string{"https://rp.example"}, Bundle: bundle,
		Now: func() time.Time { return time.Date(2026, 11, 29, 21, 25, 9, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// masked returns the output of curl without the values that differ each time.
func masked(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = regexp.MustCompile(`(?m)^(Date|X-Request-Id): .*$`).ReplaceAllString(s, "$1: …")
	return strings.TrimRight(s, "\n")
}
