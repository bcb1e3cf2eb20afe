package evaluate_test

import (
	"math"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

func TestValue(t *testing.T) {
	for _, test := range []struct {
		value evaluate.Value
		kind  evaluate.Kind
		text  string
		any   any
	}{
		{evaluate.Value{}, evaluate.KindNone, "null", nil},
		{evaluate.BoolValue(true), evaluate.KindBool, "true", true},
		{evaluate.BoolValue(false), evaluate.KindBool, "false", false},
		{evaluate.StringValue(""), evaluate.KindString, "", ""},
		{evaluate.StringValue("null"), evaluate.KindString, "null", "null"},
		{evaluate.IntValue(-5), evaluate.KindInt, "-5", -5},
		{evaluate.FloatValue(1e21), evaluate.KindFloat, "1e+21", 1e21},
		{evaluate.FloatValue(5), evaluate.KindFloat, "5", 5.0},
	} {
		if test.value.Kind() != test.kind || test.value.String() != test.text || test.value.Any() != test.any {
			t.Errorf("%v %q %v, want %v %q %v", test.value.Kind(), test.value, test.value.Any(), test.kind, test.text, test.any)
		}
	}
	if evaluate.IntValue(1) == evaluate.FloatValue(1) || evaluate.StringValue("") == (evaluate.Value{}) {
		t.Error("values of two kinds are equal")
	}
	if a, b := evaluate.FloatValue(math.NaN()), evaluate.FloatValue(math.NaN()); a != b {
		t.Error("a value differs from itself")
	}
	if v := evaluate.IntValue(7); v.Float() != 7 || v.Bool() || evaluate.FloatValue(7).Int() != 0 {
		t.Error("conversions")
	}
}

func TestResultAny(t *testing.T) {
	config := mustParse(t, `{"f":{"text":{"t":1,"v":{"s":"long enough"}},"int":{"t":2,"v":{"i":123456}}}}`)
	for key, want := range map[string]any{"text": "long enough", "int": 123456} {
		result := config.Evaluate(key, nil, evaluate.Value{}, nil)
		if got := result.Any(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		checkAllocs(t, key, 0, func() { _ = result.Any() })
	}
	failed := config.Evaluate("text", nil, evaluate.IntValue(5), nil)
	if got := failed.Any(); got != 5 {
		t.Errorf("%v", got)
	}
	// A plain whole number with a decimal default.
	plain := evaluate.FromValues(map[string]any{"n": 5})
	decimal := plain.Evaluate("n", nil, evaluate.FloatValue(0), nil)
	if got := decimal.Any(); got != 5.0 {
		t.Errorf("%T %v", got, got)
	}
}
