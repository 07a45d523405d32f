package manifests_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/vepverify/vepverify/internal/porttest"
	"github.com/vepverify/vepverify/internal/testtool"
)

// ruleGroups returns the groups in a file of rules. Unknown members are errors.
func ruleGroups(t *testing.T, file string) []rulefmt.RuleGroup {
	t.Helper()
	groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, promql, slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if len(errs) > 0 {
		t.FailNow()
	}
	return groups.Groups
}

// TestPrometheusFiles runs the checks and the tests of promtool.
func TestPrometheusFiles(t *testing.T) {
	promtool := testtool.Path(t, "promtool")
	output(t, promtool, "check", "rules", "--lint-fatal", filepath.Join(deploy, "prometheus/alerts.yml"))
	output(t, promtool, "check", "config", "--lint-fatal", filepath.Join(deploy, "prometheus/prometheus.yml"))
	output(t, promtool, "test", "rules", filepath.Join(deploy, "prometheus/alerts_test.yml"))
}

// TestAlerts: each alert has a severity, a summary, a section in the runbook, and a test in which
// it fires once and is quiet once.
func TestAlerts(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(top, "docs/DEPLOY.md"))
	check(t, err)
	tests := read(t, "prometheus/alerts_test.yml")
	var names []string
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		names = append(names, r.Alert)
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", r.Alert)
		}
		if want := "https://github.com/vepverify/vepverify/blob/main/docs/DEPLOY.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook %q, want %q", r.Alert, r.Annotations["runbook_url"], want)
		}
		if !strings.Contains(string(document), "\n### "+r.Alert+"\n") {
			t.Errorf("docs/DEPLOY.md has no section %s", r.Alert)
		}
		if !strings.Contains(tests, "      - alertname: "+r.Alert+"\n") {
			t.Errorf("%s fires in no test", r.Alert)
		}
		if quiet := regexp.MustCompile(`\{alertname: ` + r.Alert + `, eval_time: \S+, exp_alerts: \[\]\}`); !quiet.MatchString(tests) {
			t.Errorf("%s is quiet in no test", r.Alert)
		}
	}
	for _, section := range regexp.MustCompile(`(?m)^### (Vepverify\w+)$`).FindAllStringSubmatch(string(document), -1) {
		if !slices.Contains(names, section[1]) {
			t.Errorf("docs/DEPLOY.md has a section about %s, which is no alert", section[1])
		}
	}
}

// prometheus is a running Prometheus with the configuration and the rules of deploy/.
type prometheus struct {
	t   *testing.T
	url string
}

// startPrometheus starts Prometheus with the example of its configuration, which it scrapes each
// second, with a target of the test.
func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	program := testtool.Path(t, "prometheus")
	dir := t.TempDir()
	config := read(t, "prometheus/prometheus.yml")
	for from, to := range map[string]string{"127.0.0.1:8081": target, ": 15s": ": 1s"} {
		if !strings.Contains(config, from) {
			t.Fatalf("prometheus.yml has no %q", from)
		}
		config = strings.ReplaceAll(config, from, to)
	}
	check(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o644))
	check(t, os.WriteFile(filepath.Join(dir, "alerts.yml"), []byte(read(t, "prometheus/alerts.yml")), 0o644))
	address := porttest.FreeAddr(t)
	log := new(syncBuffer)
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = log, log
	check(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(log)
		}
	})
	p := &prometheus{t, "http://" + address}
	p.await("Prometheus to start", func() bool {
		res, err := client.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == 200
	})
	return p
}

// await waits until a condition holds, for at most a minute.
func (p *prometheus) await(what string, holds func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			p.t.Fatal("waited in vain for ", what)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// api asks the API of Prometheus, and decodes the data of its answer.
func (p *prometheus) api(path string, data any) {
	p.t.Helper()
	status, body := get(p.t, p.url+path)
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	check(p.t, json.Unmarshal([]byte(body), &answer))
	if status != 200 || answer.Status != "success" {
		p.t.Fatalf("%s: %s", path, answer.Error)
	}
}

// samples returns the number of series that a query returns.
func (p *prometheus) samples(query string) int {
	p.t.Helper()
	var data struct{ Result []json.RawMessage }
	p.api("/api/v1/query?query="+url.QueryEscape(query), &data)
	return len(data.Result)
}

// TestPrometheus: a real Prometheus scrapes a real service. The query of each panel returns data,
// each rule is evaluated without an error, and no alert fires.
func TestPrometheus(t *testing.T) {
	s, i, address := startWithMetrics(t)
	p := startPrometheus(t, address)
	p.await("a scrape", func() bool { return p.samples(`vepverify_build_info{job="vepverify"}`) == 1 })
	traffic(t, s, i)
	for _, q := range readDashboard(t).queries() {
		query := q.parsable("1m")
		p.await(fmt.Sprintf("data of panel %q: %s", q.panel, query), func() bool { return p.samples(query) > 0 })
	}
	expectRules(t, p)
}

// expectRules fails the test unless all rules have been evaluated without an error, and no alert
// fires.
func expectRules(t *testing.T, p *prometheus) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError, State string }
		}
	}
	p.await("the evaluation of all rules", func() bool {
		data.Groups = nil
		p.api("/api/v1/rules", &data)
		for _, g := range data.Groups {
			for _, r := range g.Rules {
				if r.Health == "unknown" {
					return false
				}
			}
		}
		return true
	})
	count := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			count++
			if r.Health != "ok" || r.State == "firing" {
				t.Errorf("%s: %s %s %s", r.Name, r.Health, r.State, r.LastError)
			}
		}
	}
	if want := len(rules(t)); count != want {
		t.Errorf("%d rules, want %d", count, want)
	}
}
