package cli_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/clitest"
)

// environmentOf runs a command with flags in an environment, and returns the value of --port,
// the unknown variables with their advice, and standard error.
func environmentOf(t *testing.T, logs bool, variables []string, args ...string) (port string, unknown map[string]string, stderr string) {
	t.Helper()
	unknown = make(map[string]string)
	count := &cli.Count{N: 8400, High: 65535}
	app := &cli.App{Default: "test", Commands: []*cli.Command{
		{Name: "test", Logs: logs, Flags: []cli.Flag{
			cli.Value(count, "port", "a `PORT`"), cli.Text(new(string), "fallback", "a `DOMAIN`"), cli.Switch(new(bool), "insecure-ssl", "anything"),
		}, Run: func(_ context.Context, c *cli.Call) error {
			for _, v := range c.UnknownVariables() {
				unknown[v.Name] = v.Advice
			}
			return nil
		}},
		{Name: "other", Flags: []cli.Flag{cli.Text(new(string), "audience", "an `ORIGIN`")}},
	}}
	p := cli.Process{Env: clitest.Env(variables...), Environ: func() []string { return variables }}
	if status, _, stderr := clitest.Run(t, app, p, append([]string{"test"}, args...)...); status != 0 {
		return "", unknown, stderr
	} else {
		return count.String(), unknown, stderr
	}
}

// serviceLinks are the variables that Kubernetes sets for the Services vepverify,
// vepverify-metrics and vepverify-address, and docker --link for a container vepverify.
var serviceLinks = []string{
	"VEPVERIFY_SERVICE_HOST=10.96.0.1",
	"VEPVERIFY_SERVICE_PORT=8080",
	"VEPVERIFY_SERVICE_PORT_HTTP=8080",
	"VEPVERIFY_PORT=tcp://10.96.0.1:8080",
	"VEPVERIFY_PORT_8080_TCP=tcp://10.96.0.1:8080",
	"VEPVERIFY_PORT_8080_TCP_PROTO=tcp",
	"VEPVERIFY_PORT_8080_TCP_PORT=8080",
	"VEPVERIFY_PORT_8080_TCP_ADDR=10.96.0.1",
	"VEPVERIFY_PORT_9090_UDP=udp://[fd00::1]:9090",
	"VEPVERIFY_METRICS_SERVICE_HOST=10.96.0.2",
	"VEPVERIFY_METRICS_SERVICE_PORT=9090",
	"VEPVERIFY_METRICS_PORT=tcp://10.96.0.2:9090",
	"VEPVERIFY_METRICS_PORT_9090_TCP_ADDR=10.96.0.2",
	"VEPVERIFY_ADDRESS_PORT=tcp://10.96.0.3:80",
	"VEPVERIFY_NAME=/web/vepverify",
	"VEPVERIFY_ENV_IP_ADDRESS=0.0.0.0",
	"VEPVERIFY_PORT_8080_TCP_START=tcp://172.17.0.5:8080",
}

// TestServiceLinks: the variables of a Service or a linked container are not settings.
func TestServiceLinks(t *testing.T) {
	const warning = "vepverify: warning: VEPVERIFY_PORT is ignored: "
	for _, value := range []string{"tcp://10.96.0.1:8080", "udp://[fd00::1]:53", "sctp://10.96.0.1:1"} {
		variables := append([]string{"VEPVERIFY_PORT=" + value}, serviceLinks...)
		port, unknown, stderr := environmentOf(t, false, variables)
		if port != "8400" || len(unknown) > 0 || !strings.HasPrefix(stderr, warning) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, value) {
			t.Errorf("%s: port %s, unknown %v, %s", value, port, unknown, stderr)
		}
		if port, _, stderr := environmentOf(t, false, variables, "--port", "1"); port != "1" || stderr != "" {
			t.Errorf("%s with --port: port %s, %s", value, port, stderr)
		}
		if port, _, stderr := environmentOf(t, true, variables); port != "8400" || stderr != "" {
			t.Errorf("%s, a command that logs: port %s, %s", value, port, stderr)
		}
	}
	for value, want := range map[string]string{"9000": "9000", "http://10.96.0.1": "", "tcp": "", "x tcp://10.96.0.1": ""} {
		if port, _, _ := environmentOf(t, false, []string{"VEPVERIFY_PORT=" + value}); port != want {
			t.Errorf("%s: port %q, want %q", value, port, want)
		}
	}
	// A Service cannot have the name of this variable. An address in it is a mistake that must not be
	// ignored.
	if _, _, stderr := environmentOf(t, false, []string{"VEPVERIFY_FALLBACK=tcp://10.96.0.1:1"}); stderr != "" {
		t.Errorf("another variable is ignored: %s", stderr)
	}
}

// TestUnknownVariables: variables with our prefix that no command reads have advice.
func TestUnknownVariables(t *testing.T) {
	variables := slices.Concat(serviceLinks, []string{
		"VEPVERIFY_FALLBACK=idp.example", "VEPVERIFY_AUDIENCE=https://rp.example", // of a command
		"VEPVERIFY_EMPTY=", "VEPVERIFYX=1", "XVEPVERIFY_Y=1", "PATH=/bin", // none of ours
		"VEPVERIFY_FALBACK=s3cret", "VEPVERIFY_PROT=1", "VEPVERIFY_NONSENSE=s3cret", "VEPVERIFY_INSECURE_SSL=1", "VEPVERIFY_METRICS_PORT=9090", "VEPVERIFY_=1",
	})
	_, unknown, _ := environmentOf(t, false, variables)
	want := map[string]string{
		"VEPVERIFY_FALBACK":      "perhaps VEPVERIFY_FALLBACK",
		"VEPVERIFY_PROT":         "perhaps VEPVERIFY_PORT",
		"VEPVERIFY_NONSENSE":     "no setting has this name",
		"VEPVERIFY_INSECURE_SSL": "--insecure-ssl has no variable: give the flag itself",
		"VEPVERIFY_METRICS_PORT": "no setting has this name",
		"VEPVERIFY_":             "no setting has this name",
	}
	for name, advice := range want {
		if unknown[name] != advice {
			t.Errorf("%s: %q, want %q", name, unknown[name], advice)
		}
	}
	if len(unknown) != len(want) {
		t.Errorf("unknown are %v, want %v", unknown, want)
	}
}

// TestWarningsOfVariables: a variable that is probably a mistyped setting of the command is
// named; one that may be of other software is not. No value is repeated.
func TestWarningsOfVariables(t *testing.T) {
	for variable, want := range map[string]string{
		"VEPVERIFY_FALBACK=s3cret": "vepverify: warning: VEPVERIFY_FALBACK is ignored: perhaps VEPVERIFY_FALLBACK\n",
		"VEPVERIFY_INSECURE_SSL=1": "vepverify: warning: VEPVERIFY_INSECURE_SSL is ignored: --insecure-ssl has no variable: give the flag itself\n",
		"VEPVERIFY_SRC=/src":       "",
		"VEPVERIFY_HOME=/src":      "",
		"VEPVERIFY_AUDIENCE=x":     "", // of the other command
	} {
		if _, _, stderr := environmentOf(t, false, []string{variable}); stderr != want {
			t.Errorf("%s: %q, want %q", variable, stderr, want)
		}
		if _, _, stderr := environmentOf(t, true, []string{variable}); stderr != "" {
			t.Errorf("%s, a command that logs: %q", variable, stderr)
		}
	}
}
