package evaluate_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

// explain evaluates a flag with the log and the tree, and returns the log without the warnings.
func explain(config *evaluate.Config, key string, user any, def evaluate.Value) (evaluate.Result, string, *evaluate.Explanation) {
	trace := evaluate.Trace{Log: true, Explain: true}
	result := config.Evaluate(key, user, def, &trace)
	events := trace.Events()
	return result, events[len(events)-1].Message, trace.Explanation()
}

// checkExplanation fails the test unless the log, the tree and the result of an evaluation agree.
func checkExplanation(t failer, config *evaluate.Config, key string, user any, def evaluate.Value) {
	t.Helper()
	result, log, tree := explain(config, key, user, def)
	if tree.Value != result.Value || (tree.Err == nil) != (result.Err == nil) || tree.Err != nil && tree.Err.Error() != result.Err.Error() {
		t.Fatalf("%q: the tree returns %v, %v; the result is %v, %v", key, tree.Value, tree.Err, result.Value, result.Err)
	}
	if !tree.Cut {
		if text := treeText(tree, user); text != log {
			t.Fatalf("%q: the tree as text:\n%s\nthe log:\n%s", key, text, log)
		}
	}
	checkServed(t, tree, &result)
	checkSetting(t, tree, tree.Setting, config)

	alone := evaluate.Trace{Explain: true}
	without := config.Evaluate(key, user, def, &alone)
	if without.Value != result.Value || !reflect.DeepEqual(alone.Explanation(), tree) {
		t.Fatalf("%q: another tree without the log", key)
	}
	for _, event := range alone.Events() {
		if event.ID == evaluate.EventEvaluated {
			t.Fatalf("%q: a log that was not requested", key)
		}
	}
	logged := evaluate.Trace{Log: true}
	config.Evaluate(key, user, def, &logged)
	if events := logged.Events(); events[len(events)-1].Message != log || len(events) != len(alone.Events())+1 || logged.Explanation() != nil {
		t.Fatalf("%q: the tree changes the log", key)
	}
}

// checkServed checks that the tree shows which rule and which option the result comes from.
func checkServed(t failer, tree *evaluate.Explanation, result *evaluate.Result) {
	t.Helper()
	s := tree.Setting
	rule, option := -1, -1
	for i, r := range s.Rules {
		if r.Serves {
			rule = i
			if r.Options != nil {
				option = r.Options.Selected
			}
		}
	}
	if rule < 0 && s.Options != nil {
		option = s.Options.Selected
	}
	switch {
	case result.Err != nil:
		if s.Outcome != evaluate.OutcomeFailed || rule >= 0 || s.ServesDefault {
			t.Fatalf("%q failed, and the tree says %q, rule %d", s.Key, s.Outcome, rule)
		}
	case s.Cut:
	case s.Outcome != evaluate.OutcomeTrue || s.Value != result.Value || rule != result.RuleIndex || option != result.OptionIndex ||
		s.ServesDefault != (rule < 0 && option < 0):
		t.Fatalf("%q: outcome %q, value %v, rule %d, option %d, default %v; want %+v", s.Key, s.Outcome, s.Value, rule, option, s.ServesDefault, result)
	}
}

// checkSetting checks that a tree has all parts of its setting, evaluated or not, unless it is cut.
func checkSetting(t failer, tree *evaluate.Explanation, s *evaluate.SettingTree, config *evaluate.Config) {
	t.Helper()
	all := config.Describe(s.Key)
	if s.Cut || all.Cut {
		if s.Cut && !tree.Cut {
			t.Fatalf("%q is cut, its tree is not", s.Key)
		}
		return
	}
	if len(s.Rules) != len(all.Rules) || (s.Options == nil) != (all.Options == nil) || s.Default != all.Default || s.Kind != all.Kind || s.String() != all.String() {
		t.Fatalf("%q: parts are missing: %+v, want %+v", s.Key, s, all)
	}
	for i, rule := range s.Rules {
		if len(rule.Conditions) != len(all.Rules[i].Conditions) || (rule.Options == nil) != (all.Rules[i].Options == nil) || rule.Rule != all.Rules[i].Rule {
			t.Fatalf("%q: rule %d lacks parts", s.Key, i)
		}
		reached := rule.Outcome != evaluate.OutcomeNone
		for j, c := range rule.Conditions {
			whole := all.Rules[i].Conditions[j]
			if c.String() != whole.String() || c.Kind != whole.Kind || c.Uses != whole.Uses || whole.Outcome != evaluate.OutcomeNone {
				t.Fatalf("%q: rule %d, condition %q is described as %q", s.Key, i, c, whole)
			}
			if !reached && c.Outcome != evaluate.OutcomeNone {
				t.Fatalf("%q: rule %d, condition %q counts as evaluated", s.Key, i, c)
			}
			reached = reached && c.Outcome == evaluate.OutcomeTrue
			if c.Prerequisite != nil {
				checkSetting(t, tree, c.Prerequisite, config)
			}
		}
	}
}

// The log and the tree come from the same calls, and say the same.
func TestTheTreeIsTheLogOfTheConformanceConfigs(t *testing.T) {
	dir := conformance.Dir(t)
	trees := 0
	for _, pattern := range []string{"configs/*.json", "matrix/*.config.json", "evaluationlog/_configs/*.json"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			config, err := evaluate.ParseOverrides(readFile(t, file))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, key := range config.Keys() {
				for _, user := range append(fuzzUsers, modelUsers...) {
					checkExplanation(t, config, key, user, evaluate.Value{})
					checkExplanation(t, config, key, user, evaluate.FloatValue(1))
					trees += 2
				}
			}
		}
	}
	t.Logf("%d trees", trees)
	if trees < 1000 {
		t.Errorf("only %d trees", trees)
	}
}

// Broken configs, too: the tree shows where an evaluation ended.
func TestTheTreeIsTheLogOfAnyConfig(t *testing.T) {
	failed, cannot := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var value any = drawConfig(t).tree()
		for range rapid.IntRange(0, 3).Draw(t, "faults") {
			value = mutate(t, value)
		}
		config, err := evaluate.Parse([]byte(drawSpelling(t, value)))
		if err != nil {
			t.Skip("not a config")
		}
		for _, key := range config.Keys() {
			for _, user := range modelUsers {
				checkExplanation(t, config, key, user, evaluate.Value{})
				_, log, tree := explain(config, key, user, evaluate.Value{})
				if tree.Err != nil {
					failed++
				}
				if strings.Contains(log, "cannot evaluate") {
					cannot++
				}
			}
		}
	})
	if failed == 0 || cannot == 0 {
		t.Errorf("%d evaluations failed, %d were not possible", failed, cannot)
	}
}

// failures are the parts of a tree that ended the evaluation, each with its error.
func failures(tree *evaluate.Explanation) (all []string) {
	note := func(what string, outcome evaluate.Outcome, why string) {
		if outcome == evaluate.OutcomeFailed && why != "" {
			all = append(all, what+": "+why)
		}
	}
	var walk func(s *evaluate.SettingTree)
	options := func(what string, o *evaluate.OptionsTree) {
		if o != nil {
			note(what+" percentages", o.Outcome, o.Why)
		}
	}
	walk = func(s *evaluate.SettingTree) {
		note(s.Key, s.Outcome, s.Why)
		options(s.Key, s.Options)
		for i, r := range s.Rules {
			name := fmt.Sprintf("%s rule %d", s.Key, i+1)
			note(name, r.Outcome, r.Why)
			options(name, r.Options)
			for j, c := range r.Conditions {
				condition := fmt.Sprintf("%s condition %d", name, j+1)
				note(condition, c.Outcome, c.Why)
				if c.Segment != nil {
					note(condition+" segment", c.Segment.Outcome, c.Segment.Why)
					for k, inner := range c.Segment.Conditions {
						note(fmt.Sprintf("%s segment condition %d", condition, k+1), inner.Outcome, inner.Why)
					}
				}
				if c.Prerequisite != nil {
					walk(c.Prerequisite)
				}
			}
		}
	}
	walk(tree.Setting)
	return all
}

// Exactly one part has the error.
func TestTheTreeSaysWhereAnEvaluationFailed(t *testing.T) {
	yes := `{"u":{"a":"Identifier","c":28,"s":"1"}}`
	badOperator := `{"u":{"a":"Identifier","c":99,"s":"1"}}`
	for name, test := range map[string]struct{ flags, want string }{
		"the type": {`"flag":{"t":7,"v":{"b":true}}`, "flag: Setting type is invalid."},
		"a rule with a value and percentages": {`"flag":{"t":0,"r":[{"c":[` + yes + `,` + yes + `],"p":[{"p":100,"v":{"b":true}}],"s":{"v":{"b":true}}},7],"v":{"b":true}}`,
			"flag rule 1: Targeting rule THEN part is missing or invalid."},
		"the second rule": {`"flag":{"t":0,"r":[{"c":[{"u":{"a":"Identifier","c":29,"s":"1"}}],"s":{"v":{"b":true}}},7],"v":{"b":true}}`,
			"flag rule 2: Invalid config JSON content. Type mismatch at $.f.flag.r[1]"},
		"an operator":        {`"flag":{"t":0,"r":[{"c":[` + yes + `,` + badOperator + `],"s":{"v":{"b":true}}}],"v":{"b":true}}`, "flag rule 1 condition 2: Comparison operator is invalid."},
		"an empty condition": {`"flag":{"t":0,"r":[{"c":[` + yes + `,{}],"s":{"v":{"b":true}}}],"v":{"b":true}}`, "flag rule 1 condition 2: Condition is missing or invalid."},
		"a segment's condition": {`"flag":{"t":0,"r":[{"c":[{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":true}}`,
			"flag rule 1 condition 1 segment condition 2: Comparison operator is invalid."},
		"a segment's empty condition": {`"flag":{"t":0,"r":[{"c":[{"s":{"s":1,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":true}}`,
			"flag rule 1 condition 1 segment condition 1: Invalid config JSON content. Missing required value at $.s[1].r[0]"},
		"a segment's conditions": {`"flag":{"t":0,"r":[{"c":[{"s":{"s":2,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":true}}`,
			"flag rule 1 condition 1 segment: Invalid config JSON content. Type mismatch at $.s[2].r"},
		"the operator on a segment": {`"flag":{"t":0,"r":[{"c":[{"s":{"s":3,"c":7}}],"s":{"v":{"b":true}}}],"v":{"b":true}}`, "flag rule 1 condition 1: Comparison operator is invalid."},
		"a segment that is missing": {`"flag":{"t":0,"r":[{"c":[{"s":{"s":9,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":true}}`, "flag rule 1 condition 1: Segment reference is invalid."},
		"a prerequisite that is missing": {`"flag":{"t":0,"r":[{"c":[{"p":{"f":"no","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":true}}`,
			"flag rule 1 condition 1: Prerequisite flag is missing."},
		"a prerequisite's value": {`"flag":{"t":0,"r":[{"c":[{"p":{"f":"other","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":true}},
			"other":{"t":0,"v":{"s":"x"}}`, "other: Setting value is missing or invalid."},
		"the operator on a prerequisite": {`"flag":{"t":0,"r":[{"c":[{"p":{"f":"other","c":8,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":true}},
			"other":{"t":0,"v":{"b":true}}`, "flag rule 1 condition 1: Comparison operator is invalid."},
		"a cycle": {`"flag":{"t":0,"r":[{"c":[{"p":{"f":"flag","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":true}}`,
			"flag rule 1 condition 1: Circular dependency detected between the following depending flags: 'flag' -> 'flag'."},
		"shares below 100": {`"flag":{"t":0,"p":[{"p":0,"v":{"b":true}}],"v":{"b":true}}`, "flag percentages: Sum of percentage option percentages is less than 100."},
		"a rule's shares below 100": {`"flag":{"t":0,"r":[{"p":[{"p":0,"v":{"b":true}}]}],"v":{"b":true}}`,
			"flag rule 1 percentages: Sum of percentage option percentages is less than 100."},
		"the attribute of the percentages": {`"flag":{"t":0,"a":5,"p":[{"p":100,"v":{"b":true}}],"v":{"b":true}}`, "flag percentages: Invalid config JSON content. Type mismatch at $.f.flag.a"},
		"the value of a selected option":   {`"flag":{"t":0,"p":[{"p":100,"v":{"s":"x"}}],"v":{"b":true}}`, "flag: Setting value is missing or invalid."},
		"what a rule serves":               {`"flag":{"t":0,"r":[{"c":[` + yes + `],"s":{"v":{"s":"x"}}}],"v":{"b":true}}`, "flag rule 1: Setting value is missing or invalid."},
		"the setting's own value":          {`"flag":{"t":0,"r":[{"c":[{"u":{"a":"Identifier","c":29,"s":"1"}}],"s":{"v":{"b":true}}}],"v":{}}`, "flag: Setting value is missing or invalid."},
		"the rules":                        {`"flag":{"t":0,"r":{},"p":[{"p":100,"v":{"b":true}}],"v":{"b":true}}`, "flag: Invalid config JSON content. Type mismatch at $.f.flag.r"},
		"the list of the percentages":      {`"flag":{"t":0,"p":{},"v":{"b":true}}`, "flag: Invalid config JSON content. Type mismatch at $.f.flag.p"},
	} {
		t.Run(name, func(t *testing.T) {
			config := mustParse(t, `{"s":[{"n":"bad","r":[{"a":"Identifier","c":28,"s":"1"},{"a":"Identifier","c":99,"s":"1"}]},{"n":"empty","r":[null]},{"n":"none","r":5},{"n":"good","r":[]}],
				"f":{`+test.flags+`}}`)
			user := &evaluate.UserData{Identifier: "1"}
			_, _, tree := explain(config, "flag", user, evaluate.Value{})
			if got := failures(tree); len(got) != 1 || got[0] != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			checkExplanation(t, config, "flag", user, evaluate.Value{})
		})
	}
	config := mustParse(t, `{"f":{"flag":{"t":0,"r":[{"c":[`+yes+`],"s":{"v":{"b":true}}}],"p":[{"p":100,"v":{"b":true}}],"v":{"b":true}}}}`)
	_, _, tree := explain(config, "flag", nil, evaluate.StringValue(""))
	if got := failures(tree); len(got) != 1 || !strings.HasPrefix(got[0], "flag: The type of a setting must match") {
		t.Errorf("a default of another type: %q", got)
	}
}

func TestSegmentsAndUses(t *testing.T) {
	config := mustParse(t, `{"s":[{"n":"unused","r":[{"a":"Email","c":28,"s":"x"}]},{"n":"Beta","r":[{"a":"Email","c":2,"l":["@a"]},{"a":"Country","c":99,"s":"DE"}]},null],
		"f":{"a":{"t":0,"r":[{"c":[{"s":{"s":1,"c":0}},{"p":{"f":"b","c":0,"v":{"b":true}}},{"p":{"f":"gone","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}},
			{"c":[{"s":{"s":1,"c":1}},{"p":{"f":"b","c":1,"v":{"b":true}}},{"p":{}}],"s":{"v":{"b":true}}}],"v":{"b":false}},
		"b":{"t":0,"v":{"b":true}}}}`)
	var names []string
	for _, s := range config.Segments() {
		names = append(names, fmt.Sprintf("%s %d %v", s.Name, len(s.Conditions), s.Err))
	}
	want := []string{"Beta 2 Comparison operator is invalid.", "unused 1 <nil>", " 0 Invalid config JSON content. Missing required value at $.s[2]"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("segments %q", names)
	}
	if flags, segments := config.Uses("a"); !reflect.DeepEqual(flags, []string{"b", "gone"}) || !reflect.DeepEqual(segments, []string{"Beta"}) {
		t.Errorf("a uses %q, %q", flags, segments)
	}
	if flags, segments := config.Uses("b"); flags != nil || segments != nil {
		t.Errorf("b uses %q, %q", flags, segments)
	}
	all := config.Describe("a")
	var uses []string
	for _, c := range all.Rules[0].Conditions {
		uses = append(uses, fmt.Sprintf("%s %s: %s", c.Kind, c.Uses, c))
	}
	want = []string{"segment Beta: User IS IN SEGMENT 'Beta'", "prerequisite b: Flag 'b' EQUALS 'true'", "prerequisite : Flag '<invalid reference>' EQUALS 'true'"}
	if !reflect.DeepEqual(uses, want) {
		t.Errorf("conditions %q", uses)
	}
	if got := all.Rules[0].Rule.String(); got != `serves true to users IN SEGMENT "Beta" AND flag b EQUALS true AND 1 more condition` {
		t.Errorf("rule %q", got)
	}
	if all.String() != "Boolean, 2 rules, default value false" {
		t.Errorf("flag %q", all)
	}
	var none *evaluate.Config
	if config.Describe("no") != nil || none.Describe("a") != nil || none.Segments() != nil {
		t.Error("something of nothing")
	}
	if flags, segments := none.Uses("a"); flags != nil || segments != nil {
		t.Error("uses of nothing")
	}
}
