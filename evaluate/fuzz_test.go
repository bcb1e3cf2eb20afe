package evaluate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// seedConfigs adds the configs of the conformance data, if it is present, and of the tests of
// broken flags.
func seedConfigs(f *testing.F) {
	for _, document := range []string{
		`{"f":{}}`, `{"p":{"s":"x"},"s":[],"f":{"a":{"t":0,"v":{"b":true}}}}`, `{"flags":{"a":1,"b":"x","c":null,"d":[1]}}`,
		"{\"f\":{\"\\u00e9\xff\":{\"t\":1,\"v\":{\"s\":\"\\ud800\"}}}}", chainConfig(3, "f1"), comparisonFlag(22, `"l":["3_x","_"]`),
	} {
		f.Add([]byte(document))
	}
	for _, broken := range brokenFlags {
		f.Add([]byte(`{"p":{"s":"salt"},"s":[{"n":"ok","r":[]},null],"f":{"good":{"t":0,"v":{"b":true}},"flag":` + broken.flag + `}}`))
	}
	dir := os.Getenv("CATBRIDGE_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "conformance")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.config.json"))
	more, _ := filepath.Glob(filepath.Join(dir, "configs", "*.json"))
	for _, file := range append(files, more...) {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data)
		}
	}
}

var fuzzUsers = []any{
	nil,
	&evaluate.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary", Custom: map[string]any{
		"Custom1": "1.2.3", "A": 5.5, "B": []string{"x", "y"}, "C": time.UnixMilli(1680307199999)}},
	map[string]any{"Identifier": "", "Email": "", "A": "[\"x\"]", "Custom1": 42},
}

// For any document, nothing panics, a trace does not change the result, the tree is the log, a failure
// returns the default, and only listed flags fail because of the config.
func FuzzParse(f *testing.F) {
	seedConfigs(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := evaluate.Parse(data)
		if err != nil {
			if config != nil || err.Error() == "" {
				t.Fatalf("%v with %v", config, err)
			}
			return
		}
		if !json.Valid(data) {
			t.Fatal("accepted invalid JSON")
		}
		checkConfig(t, config)
		checkConfig(t, evaluate.Merge(config, evaluate.FromValues(map[string]any{"flag": 1, "f1": true})))
		if again, err := evaluate.Parse(data); err != nil || !config.Equal(again) {
			t.Fatalf("another reading differs: %v", err)
		}
	})
}

func checkConfig(t *testing.T, config *evaluate.Config) {
	broken := make(map[string]bool)
	for _, flag := range config.BrokenFlags() {
		broken[flag.Key] = true
		if flag.Err == nil || flag.Err.Error() == "" {
			t.Fatalf("%q is broken without a reason", flag.Key)
		}
	}
	for _, key := range config.Keys() {
		for _, user := range fuzzUsers {
			for _, def := range []evaluate.Value{{}, evaluate.BoolValue(true), evaluate.FloatValue(1)} {
				checkResult(t, config, key, user, def, broken[key])
			}
		}
	}
}

func checkResult(t *testing.T, config *evaluate.Config, key string, user any, def evaluate.Value, broken bool) {
	got := config.Evaluate(key, user, def, nil)
	trace := evaluate.Trace{Log: true}
	traced := config.Evaluate(key, user, def, &trace)
	if (got.Err == nil) != (traced.Err == nil) || got.Err != nil && got.Err.Error() != traced.Err.Error() {
		t.Fatalf("%q: error %v without, %v with a trace", key, got.Err, traced.Err)
	}
	value, valueErr := config.EvaluateValue(key, user, def, nil)
	if value != got.Value || (valueErr == nil) != (got.Err == nil) || valueErr != nil && valueErr.Error() != got.Err.Error() {
		t.Fatalf("%q: value alone %v, %v; result %+v", key, value, valueErr, got)
	}
	err := got.Err
	got.Err, traced.Err = nil, nil
	if got != traced {
		t.Fatalf("%q: %+v without, %+v with a trace", key, got, traced)
	}
	if events := trace.Events(); len(events) == 0 || events[len(events)-1].ID != evaluate.EventEvaluated {
		t.Fatalf("%q: no evaluation log", key)
	}
	if got.IsDefault != (err != nil) || got.IsDefault != (got.Code != evaluate.CodeNone) || got.IsDefault && got.Value != def {
		t.Fatalf("%q: %+v, error %v", key, got, err)
	}
	if got.Code == evaluate.CodeInvalidModel && !broken {
		t.Fatalf("%q fails with %v and is not listed as broken", key, err)
	}
	checkExplanation(t, config, key, user, def)
	if got.TargetingRule != nil {
		for i := range got.TargetingRule.Conditions() {
			_ = got.TargetingRule.Conditions()[i].String()
		}
	}
}

// negations are the positive comparators of pairs; the negative one has the next number.
var negations = []int{0, 2, 4, 16, 20, 22, 24, 26, 28, 30, 32, 34, 10}

// Any attribute with any comparator and comparison value: if both comparators of a pair can be
// evaluated, one is the negation of the other.
func FuzzEvaluate(f *testing.F) {
	f.Add("text", 0, "text", 1.0, uint8(0))
	f.Add(" 1,5 ", 12, "other", 1.5, uint8(0))
	f.Add("1.0.0-rc.1", 4, "1.0.0", 0.0, uint8(1))
	f.Add(`["a","\ud83d\ude00"]`, 7, "a", 0.0, uint8(0))
	f.Add("\xffé\u2028", 5, "1_"+evaluate.SaltedHashHex("\xff", "saltflag"), 1e300, uint8(2))
	f.Fuzz(func(t *testing.T, attribute string, pair int, comparison string, number float64, kind uint8) {
		id := negations[uint(pair)%uint(len(negations))]
		item, err := json.Marshal(comparison)
		if err != nil {
			t.Fatal(err)
		}
		operand, err := json.Marshal(map[string]any{"number": number})
		if err != nil {
			return // not a JSON number
		}
		var members struct{ Number json.RawMessage }
		_ = json.Unmarshal(operand, &members)
		condition := `"s":` + string(item) + `,"l":[` + string(item) + `],"d":` + string(members.Number)
		var value any = attribute
		switch kind % 4 {
		case 1:
			value = number
		case 2:
			value = []string{attribute, comparison}
		case 3:
			value = time.UnixMilli(int64(len(attribute)) * 1000)
		}
		positive := mustParse(t, comparisonFlag(id, condition))
		negative := mustParse(t, comparisonFlag(id+1, condition))
		user := map[string]any{"A": value, "Identifier": attribute}
		var trace evaluate.Trace
		yes := positive.Evaluate("flag", user, evaluate.Value{}, &trace)
		no := negative.Evaluate("flag", user, evaluate.Value{}, nil)
		if (yes.Err == nil) != (no.Err == nil) {
			t.Fatalf("comparator %d: %v, negated %v", id, yes.Err, no.Err)
		}
		// An invalid item fails the condition; an empty one is ignored (S38).
		skipped := yes.Err != nil || id == 4 && comparison != "" && evaluate.ParseVersion(comparison) == nil
		for _, event := range trace.Events() {
			skipped = skipped || event.ID != evaluate.EventAttributeConverted
		}
		if !skipped && yes.Value.Bool() == no.Value.Bool() {
			t.Fatalf("comparator %d and its negation are both %v for %#v and %s", id, yes.Value, value, condition)
		}
		if skipped && yes.Err == nil && (yes.Value.Bool() || no.Value.Bool()) {
			t.Fatalf("comparator %d matches what cannot be evaluated: %#v and %s", id, value, condition)
		}
	})
}

// Override files, full and simple.
func FuzzOverrides(f *testing.F) {
	seedConfigs(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := evaluate.ParseOverrides(data)
		if err != nil {
			return
		}
		checkConfig(t, config)
		checkConfig(t, evaluate.Merge(evaluate.FromValues(map[string]any{"a": "x"}), config))
	})
}
