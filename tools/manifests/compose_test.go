package manifests_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/testtool"
)

const composePassword = "0123456789abcdef"

// loadCompose returns the project in compose.yaml. Unknown members are errors.
func loadCompose(t *testing.T, env ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose.yaml")}, cli.WithEnv(env))
	check(t, err)
	return options.LoadProject(t.Context())
}

func compose(t *testing.T) *types.Project {
	t.Helper()
	project, err := loadCompose(t, "REDIS_PASSWORD="+composePassword)
	check(t, err)
	return project
}

// TestComposeNeedsPassword: without a password there is an error that says what to do.
func TestComposeNeedsPassword(t *testing.T) {
	if _, err := loadCompose(t); err == nil || !strings.Contains(err.Error(), "REDIS_PASSWORD") {
		t.Errorf("error %v", err)
	}
}

// TestComposeIsConfined: each container is without privileges, and only this machine reaches it.
func TestComposeIsConfined(t *testing.T) {
	project := compose(t)
	if len(project.Services) != 2 {
		t.Errorf("%d services", len(project.Services))
	}
	for name, s := range project.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged || s.MemLimit == 0 {
			t.Errorf("%s: read-only %v, capabilities dropped %v, options %v, memory %d", name, s.ReadOnly, s.CapDrop, s.SecurityOpt, s.MemLimit)
		}
		if s.HealthCheck == nil || s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= 30*time.Second {
			t.Errorf("%s: health check %v, stops within %v", name, s.HealthCheck, s.StopGracePeriod)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %d is open to %q", name, port.Target, port.HostIP)
			}
		}
	}
	if redis := project.Services["redis"]; len(redis.Ports) > 0 || !project.Networks["inside"].Internal || len(redis.Networks) != 1 {
		t.Error("Redis is reached from outside")
	}
}

// composeEnv returns the variables of the service in the container.
func composeEnv(t *testing.T, project *types.Project) map[string]string {
	t.Helper()
	env := make(map[string]string)
	for name, value := range project.Services["verifier"].Environment {
		if value == nil {
			t.Errorf("%s has no value", name)
			continue
		}
		env[name] = *value
	}
	return env
}

// TestCompose runs both services with their commands, settings and health checks, without
// containers: a second use of an assertion is rejected, and the service has nothing to say about
// the configuration of Redis.
func TestCompose(t *testing.T) {
	project := compose(t)
	address := startComposeRedis(t, project)
	env := composeEnv(t, project)
	const inside = "@redis:6379"
	if !strings.HasSuffix(env["VEPVERIFY_REPLAY"], inside) {
		t.Fatalf("the service has another Redis: %q", env["VEPVERIFY_REPLAY"])
	}
	i := newIssuer(t, "idp.example")
	s := start(t, with(env, "PORT", "0", "VEPVERIFY_METRICS_ADDRESS", porttest.FreeAddr(t), "VEPVERIFY_KEYS", i.keys,
		"VEPVERIFY_REPLAY", strings.Replace(env["VEPVERIFY_REPLAY"], inside, "@"+address, 1)), "serve")
	used := i.assert("https://rp.example")
	if first, second := s.verify(used), s.verify(used); first != "okay" || second != "failure" {
		t.Errorf("first use: %q, second: %q", first, second)
	}
	s.expectNoLog("variable unknown", "variable ignored", "not for production", "the replay store", "undecided")

	health := project.Services["verifier"].HealthCheck.Test
	expectHealthCheck(t, s, health[1:])
}

// expectHealthCheck fails the test unless a health check of the image succeeds for a service, and
// fails without one.
func expectHealthCheck(t *testing.T, s *service, command []string) {
	t.Helper()
	const own = "http://127.0.0.1:8080"
	if len(command) < 3 || command[0] != "/vepverify" || !strings.HasPrefix(command[len(command)-1], own) {
		t.Fatalf("the health check is %q", command)
	}
	ask := func(base string) error {
		args := slices.Clone(command[1:])
		args[len(args)-1] = strings.Replace(args[len(args)-1], own, base, 1)
		return exec.Command(binary, args...).Run()
	}
	if err := ask(s.url); err != nil {
		t.Errorf("the service is not healthy: %v", err)
	}
	if err := ask("http://" + porttest.FreeAddr(t)); err == nil {
		t.Error("a service that does not run is healthy")
	}
}

// startComposeRedis runs the command of the container of Redis with its files, at a free port.
func startComposeRedis(t *testing.T, project *types.Project) (address string) {
	t.Helper()
	testtool.Path(t, "redis-server")
	testtool.Path(t, "redis-cli")
	redis := project.Services["redis"]
	dir, err := os.MkdirTemp("", "redis") // a socket's path is short
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	address = porttest.FreeAddr(t)
	port := address[strings.LastIndex(address, ":")+1:]

	config := project.Configs[redis.Configs[0].Source].Content
	config = strings.Replace(config, "dir /data", "dir "+dir, 1) + "bind 127.0.0.1\nport " + port + "\n"
	check(t, os.WriteFile(filepath.Join(dir, "redis.conf"), []byte(config), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "password"), []byte(composePassword), 0o600))
	files := strings.NewReplacer(redis.Configs[0].Target, filepath.Join(dir, "redis.conf"), "/run/secrets/"+redis.Secrets[0].Source, filepath.Join(dir, "password"))
	if project.Secrets[redis.Secrets[0].Source].Environment != "REDIS_PASSWORD" {
		t.Error("the secret of Redis is another password")
	}

	if len(redis.Command) != 3 || redis.Command[0] != "sh" || redis.Command[1] != "-c" {
		t.Fatalf("the command is %q", redis.Command)
	}
	server := exec.Command("sh", "-c", files.Replace(redis.Command[2]))
	log := new(syncBuffer)
	server.Stdout, server.Stderr = log, log
	check(t, server.Start())
	t.Cleanup(func() { // the signal must reach Redis itself, as that of docker stop
		check(t, server.Process.Signal(syscall.SIGTERM))
		if err := server.Wait(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log)
		}
	})
	awaitHealthy(t, redis.HealthCheck.Test, port)
	return address
}

// awaitHealthy waits until the health check of Redis succeeds, for at most a minute.
func awaitHealthy(t *testing.T, test []string, port string) {
	t.Helper()
	if len(test) != 2 || test[0] != "CMD-SHELL" || !strings.HasPrefix(test[1], "redis-cli ") {
		t.Fatalf("the health check is %q", test)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		out, err := exec.Command("sh", "-c", strings.Replace(test[1], "redis-cli ", "redis-cli -p "+port+" ", 1)).CombinedOutput()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("Redis is not healthy: %s", out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
