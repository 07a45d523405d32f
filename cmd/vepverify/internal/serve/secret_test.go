package serve_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/serve"
)

// outputOf runs the command with a context that has ended, so that it does not
// serve, and returns all that it writes.
func outputOf(t *testing.T, variable string) string {
	t.Helper()
	a := app()
	run := a.Commands[0].Run
	a.Commands[0].Run = func(ctx context.Context, c *cli.Call) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return run(ctx, c)
	}
	_, out, stderr := clitest.Run(t, a, cli.Process{Env: clitest.Env(variable)}, "serve")
	return out + stderr
}

// TestNoSecretInMessages sets the variables of the original verifier, and the
// members of its configuration files, to values that hold a secret. No message
// repeats it.
func TestNoSecretInMessages(t *testing.T) {
	t.Chdir(t.TempDir())
	variables, members := serve.OriginalSettings()
	for _, value := range clitest.Secrets("s3cret") {
		for _, variable := range append(variables, "CONFIG_FILES") {
			if written := outputOf(t, variable+"="+value); strings.Contains(written, "s3cret") {
				t.Errorf("%s=%q: %s", variable, value, written)
			}
		}
	}
	for _, member := range members {
		file := `{"` + member + `":"reddis://user:s3cret@host"}`
		if err := os.WriteFile("config.json", []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if written := outputOf(t, "CONFIG_FILES=config.json"); strings.Contains(written, "s3cret") {
			t.Errorf("%s: %s", file, written)
		}
	}
}
