// Manual writes the man pages of vepverify and of its commands to a folder, for packages:
//
//	go run ./cmd/vepverify/internal/manual DIR
//
// The date of the pages is SOURCE_DATE_EPOCH, or else that of the commit. Manual runs the
// command man of the program itself, because the program's own package cannot be imported.
package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./cmd/vepverify/internal/manual DIR")
		os.Exit(2)
	}
	cmd := exec.Command("go", "run", "github.com/vepverify/vepverify/cmd/vepverify", "man", "--out", os.Args[1])
	cmd.Env = append(os.Environ(), epochVariable+"="+epoch())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "manual: vepverify man:", err)
		os.Exit(1)
	}
}

const epochVariable = "SOURCE_DATE_EPOCH"

// epoch returns the date of the pages, in seconds since 1970. It is empty outside a repository.
func epoch() string {
	committed, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
	if err != nil && os.Getenv(epochVariable) == "" {
		fmt.Fprintf(os.Stderr, "manual: warning: the pages have no date: %s is not set, and git knows no commit: %v\n", epochVariable, err)
	}
	return cmp.Or(os.Getenv(epochVariable), strings.TrimSpace(string(committed)))
}
