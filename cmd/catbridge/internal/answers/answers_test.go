package answers

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
)

func TestDiffListsTheChangedFlags(t *testing.T) {
	parse := func(json string) *evaluate.Config {
		config, err := evaluate.Parse([]byte(json))
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
	before := Of(parse(`{"f":{
		"same":{"t":0,"v":{"b":true}}, "text":{"t":1,"v":{"s":"a\nb"}}, "int":{"t":2,"v":{"i":1}},
		"float":{"t":3,"v":{"d":1e300}}, "gone":{"t":0,"v":{"b":true}}, "breaks":{"t":0,"v":{"b":true}}}}`), nil)
	config := parse(`{"f":{
		"new":{"t":0,"v":{"b":true}}, "breaks":{"t":0,"v":{"s":"x"}}, "float":{"t":3,"v":{"d":0.1}},
		"same":{"t":0,"v":{"b":true}}, "text":{"t":1,"v":{"s":""}}, "int":{"t":2,"v":{"i":-1}}}}`)
	var have []string
	for _, c := range Diff(before, Of(config, nil), config.Keys()) {
		have = append(have, c.String())
	}
	want := []string{
		"new: new, true", "breaks: true → (fails)", "float: 1e+300 → 0.1",
		`text: "a\nb" → ""`, "int: 1 → -1", "gone: true → removed",
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
}

func TestEqualSetsHaveNoChanges(t *testing.T) {
	set := Set{"a": true, "b": nil, "c": "x", "d": 1, "e": 1.0}
	if changes := Diff(set, set, []string{"a", "b", "c", "d", "e", "not there"}); len(changes) > 0 {
		t.Error(changes)
	}
}
