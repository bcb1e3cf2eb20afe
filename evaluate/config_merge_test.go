package evaluate_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// S78: configs are compared by content.
func TestEqualIsByContent(t *testing.T) {
	one, other := `{"f":{"a":{"t":0,"v":{"b":true}}}}`, `{"f":{"a":{"t":0,"v":{"b":false}}}}`
	a, same, b := mustParse(t, one), mustParse(t, one), mustParse(t, other)
	plain := func(v any) *evaluate.Config { return evaluate.FromValues(map[string]any{"a": v}) }
	for _, test := range []struct {
		name string
		x, y *evaluate.Config
		want bool
	}{
		{"same document", a, same, true},
		{"other document", a, b, false},
		{"nil", nil, nil, true},
		{"nil and a config", nil, a, false},
		{"same values", plain(1), plain(1), true},
		{"other value", plain(1), plain(2), false},
		{"other kind", plain(1), plain(1.0), false},
		{"plain and document", plain(true), a, false},
		{"same merge", evaluate.Merge(a, plain(1)), evaluate.Merge(same, plain(1)), true},
		{"other merge", evaluate.Merge(a, plain(1)), evaluate.Merge(b, plain(1)), false},
		{"merge the other way", evaluate.Merge(a, plain(1)), evaluate.Merge(plain(1), a), false},
		{"merge with nothing", evaluate.Merge(a, nil), same, true},
	} {
		if test.x.Equal(test.y) != test.want || test.y.Equal(test.x) != test.want {
			t.Errorf("%s: not %v", test.name, test.want)
		}
	}
}

// Each flag keeps the salt and the segments of its own config (S64).
func TestMergeKeepsSaltAndSegments(t *testing.T) {
	config := func(key, salt, segmentText string) *evaluate.Config {
		return mustParse(t, `{"p":{"s":"`+salt+`"},"s":[{"n":"seg","r":[{"a":"Email","c":20,"s":"`+evaluate.SaltedHashHex(segmentText, salt+"seg")+`"}]}],
			"f":{"`+key+`":`+conditions(`{"s":{"s":0,"c":1}}`)+`}}`)
	}
	merged := evaluate.Merge(config("a", "salt1", "x"), config("b", "salt2", "y"))
	for key, email := range map[string]string{"a": "x", "b": "y"} {
		for _, candidate := range []string{"x", "y"} {
			got := merged.Evaluate(key, &evaluate.UserData{Email: candidate}, evaluate.Value{}, nil)
			if got.Err != nil || got.Value.Bool() != (candidate == email) {
				t.Errorf("%s for %s: %v, %v", key, candidate, got.Value, got.Err)
			}
		}
	}
	if keys := strings.Join(merged.Keys(), " "); keys != "a b" {
		t.Error(keys)
	}
}

// Merging does not change the merged configs: they keep their own prerequisites.
func TestMergeDoesNotChangeItsInputs(t *testing.T) {
	base := mustParse(t, chainConfig(1, ""))
	front := evaluate.FromValues(map[string]any{"f1": false})
	merged := evaluate.Merge(base, front)
	if got := merged.Evaluate("f0", nil, evaluate.Value{}, nil); got.Err != nil || got.Value.Bool() {
		t.Errorf("merged: %v, %v", got.Value, got.Err)
	}
	if got := base.Evaluate("f0", nil, evaluate.Value{}, nil); got.Err != nil || !got.Value.Bool() {
		t.Errorf("base: %v, %v", got.Value, got.Err)
	}
	broken := evaluate.Merge(base, evaluate.FromValues(map[string]any{"f1": "text"}))
	if len(broken.BrokenFlags()) != 1 || len(base.BrokenFlags()) != 0 {
		t.Errorf("broken: %v, base: %v", broken.BrokenFlags(), base.BrokenFlags())
	}
}

func TestParseOverrides(t *testing.T) {
	config, err := evaluate.ParseOverrides([]byte(`{"other":[1,{"x":"]"}],"flags":{"b":true,"s":"text","i":5,"w":5.0,"d":5.5,"n":null,"l":[1, 2],"b":false}}`))
	if err != nil {
		t.Fatal(err)
	}
	if keys := strings.Join(config.Keys(), " "); keys != "b s i w d n l" {
		t.Errorf("keys %s", keys)
	}
	for _, test := range []struct {
		key       string
		def, want evaluate.Value
		err       string
	}{
		{"b", evaluate.Value{}, evaluate.BoolValue(false), ""},
		{"s", evaluate.Value{}, evaluate.StringValue("text"), ""},
		{"i", evaluate.IntValue(0), evaluate.IntValue(5), ""},
		{"i", evaluate.FloatValue(0), evaluate.FloatValue(5), ""},
		{"w", evaluate.IntValue(0), evaluate.IntValue(5), ""},
		{"d", evaluate.FloatValue(0), evaluate.FloatValue(5.5), ""},
		{"d", evaluate.IntValue(1), evaluate.IntValue(1), "Setting's type was Double but the default value's type was int"},
		{"n", evaluate.IntValue(1), evaluate.IntValue(1), "Setting value is null."},
		{"l", evaluate.Value{}, evaluate.Value{}, "Setting value '[1, 2]' is of an unsupported type (array)."},
	} {
		got := config.Evaluate(test.key, nil, test.def, nil)
		if got.Value != test.want || (got.Err == nil) != (test.err == "") || got.Err != nil && !strings.Contains(got.Err.Error(), test.err) {
			t.Errorf("%s: %v, %v", test.key, got.Value, got.Err)
		}
	}
	for _, document := range []string{``, `[]`, `{}`, `{"flags":[]}`, `{"flags":null}`, `{"f":1}`} {
		if _, err := evaluate.ParseOverrides([]byte(document)); err == nil {
			t.Errorf("%s is accepted", document)
		}
	}
}

// S66: any whole number matches a decimal default, and a decimal number without a fraction within
// ±2^53 matches a whole default. The same is true for a file of plain values (S63).
func TestPlainNumbersMatchBothKindsOfDefaults_S63_S66(t *testing.T) {
	const most = 1 << 53
	type named uint8
	for _, test := range []struct {
		value any
		whole any // nil: a type mismatch
		float float64
	}{
		{3, 3, 3}, {int8(-3), -3, -3}, {uint64(7), 7, 7}, {uintptr(7), 7, 7}, {named(7), 7, 7}, {time.Duration(5), 5, 5},
		{3.0, 3, 3}, {float32(-3), -3, -3}, {math.Copysign(0, -1), 0, math.Copysign(0, -1)}, {float64(most), most, most}, {-float64(most), -most, -most},
		{3.5, nil, 3.5}, {float64(most + 2), nil, most + 2}, {-float64(most + 2), nil, -most - 2}, {1e300, nil, 1e300},
		{math.Inf(1), nil, math.Inf(1)}, {uint64(1 << 63), nil, 1 << 63},
	} {
		configs := map[string]*evaluate.Config{"map": evaluate.FromValues(map[string]any{"n": test.value})}
		if text, err := json.Marshal(map[string]any{"flags": map[string]any{"n": test.value}}); err == nil {
			if configs["file"], err = evaluate.ParseOverrides(text); err != nil {
				t.Fatal(err)
			}
		}
		for from, config := range configs {
			whole := config.Evaluate("n", nil, evaluate.IntValue(-1), nil)
			if test.whole == nil && whole.Code != evaluate.CodeTypeMismatch || test.whole != nil && whole.Any() != test.whole {
				t.Errorf("%s: %v as a whole number: %v, %v", from, test.value, whole.Value, whole.Err)
			}
			if float := config.Evaluate("n", nil, evaluate.FloatValue(-1), nil); float.Any() != test.float {
				t.Errorf("%s: %v as a decimal number: %v, %v", from, test.value, float.Value, float.Err)
			}
		}
	}
	config, err := evaluate.ParseOverrides([]byte(`{"flags":{"n":3.0,"e":2e3}}`))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"n": 3, "e": 2000} {
		if got := config.Evaluate(key, nil, evaluate.IntValue(-1), nil); got.Any() != want {
			t.Errorf("%s: %v, %v", key, got.Value, got.Err)
		}
	}
}

// A NumberValue matches whole and decimal settings, and no others.
func TestNumberValueMatchesWholeAndDecimalSettings(t *testing.T) {
	config := mustParse(t, `{"f":{"whole":{"t":2,"v":{"i":7}},"decimal":{"t":3,"v":{"d":0.5}},"text":{"t":1,"v":{"s":"x"}}}}`)
	for key, want := range map[string]evaluate.Value{"whole": evaluate.FloatValue(7), "decimal": evaluate.FloatValue(0.5), "text": evaluate.FloatValue(2)} {
		got := config.Evaluate(key, nil, evaluate.NumberValue(2), nil)
		value, _ := config.EvaluateValue(key, nil, evaluate.NumberValue(2), nil)
		if got.Value != want || value != want || (got.Code == evaluate.CodeTypeMismatch) != (key == "text") || got.Static == (key == "text") {
			t.Errorf("%s: %+v, %v", key, got, value)
		}
	}
	if got := config.Evaluate("whole", nil, evaluate.FloatValue(2), nil); got.Code != evaluate.CodeTypeMismatch {
		t.Errorf("%+v", got)
	}
}

func TestJSONReturnsACopyOfTheDocument(t *testing.T) {
	const document = `{ "f": {"a":{"t":0,"v":{"b":true}}} }`
	config := mustParse(t, document)
	clear(config.JSON())
	if got := string(config.JSON()); got != document {
		t.Error(got)
	}
	plain := evaluate.FromValues(map[string]any{"a": 1})
	for _, config := range []*evaluate.Config{nil, plain, evaluate.Merge(config, plain)} {
		if got := config.JSON(); got != nil {
			t.Errorf("%s", got)
		}
	}
}
