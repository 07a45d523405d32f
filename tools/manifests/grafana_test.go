package manifests_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// dashboard has what these tests need of a dashboard of Grafana.
type dashboard struct {
	Inputs        []any `json:"__inputs"`
	Title, UID    string
	ID            *int
	SchemaVersion int
	Panels        []panel
	Templating    struct{ List []variable }
	Annotations   struct {
		List []struct {
			Name, Expr string
			Datasource datasource
		}
	}
}

type datasource struct{ Type, UID string }

type variable struct {
	Name, Type string
	Datasource datasource
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               datasource
	Targets                  []struct {
		RefID, Expr string
		Datasource  datasource
	}
}

// readDashboard returns the dashboard.
func readDashboard(t *testing.T) *dashboard {
	t.Helper()
	d := new(dashboard)
	check(t, json.NewDecoder(bytes.NewReader([]byte(read(t, "grafana/vepverify.json")))).Decode(d))
	return d
}

// query is a query of a panel.
type query struct{ panel, expr string }

// queries returns the queries of all panels, and of the annotations.
func (d *dashboard) queries() (all []query) {
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, query{p.Title, target.Expr})
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			expr, _ := strings.CutSuffix(a.Expr, " > 0") // without a restart, it returns nothing
			all = append(all, query{a.Name, expr})
		}
	}
	return all
}

// parsable returns the query with the variables replaced, as Grafana does.
func (q query) parsable(interval string) string {
	return strings.NewReplacer("$__rate_interval", interval, "$job", "vepverify", "$instance", ".*").Replace(q.expr)
}

// TestDashboard checks what Grafana needs to import the dashboard, and what a reader needs.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	if d.ID != nil || d.Title == "" || d.UID == "" || d.SchemaVersion < 36 || d.Inputs == nil {
		t.Errorf("ID %v, title %q, UID %q, schema %d, inputs %v", d.ID, d.Title, d.UID, d.SchemaVersion, d.Inputs)
	}
	chosen := datasource{"prometheus", "${datasource}"}
	if len(d.Templating.List) != 3 || d.Templating.List[0].Type != "datasource" || "${"+d.Templating.List[0].Name+"}" != chosen.UID {
		t.Errorf("variables %+v", d.Templating.List)
	}
	for _, v := range d.Templating.List[1:] {
		if v.Datasource != chosen {
			t.Errorf("variable %s: data source %v", v.Name, v.Datasource)
		}
	}
	var rows []string
	var ids []int
	for _, p := range d.Panels {
		if slices.Contains(ids, p.ID) {
			t.Errorf("panel %q has the ID of another", p.Title)
		}
		ids = append(ids, p.ID)
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if p.Title == "" || p.Description == "" || p.Datasource != chosen || len(p.Targets) == 0 {
			t.Errorf("panel %q: description %q, data source %v, %d queries", p.Title, p.Description, p.Datasource, len(p.Targets))
		}
		for i, target := range p.Targets {
			if target.Datasource != chosen || target.RefID != string(rune('A'+i)) {
				t.Errorf("panel %q: %+v", p.Title, target)
			}
		}
	}
	want := []string{"Now", "Traffic and outcomes", "Undecided, by cause", "Latency", "Look-ups and caches", "EVP tokens", "Capacity", "Files and runtime"}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %q", rows)
	}
	expectNoOverlap(t, d.Panels)
}

// expectNoOverlap fails the test if panels overlap, or are wider than the grid of 24 columns.
func expectNoOverlap(t *testing.T, panels []panel) {
	t.Helper()
	for i, p := range panels {
		a := p.GridPos
		if a.X < 0 || a.W < 1 || a.H < 1 || a.X+a.W > 24 {
			t.Errorf("panel %q: position %+v", p.Title, a)
		}
		for _, other := range panels[i+1:] {
			b := other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("panels %q and %q overlap", p.Title, other.Title)
			}
		}
	}
}

// TestDashboardRunbooks: each alert that the dashboard names exists.
func TestDashboardRunbooks(t *testing.T) {
	var alerts []string
	for _, r := range rules(t) {
		alerts = append(alerts, r.Alert)
	}
	for _, p := range readDashboard(t).Panels {
		_, named, found := strings.Cut(p.Description, "Runbook: ")
		if named = strings.TrimSuffix(named, "."); found && !slices.Contains(alerts, named) {
			t.Errorf("panel %q names the alert %q", p.Title, named)
		}
	}
}
