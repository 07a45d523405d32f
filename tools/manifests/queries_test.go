package manifests_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vepverify/vepverify/internal/porttest"
)

// series are label sets, by the name of their metric.
type series map[string][]labels.Labels

// startWithMetrics starts the service with all that has metrics: keys, TLS, Redis.
func startWithMetrics(t *testing.T) (s *service, i *issuer, metricsAddress string) {
	t.Helper()
	i = newIssuer(t, "idp.example")
	files := exampleFiles(t)
	metricsAddress = porttest.FreeAddr(t)
	redis := "redis://vepverify:" + composePassword + "@" + startComposeRedis(t, compose(t))
	s = start(t, map[string]string{
		"PORT": "0", "VEPVERIFY_METRICS_ADDRESS": metricsAddress, "VEPVERIFY_KEYS": i.keys, "VEPVERIFY_REPLAY": redis,
		"VEPVERIFY_TLS_CERT": files.Replace("/etc/vepverify/tls.crt"), "VEPVERIFY_TLS_KEY": files.Replace("/etc/vepverify/tls.key"),
	}, "serve")
	return s, i, metricsAddress
}

// traffic sends requests with different outcomes.
func traffic(t *testing.T, s *service, i *issuer) {
	t.Helper()
	used := i.assert("https://rp.example")
	for _, c := range []struct{ assertion, status string }{
		{used, "okay"}, {used, "failure"}, {i.assert("https://other.example"), "failure"}, {"x", "failure"},
		{newIssuer(t, "unknown.example").assert("https://rp.example"), "failure"}, // undecided
	} {
		if status := s.verify(c.assertion); status != c.status {
			t.Fatalf("status %q, want %q", status, c.status)
		}
	}
	s.post("/v2", "{")
	s.post("/evp", `{"token":"x","audience":"https://rp.example","nonce":"x"}`)
}

// scrape returns the series at an address of metrics. A histogram has those of its buckets, sum
// and count.
func scrape(t *testing.T, address string) series {
	t.Helper()
	_, text := get(t, "http://"+address+"/metrics")
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(text))
	check(t, err)
	all := make(series)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		metric, _, _ := strings.Cut(line, " ")
		if open := strings.Index(line, "{"); open >= 0 {
			metric = line[:strings.LastIndex(line, "}")+1]
		}
		set, err := promql.ParseMetric(metric)
		check(t, err)
		all[set.Get("__name__")] = append(all[set.Get("__name__")], set)
	}
	if len(all) < len(families) {
		t.Fatalf("%d names of %d metrics", len(all), len(families))
	}
	return all
}

var promql = parser.NewParser(parser.Options{})

// parse parses a query.
func parse(t *testing.T, query string) parser.Expr {
	t.Helper()
	expr, err := promql.ParseExpr(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return expr
}

// targetLabels are added by Prometheus.
var targetLabels = []string{"job", "instance"}

// checkQuery returns what is wrong with a query: a metric that does not exist, a label that it
// does not have, or a value that its label never has.
func checkQuery(expr parser.Expr, exist series) (wrong []string) {
	var names []string // labels that the query adds, and those of its metrics
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			sets, found := exist[n.Name]
			if !found {
				wrong = append(wrong, "no metric "+n.Name)
				return nil
			}
			names = append(names, labelNames(sets)...)
			wrong = append(wrong, checkMatchers(n, sets)...)
		case *parser.Call:
			if n.Func.Name == "label_replace" {
				names = append(names, n.Args[1].(*parser.StringLiteral).Val)
			}
		}
		return nil
	})
	names = append(names, targetLabels...)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if a, ok := node.(*parser.AggregateExpr); ok {
			for _, name := range a.Grouping {
				if !slices.Contains(names, name) {
					wrong = append(wrong, "no label "+name+" to group by")
				}
			}
		}
		return nil
	})
	return wrong
}

func labelNames(sets []labels.Labels) (names []string) {
	for _, set := range sets {
		set.Range(func(l labels.Label) { names = append(names, l.Name) })
	}
	return names
}

// checkMatchers returns the matchers of a selector that match no series of its metric.
func checkMatchers(n *parser.VectorSelector, sets []labels.Labels) (wrong []string) {
	for _, m := range n.LabelMatchers {
		if m.Name == "__name__" || slices.Contains(targetLabels, m.Name) {
			continue
		}
		matches := func(set labels.Labels) bool { return set.Has(m.Name) && m.Matches(set.Get(m.Name)) }
		if !slices.ContainsFunc(sets, matches) {
			wrong = append(wrong, fmt.Sprintf("no series of %s has %s", n.Name, m))
		}
	}
	return wrong
}

// metricsOf returns the names of the metrics in a query.
func metricsOf(expr parser.Expr) (names []string) {
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if n, ok := node.(*parser.VectorSelector); ok {
			names = append(names, n.Name)
		}
		return nil
	})
	return names
}

// TestCheckQuery: the check finds mistakes.
func TestCheckQuery(t *testing.T) {
	exist := series{"a_total": {labels.FromStrings("__name__", "a_total", "result", "okay")}}
	for query, want := range map[string]int{
		`sum by (result) (rate(a_total{job="j", result="okay"}[5m]))`: 0,
		`sum by (x) (label_replace(a_total, "x", "y", "", ""))`:       0,
		`b_total`:                    1,
		`a_total{result="ok"}`:       1,
		`a_total{class="okay"}`:      1,
		`a_total{result=~"f.*"}`:     1,
		`sum by (class) (a_total)`:   1,
		`a_total / on (job) b_total`: 1,
	} {
		if wrong := checkQuery(parse(t, query), exist); len(wrong) != want {
			t.Errorf("%s: %q", query, wrong)
		}
	}
}

// TestQueries: the queries of the alerts and of the dashboard are about metrics, labels and values
// that the service has. Each metric of the service is in a panel.
func TestQueries(t *testing.T) {
	s, i, address := startWithMetrics(t)
	traffic(t, s, i)
	exist := scrape(t, address)
	exist["up"] = []labels.Labels{labels.FromStrings("__name__", "up")}
	for _, r := range rules(t) {
		if r.Record != "" {
			exist[r.Record] = recorded(t, r, exist)
		}
	}
	for _, r := range rules(t) {
		if wrong := checkQuery(parse(t, r.Expr), exist); wrong != nil {
			t.Errorf("%s%s: %q", r.Alert, r.Record, wrong)
		}
	}
	shown := make(map[string]bool)
	for _, q := range readDashboard(t).queries() {
		expr := parse(t, q.parsable("5m"))
		if wrong := checkQuery(expr, exist); wrong != nil {
			t.Errorf("panel %q: %q", q.panel, wrong)
		}
		for _, name := range metricsOf(expr) {
			shown[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exist)) {
		if strings.HasPrefix(name, "vepverify_") && !shown[name] {
			t.Errorf("no panel has %s", name)
		}
	}
}

// recorded returns series of a recording rule: with the labels by which it aggregates, and the
// values that they have in its metrics.
func recorded(t *testing.T, r rule, exist series) (sets []labels.Labels) {
	t.Helper()
	aggregate, ok := parse(t, r.Expr).(*parser.AggregateExpr)
	if !ok {
		t.Fatalf("%s is not an aggregation", r.Record)
	}
	for _, name := range metricsOf(aggregate) {
		for _, set := range exist[name] {
			sets = append(sets, labels.NewBuilder(set).Keep(aggregate.Grouping...).Labels())
		}
	}
	return sets
}

// rule is an alerting or a recording rule.
type rule struct {
	Alert, Record, Expr string
	Labels, Annotations map[string]string
}

// rules returns the rules of alerts.yml.
func rules(t *testing.T) (all []rule) {
	t.Helper()
	for _, group := range ruleGroups(t, filepath.Join(deploy, "prometheus/alerts.yml")) {
		for _, r := range group.Rules {
			all = append(all, rule{r.Alert, r.Record, r.Expr, r.Labels, r.Annotations})
		}
	}
	return all
}
