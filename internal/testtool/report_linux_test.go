package testtool_test

import (
	"strings"
	"testing"
)

// TestReport checks the line about a skipped test, and that it overwrites nothing of what
// the go command writes to the same file.
func TestReport(t *testing.T) {
	const line = "skipped: TestChild of github.com/vepverify/vepverify/internal/testtool: no-such-program is not installed"
	for _, toFile := range []bool{false, true} {
		output, _ := goTest(t, "", toFile)
		if !strings.Contains(output, line) || !strings.Contains(output, "ok  \tgithub.com/vepverify/vepverify/internal/testtool") {
			t.Errorf("to a file %v: got\n%s", toFile, output)
		}
	}
}
