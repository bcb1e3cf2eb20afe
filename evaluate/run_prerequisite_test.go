package evaluate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

// chainConfig returns flags f0 … fn, each true if the next one is. The last one depends on back,
// unless back is empty.
func chainConfig(length int, back string) string {
	var b strings.Builder
	b.WriteString(`{"f":{`)
	for i := range length {
		fmt.Fprintf(&b, `"f%d":{"t":0,"r":[{"c":[{"p":{"f":"f%d","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}},`, i, i+1)
	}
	if back == "" {
		fmt.Fprintf(&b, `"f%d":{"t":0,"v":{"b":true}}}}`, length)
	} else {
		fmt.Fprintf(&b, `"f%d":{"t":0,"r":[{"c":[{"p":{"f":"%s","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`, length, back)
	}
	return b.String()
}

func TestPrerequisiteChains(t *testing.T) {
	for _, length := range []int{1, 15, 16, 17, 18, 100, evaluate.MaxPrerequisiteDepth} {
		config := mustParse(t, chainConfig(length, ""))
		if got := config.Evaluate("f0", nil, evaluate.BoolValue(false), nil); got.Err != nil || !got.Value.Bool() {
			t.Errorf("chain of %d: %v, %v", length, got.Value, got.Err)
		}
		if broken := config.BrokenFlags(); len(broken) > 0 {
			t.Errorf("chain of %d: broken %v", length, broken[0])
		}
	}
}

func TestTooLongChainFailsWithoutOverflow(t *testing.T) {
	config := mustParse(t, chainConfig(evaluate.MaxPrerequisiteDepth*5, ""))
	got := config.Evaluate("f0", nil, evaluate.BoolValue(false), nil)
	if got.Code != evaluate.CodeInvalidModel || got.Err.Error() != "Prerequisite flags are nested too deeply." {
		t.Errorf("%v, %v", got.Code, got.Err)
	}
	if near := config.Evaluate(fmt.Sprintf("f%d", evaluate.MaxPrerequisiteDepth*4+1), nil, evaluate.BoolValue(false), nil); near.Err != nil {
		t.Errorf("a flag nearer to the end: %v", near.Err)
	}
}

// S74: a cycle of any length is an error.
func TestLongCycle(t *testing.T) {
	config := mustParse(t, chainConfig(3000, "f1"))
	got := config.Evaluate("f0", nil, evaluate.BoolValue(false), nil)
	if got.Code != evaluate.CodeInvalidModel || !strings.HasSuffix(got.Err.Error(), "-> 'f2999' -> 'f3000' -> 'f1'.") ||
		!strings.Contains(got.Err.Error(), ": 'f0' -> 'f1' -> 'f2' ->") {
		t.Errorf("%v, %.200v", got.Code, got.Err)
	}
	if broken := config.BrokenFlags(); len(broken) != 3001 {
		t.Errorf("%d broken flags", len(broken))
	}
	// The next evaluation does not depend on the previous one.
	if again := config.Evaluate("f1", nil, evaluate.BoolValue(false), nil); !strings.HasSuffix(again.Err.Error(), "-> 'f1'.") {
		t.Errorf("%.200v", again.Err)
	}
}

// If each flag uses the next one twice, an evaluation would evaluate 2^40 flags.
func TestPrerequisitesEvaluatedTooOften(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"f":{`)
	for i := range 40 {
		ask := fmt.Sprintf(`{"p":{"f":"f%d","c":0,"v":{"b":true}}}`, i+1)
		fmt.Fprintf(&b, `"f%d":{"t":0,"r":[{"c":[%s,%s],"s":{"v":{"b":true}}}],"v":{"b":false}},`, i, ask, ask)
	}
	b.WriteString(`"f40":{"t":0,"v":{"b":true}}}}`)
	config := mustParse(t, b.String())
	if got := config.Evaluate("f0", nil, evaluate.BoolValue(false), nil); got.Code != evaluate.CodeInvalidModel {
		t.Errorf("%v, %v", got.Value, got.Err)
	}
	if got := config.Evaluate("f30", nil, evaluate.BoolValue(false), nil); got.Err != nil || !got.Value.Bool() {
		t.Errorf("%v, %v", got.Value, got.Err)
	}
}

// A prerequisite may be used more than once without being a cycle.
func TestDiamondIsNotACycle(t *testing.T) {
	ask := func(key string) string { return `{"p":{"f":"` + key + `","c":0,"v":{"b":true}}}` }
	flag := func(list ...string) string {
		return `{"t":0,"r":[{"c":[` + strings.Join(list, ",") + `],"s":{"v":{"b":true}}}],"v":{"b":false}}`
	}
	config := mustParse(t, `{"f":{"top":`+flag(ask("left"), ask("right"))+`,"left":`+flag(ask("end"))+`,"right":`+flag(ask("end"))+
		`,"end":{"t":0,"v":{"b":true}}}}`)
	if got := config.Evaluate("top", nil, evaluate.BoolValue(false), nil); got.Err != nil || !got.Value.Bool() {
		t.Errorf("%v, %v", got.Value, got.Err)
	}
	if len(config.BrokenFlags()) > 0 {
		t.Error(config.BrokenFlags())
	}
}
