package evaluate_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

const (
	wantLogSuites = 11
	wantLogTests  = 37
)

type logSuite struct {
	Config string
	Tests  []struct {
		Key          string
		DefaultValue any
		ReturnValue  any
		ExpectedLog  string
		User         map[string]any
	}
}

// S101: the exact text; a rule with unusable percentage options is ignored (S71).
func TestEvaluationLogs(t *testing.T) {
	dir := filepath.Join(conformance.Dir(t), "evaluationlog")
	index := readJSON[struct {
		Suites []struct{ Suite, File string }
	}](t, dir, "index.json")
	total := 0
	for _, entry := range index.Suites {
		t.Run(entry.Suite, func(t *testing.T) {
			var suite logSuite
			decode(t, readFile(t, dir, entry.File), &suite)
			config := parseFile(t, dir, suite.Config)
			for _, test := range suite.Tests {
				trace := evaluate.Trace{Log: true}
				got := config.Evaluate(test.Key, flatUser(test.User), defaultOf(t, test.DefaultValue, test.ReturnValue), &trace)
				if !sameValue(got.Value, test.ReturnValue) {
					t.Errorf("%s: value %v, want %v", test.ExpectedLog, got.Value, test.ReturnValue)
				}
				want := string(readFile(t, dir, entry.Suite, test.ExpectedLog))
				if text := logOf(&trace); text != normalLog(want) {
					t.Errorf("%s: got\n%s\nwant\n%s", test.ExpectedLog, text, normalLog(want))
				}
				total++
			}
			if len(suite.Tests) == 0 {
				t.Error("no tests")
			}
			t.Logf("%d logs", len(suite.Tests))
		})
	}
	t.Logf("%d suites, %d logs", len(index.Suites), total)
	if !t.Failed() && (len(index.Suites) < wantLogSuites || total < wantLogTests) {
		t.Errorf("%d suites with %d logs, want %d with %d", len(index.Suites), total, wantLogSuites, wantLogTests)
	}
}

// flatUser converts a user in which predefined and custom attributes are on the same level.
func flatUser(v map[string]any) any {
	if v == nil {
		return nil
	}
	user := new(evaluate.UserData)
	user.Identifier, user.Email, user.Country, user.Custom = conformance.UserFields(v)
	return user
}

// officialLevels are the names of the levels in the official SDKs' expected logs.
var officialLevels = map[slog.Level]string{slog.LevelError: "ERROR", slog.LevelWarn: "WARNING", slog.LevelInfo: "INFO"}

func logOf(trace *evaluate.Trace) string {
	var lines []string
	for _, event := range trace.Events() {
		lines = append(lines, fmt.Sprintf("%s [%d] %s", officialLevels[event.ID.Level()], event.ID, event.Message))
	}
	return strings.Join(lines, "\n")
}

var methodName = regexp.MustCompile("`(getValueAsync|get_value)\\(\\)`")

// normalLog replaces another SDK's method name with this engine's.
func normalLog(text string) string {
	return methodName.ReplaceAllString(strings.TrimRight(text, "\r\n"), "`GetValue()`")
}
