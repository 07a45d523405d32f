package cli_test

import (
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

func TestInvocation(t *testing.T) {
	for arg0, want := range map[string]string{
		"vepverify": "vepverify", "./vepverify": "./vepverify", "/opt/a b/vepverify": "'/opt/a b/vepverify'",
		"/tmp/go-build123/b001/exe/vepverify":       "go run ./cmd/vepverify",
		"/root/.cache/go-build/3f/3f2a-d/vepverify": "go run ./cmd/vepverify",
	} {
		if got := cli.Invocation(arg0); got != want {
			t.Errorf("%s: %s, want %s", arg0, got, want)
		}
	}
}
