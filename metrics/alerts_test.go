package metrics

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

const (
	alertsFile    = "../deploy/prometheus/alerts.yml"
	ruleTestsFile = "../deploy/prometheus/alerts_test.yml"
	dayTestsFile  = "../deploy/prometheus/alerts_day_test.yml"
	scrapeFile    = "../deploy/prometheus/prometheus.yml"
)

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoder := yaml.NewDecoder(f)
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

func TestAlertsUseExistingMetrics(t *testing.T) {
	all := series(t)
	var file ruleFile
	readYAML(t, alertsFile, &file)
	seen := map[string]bool{}
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			checkQuery(t, r.Alert, r.Expr, all)
			if seen[r.Alert] || !strings.HasPrefix(r.Alert, "Catbridge") {
				t.Errorf("%s: the name is wrong, or there twice", r.Alert)
			}
			seen[r.Alert] = true
			if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" {
				t.Errorf("%s: severity %q", r.Alert, severity)
			}
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s: what it means and what to do is not said", r.Alert)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d alerts", len(seen))
	}
}

// The input of the rules' own tests must have the form of the collectors' metrics.
func TestRulesAreTestedWithExistingSeries(t *testing.T) {
	var file struct {
		RuleFiles          []string `yaml:"rule_files"`
		EvaluationInterval string   `yaml:"evaluation_interval"`
		Tests              []struct {
			Name, Interval string
			InputSeries    []struct{ Series, Values string } `yaml:"input_series"`
			AlertRuleTest  []struct {
				EvalTime  string `yaml:"eval_time"`
				AlertName string `yaml:"alertname"`
				ExpAlerts []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	all := series(t)
	for _, name := range []string{ruleTestsFile, dayTestsFile} {
		readYAML(t, name, &file)
		for _, test := range file.Tests {
			for _, s := range test.InputSeries {
				checkQuery(t, test.Name, s.Series, all)
			}
		}
	}
}

func TestScrapeConfigurationNamesItsRules(t *testing.T) {
	var file map[string]any
	readYAML(t, scrapeFile, &file)
	for _, name := range file["rule_files"].([]any) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(scrapeFile), name.(string))); err != nil {
			t.Error(err)
		}
	}
}

// bridgeLabels distinguish bridges in one Prometheus.
var bridgeLabels = []string{"cluster", "namespace", "job"}

// Every query must group by the labels that distinguish bridges. Before it sums or counts, it
// must reduce each instance to one value, since a process may be scraped twice.
func TestQueriesDistinguishBridges(t *testing.T) {
	all := readDashboard(t).queries()
	var file ruleFile
	readYAML(t, alertsFile, &file)
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			all["alert "+r.Alert] = r.Expr
		}
	}
	grouping := regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	reduced := regexp.MustCompile(`\b(?:sum|count) by \([^)]*\) \(\s*max by \([^)]*\binstance\b[^)]*\)`)
	for where, query := range all {
		want := bridgeLabels
		if strings.HasPrefix(where, "Behind") { // compares leaders with followers, which have other jobs
			want = bridgeLabels[:1]
		}
		for _, by := range grouping.FindAllStringSubmatch(query, -1) {
			for _, label := range want {
				if !slices.Contains(strings.Split(by[1], ", "), label) {
					t.Errorf("%s: (%s) lacks %s", where, by[1], label)
				}
			}
		}
		if sums := regexp.MustCompile(`\b(sum|count)\b`).FindAllString(query, -1); len(sums) != len(reduced.FindAllString(query, -1)) {
			t.Errorf("%s: it counts a process that is scraped twice as two: %s", where, query)
		}
		if strings.HasPrefix(where, "alert ") && !strings.Contains(query, " by (") {
			t.Errorf("%s: it fires twice for what is scraped twice", where)
		}
	}
}

// The filters must apply to every query, so no query shows values that were filtered out.
func TestDashboardFiltersApplyToEveryQuery(t *testing.T) {
	d := readDashboard(t)
	filters := append(slices.Clone(bridgeLabels), "sdk_key", "instance")
	for _, filter := range filters {
		if !slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == filter && v.AllValue == ".*" }) {
			t.Errorf("there is no variable %s, or its All does not match a label that is missing", filter)
		}
	}
	for where, query := range d.queries() {
		for _, m := range selector.FindAllStringSubmatch(query, -1) {
			for _, filter := range filters {
				switch {
				case filter == "sdk_key" && (strings.Contains(m[1], "unknown_webhooks") || strings.HasPrefix(m[1], "catbridge_gateway_")):
				case filter == "instance" && (strings.HasPrefix(where, "annotation") || m[1] == "catbridge_leader_rev"):
				case m[2] == "" && strings.Contains(query, "and on ("+strings.Join(bridgeLabels, ", ")+", instance, sdk_key) "+m[1]):
				case !strings.Contains(m[2], filter+`=~"$`+filter+`"`):
					t.Errorf("%s: %s is not filtered by %s", where, m[1], filter)
				}
			}
		}
	}
}

// promtool also runs the rules' own tests.
func TestPromtoolAcceptsRulesAndQueries(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		promtool, err = exec.LookPath("../bin/promtool") // installed by .ci/install-test-tools
	}
	if err != nil {
		missing.Skip(t, "promtool is missing: the Debian package prometheus has it (%v)", err)
	}
	queries := readDashboard(t).queries()
	variables := strings.NewReplacer("$__rate_interval", "1m", "$cluster", ".*", "$namespace", ".*", "$job", ".*", "$sdk_key", ".*", "$instance", ".*")
	rules := map[string]any{}
	var list []map[string]string
	for i, where := range slices.Sorted(maps.Keys(queries)) {
		list = append(list, map[string]string{"record": fmt.Sprintf("query:%d", i), "expr": variables.Replace(queries[where])})
	}
	rules["groups"] = []any{map[string]any{"name": "dashboard", "rules": list}}
	data, err := yaml.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"check", "rules", alertsFile, file}, {"check", "config", scrapeFile}, {"test", "rules", ruleTestsFile}, {"test", "rules", dayTestsFile},
	} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
