package manifests_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// image is the last stage of deploy/Dockerfile.
type image struct {
	env, labels     map[string]string
	ports           []string
	user            string
	entrypoint, cmd []string
	health          []string
}

// dockerfile parses deploy/Dockerfile as Docker does, whose warnings are errors here.
func dockerfile(t *testing.T) *image {
	t.Helper()
	ast, err := parser.Parse(strings.NewReader(read(t, "Dockerfile")))
	check(t, err)
	warn := func(rule, description, _, detail string, _ []parser.Range) {
		t.Errorf("%s: %s: %s", rule, description, detail)
	}
	stages, _, err := instructions.Parse(ast.AST, linter.New(&linter.Config{Warn: warn}))
	check(t, err)
	i := &image{env: make(map[string]string), labels: make(map[string]string)}
	for _, command := range stages[len(stages)-1].Commands {
		switch c := command.(type) {
		case *instructions.EnvCommand:
			copyPairs(i.env, c.Env)
		case *instructions.LabelCommand:
			copyPairs(i.labels, c.Labels)
		case *instructions.ExposeCommand:
			i.ports = append(i.ports, c.Ports...)
		case *instructions.UserCommand:
			i.user = c.User
		case *instructions.EntrypointCommand:
			i.entrypoint = c.CmdLine
		case *instructions.CmdCommand:
			i.cmd = c.CmdLine
		case *instructions.HealthCheckCommand:
			i.health = c.Health.Test
		}
	}
	return i
}

func copyPairs(to map[string]string, pairs instructions.KeyValuePairs) {
	for _, pair := range pairs {
		to[pair.Key] = strings.Trim(pair.Value, `"`)
	}
}

// TestImage checks the description of the image, and runs its health check.
func TestImage(t *testing.T) {
	i := dockerfile(t)
	if i.user != "nonroot" || !slices.Equal(i.entrypoint, []string{"/vepverify"}) || !slices.Equal(i.cmd, []string{"serve"}) {
		t.Errorf("user %q, %q %q", i.user, i.entrypoint, i.cmd)
	}
	for _, label := range []string{"title", "description", "source", "documentation", "licenses", "version", "revision"} {
		if i.labels["org.opencontainers.image."+label] == "" {
			t.Errorf("no label %s", label)
		}
	}
	s := start(t, with(i.env, "PORT", "0", "IP_ADDRESS", "127.0.0.1"), i.cmd...)
	s.expectNoLog("variable unknown", "variable ignored", "not for production")
	if len(i.health) == 0 || i.health[0] != "CMD" {
		t.Fatalf("health check %q", i.health)
	}
	expectHealthCheck(t, s, i.health[1:])
}

// TestDockerignore: .dockerignore leaves out what git ignores, and nothing that is tracked.
func TestDockerignore(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(top, ".dockerignore"))
	check(t, err)
	patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
	check(t, err)
	ignore, err := patternmatcher.New(patterns)
	check(t, err)
	tracked := strings.Split(strings.TrimSuffix(output(t, "git", "-C", top, "ls-files", "-z"), "\x00"), "\x00")
	for _, file := range append(tracked, ".git/HEAD") {
		if left, err := ignore.MatchesOrParentMatches(file); left || err != nil {
			t.Errorf("%s is left out (%v)", file, err)
		}
	}
	for _, file := range []string{"verifyapi.test", "bench/x.test", "cpu.out", "bench/cpu.out", "dist/vepverify.deb"} {
		if left, err := ignore.MatchesOrParentMatches(file); !left || err != nil {
			t.Errorf("%s is not left out (%v)", file, err)
		}
		output(t, "git", "-C", top, "check-ignore", file)
	}
}
