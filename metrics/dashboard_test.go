package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const dashboardFile = "../deploy/grafana/dashboards/catbridge.json"

type dashboard struct {
	UID, Title string
	Panels     []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct{ Expr string }
	}
	Templating struct {
		List []variable
	}
	Annotations struct{ List []struct{ Name, Expr string } }
}

type variable struct{ Name, Type, Definition, AllValue string }

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	data, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// queries returns all queries of a dashboard, by their location.
func (d dashboard) queries() map[string]string {
	all := map[string]string{}
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprintf("%s, query %d", p.Title, i+1)] = target.Expr
		}
	}
	for _, a := range d.Annotations.List {
		all["annotation "+a.Name] = a.Expr
	}
	return all
}

var variableUse = regexp.MustCompile(`\$\{?(\w+)`)

func TestDashboardShowsExistingMetrics(t *testing.T) {
	d, all := readDashboard(t), series(t)
	variables := map[string]bool{"__rate_interval": true}
	for _, v := range d.Templating.List {
		variables[v.Name] = true
		if v.Type == "query" && !strings.Contains(v.Definition, "catbridge_") {
			t.Errorf("variable %s asks for %s", v.Name, v.Definition)
		}
	}
	queries := d.queries()
	for where, query := range queries {
		checkQuery(t, where, query, all)
		for _, use := range variableUse.FindAllStringSubmatch(query, -1) {
			if !variables[use[1]] {
				t.Errorf("%s: there is no variable %s", where, use[1])
			}
		}
	}
	if len(queries) < 40 {
		t.Errorf("%d queries", len(queries))
	}
	ids := map[int]bool{}
	for i, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("panel %d, %q: duplicate ID, or a missing title, description or target", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, q := range d.Panels[:i] {
			if a, b := p.GridPos, q.GridPos; a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%q covers %q", p.Title, q.Title)
			}
		}
	}
}

// A metric that is not shown is not used.
func TestDashboardOrAnAlertUsesEveryMetric(t *testing.T) {
	var used strings.Builder
	for _, query := range readDashboard(t).queries() {
		used.WriteString(query + "\n")
	}
	alerts, err := os.ReadFile(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	used.Write(alerts)
	names := []string{}
	for _, m := range processFamily.metrics {
		names = append(names, m.name)
	}
	for _, m := range leaderFamily.metrics {
		names = append(names, m.name)
	}
	for _, m := range followerFamily.metrics {
		names = append(names, m.name)
	}
	for _, m := range gatewayFamily.metrics {
		names = append(names, m.name)
	}
	for _, m := range reloadFamily.metrics {
		names = append(names, m.name)
	}
	for _, name := range names {
		if name != "catbridge_leader_info" && !regexp.MustCompile(name+`(_bucket)?\b`).MatchString(used.String()) {
			t.Errorf("%s is neither shown nor watched", name)
		}
	}
}
