package evaluate_test

import (
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

// AllValues returns the values of single evaluations, and a failing flag does not fail the others
// (S18).
func TestAllValues(t *testing.T) {
	documents := []string{
		chainConfig(20, ""), chainConfig(20, "f5"),
		`{"f":{"bad":{"t":9},"text":{"t":1,"v":{"s":"x"}},"flag":` + conditions(`{"u":{"a":"Email","c":28,"s":"a@configcat.com"}}`) + `}}`,
	}
	for _, document := range documents {
		config := mustParse(t, document)
		for _, user := range fuzzUsers {
			trace := evaluate.Trace{Log: true}
			values, errs := config.AllValues(user, &trace)
			quiet, _ := config.AllValues(user, nil)
			failed := make(map[string]error)
			for _, err := range errs {
				failed[err.Key] = err.Err
			}
			single := evaluate.Trace{Log: true}
			for _, key := range config.Keys() {
				got := config.Evaluate(key, user, evaluate.Value{}, &single)
				if value, listed := values[key]; !listed || value != got.Any() || value != quiet[key] {
					t.Errorf("%s: %v, %v, want %v", key, value, quiet[key], got.Any())
				}
				if (got.Err == nil) != (failed[key] == nil) || got.Err != nil && got.Err.Error() != failed[key].Error() {
					t.Errorf("%s: error %v, want %v", key, failed[key], got.Err)
				}
			}
			if len(values) != len(config.Keys()) || len(trace.Events()) != len(single.Events()) {
				t.Errorf("%d values, %d events, want %d", len(values), len(trace.Events()), len(single.Events()))
			}
		}
	}
	var none *evaluate.Config
	if values, errs := none.AllValues(nil, nil); len(values) != 0 || values == nil || errs != nil {
		t.Errorf("%v, %v", values, errs)
	}
}
