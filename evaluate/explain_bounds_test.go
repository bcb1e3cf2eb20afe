package evaluate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

// A tree is bounded, whatever the config contains, and says that it is cut.
func TestTheTreeIsBounded(t *testing.T) {
	depth := func(s *evaluate.SettingTree) (n int, cut bool) {
		for s != nil && len(s.Rules) > 0 {
			c := s.Rules[0].Conditions[0]
			if c.Cut && (c.Outcome != evaluate.OutcomeTrue || c.Prerequisite != nil) {
				t.Errorf("the condition that is cut is %+v", c)
			}
			if s, cut = c.Prerequisite, c.Cut; s != nil {
				n++
			}
		}
		return n, cut
	}
	for length, want := range map[int]int{evaluate.MaxTreeDepth: evaluate.MaxTreeDepth, evaluate.MaxTreeDepth + 1: evaluate.MaxTreeDepth, evaluate.MaxPrerequisiteDepth: evaluate.MaxTreeDepth} {
		config := mustParse(t, chainConfig(length, ""))
		trace := evaluate.Trace{Explain: true}
		result := config.Evaluate("f0", nil, evaluate.Value{}, &trace)
		tree := trace.Explanation()
		n, cut := depth(tree.Setting)
		if n != want || cut != (length > want) || tree.Cut != cut || tree.Value != result.Value || !result.Value.Bool() || tree.Setting.Outcome != evaluate.OutcomeTrue {
			t.Errorf("a chain of %d: %d deep, cut %v, %v; %v", length, n, cut, tree.Cut, tree.Value)
		}
	}

	// The rule that matches comes after more rules than the tree shows.
	config := mustParse(t, manyRules(evaluate.MaxTreeParts))
	_, _, tree := explain(config, "flag", &evaluate.UserData{Country: "Hungary"}, evaluate.Value{})
	if n := len(tree.Setting.Rules); n != evaluate.MaxTreeParts/2 || !tree.Cut || !tree.Setting.Cut || tree.Setting.ServesDefault || tree.Value != evaluate.StringValue(fmt.Sprint(evaluate.MaxTreeParts-1)) {
		t.Errorf("%d rules, cut %v, %v, %v", n, tree.Cut, tree.Setting.Cut, tree.Value)
	}
	if all := config.Describe("flag"); len(all.Rules) != evaluate.MaxTreeParts/2 || !all.Cut {
		t.Errorf("described with %d rules", len(all.Rules))
	}

	// Each flag uses the next one twice: the tree would have 2^16 parts.
	var b strings.Builder
	for i := range 16 {
		ask := fmt.Sprintf(`{"p":{"f":"f%d","c":0,"v":{"b":true}}}`, i+1)
		fmt.Fprintf(&b, `"f%d":{"t":0,"r":[{"c":[%s,%s],"s":{"v":{"b":true}}}],"v":{"b":false}},`, i, ask, ask)
	}
	config = mustParse(t, `{"f":{`+b.String()+`"f16":{"t":0,"v":{"b":true}}}}`)
	trace := evaluate.Trace{Explain: true}
	config.Evaluate("f0", nil, evaluate.Value{}, &trace)
	if tree := trace.Explanation(); tree.Err == nil && !tree.Cut || countParts(tree.Setting) > evaluate.MaxTreeParts {
		t.Errorf("%d parts, cut %v", countParts(tree.Setting), tree.Cut)
	}

	// A part that fails where the tree is cut.
	for _, text := range []string{chainConfig(evaluate.MaxTreeDepth+3, fmt.Sprintf("f%d", evaluate.MaxTreeDepth+2)), strings.Replace(manyRules(evaluate.MaxTreeParts), `"c":28,"s":"Hungary"`, `"c":99`, 1)} {
		config := mustParse(t, text)
		trace := evaluate.Trace{Explain: true}
		config.Evaluate(config.Keys()[0], &evaluate.UserData{Country: "x"}, evaluate.Value{}, &trace)
		if tree := trace.Explanation(); tree.Err == nil || !tree.Cut || tree.Setting.Outcome != evaluate.OutcomeFailed {
			t.Errorf("%v, cut %v, %q", tree.Err, tree.Cut, tree.Setting.Outcome)
		}
	}
}

func countParts(s *evaluate.SettingTree) int {
	n := len(s.Rules)
	for _, r := range s.Rules {
		n += len(r.Conditions)
		for _, c := range r.Conditions {
			if c.Prerequisite != nil {
				n += 1 + countParts(c.Prerequisite)
			}
		}
	}
	return n
}

// Each evaluation has a tree of its own, which stays as it is.
func TestTreesAreKept(t *testing.T) {
	config := mustParse(t, `{"f":{"flag":`+conditions(`{"u":{"a":"Email","c":28,"s":"no"}}`)+`,"plain":{"t":0,"v":{"b":true}}}}`)
	trace := evaluate.Trace{Explain: true}
	if trace.Explanation() != nil || (*evaluate.Trace)(nil).Explanation() != nil {
		t.Error("a tree before the first evaluation")
	}
	config.Evaluate("flag", nil, evaluate.Value{}, &trace)
	first := trace.Explanation()
	copied := fmt.Sprintf("%+v %+v", first, first.Setting)
	config.Evaluate("plain", nil, evaluate.Value{}, &trace)
	if second := trace.Explanation(); second == first || second.Setting.Key != "plain" || !second.Setting.ServesDefault {
		t.Errorf("the second tree is %+v", second.Setting)
	}
	if fmt.Sprintf("%+v %+v", first, first.Setting) != copied {
		t.Error("the first tree changed")
	}
	trace.Reset()
	if trace.Explanation() != nil {
		t.Error("a tree after Reset")
	}
}
