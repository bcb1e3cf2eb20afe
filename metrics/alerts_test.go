package metrics

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	alertsFile    = "../deploy/prometheus/alerts.yml"
	ruleTestsFile = "../deploy/prometheus/alerts_test.yml"
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

func TestAlertsGoByMetricsThatThereAre(t *testing.T) {
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

// What the rules' own tests feed them must be as the collectors tell it.
func TestTheRulesAreTestedWithSeriesThatThereAre(t *testing.T) {
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
	readYAML(t, ruleTestsFile, &file)
	all := series(t)
	for _, test := range file.Tests {
		for _, s := range test.InputSeries {
			checkQuery(t, test.Name, s.Series, all)
		}
	}
}

func TestTheScrapeConfigurationNamesItsRules(t *testing.T) {
	var file map[string]any
	readYAML(t, scrapeFile, &file)
	for _, name := range file["rule_files"].([]any) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(scrapeFile), name.(string))); err != nil {
			t.Error(err)
		}
	}
}

// promtool is no program that tests need, since the tests above find most mistakes; but
// where it is, it knows the language.
func TestPromtoolAcceptsRulesAndQueries(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not here: the Debian package prometheus has it")
	}
	queries := readDashboard(t).queries()
	variables := strings.NewReplacer("$__rate_interval", "1m", "$sdk_key", ".*", "$instance", ".*")
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
		{"check", "rules", alertsFile, file}, {"check", "config", scrapeFile}, {"test", "rules", ruleTestsFile},
	} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
