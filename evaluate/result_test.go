package evaluate_test

import (
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

// A result may be used again: nothing of the previous evaluation remains.
func TestEvaluateToReplacesTheWholeResult(t *testing.T) {
	config := mustParse(t, `{"f":{
		"rule":{"t":0,"r":[{"c":[{"u":{"a":"Email","c":28,"s":"x"}}],"s":{"v":{"b":true},"i":"yes"}}],"v":{"b":false}},
		"option":{"t":0,"p":[{"p":100,"v":{"b":true},"i":"all"}],"v":{"b":false}},
		"fixed":{"t":0,"v":{"b":true},"i":"own"},
		"broken":{"t":9,"v":{"b":true}}}}`)
	user := &evaluate.UserData{Identifier: "1", Email: "x"}
	fresh := map[string]evaluate.Result{}
	for _, key := range config.Keys() {
		fresh[key] = config.Evaluate(key, user, evaluate.BoolValue(false), nil)
	}
	for _, before := range config.Keys() {
		for _, key := range config.Keys() {
			result := fresh[before]
			config.EvaluateTo(&result, key, user, evaluate.BoolValue(false), nil)
			if result != fresh[key] {
				t.Errorf("%s after %s: %+v, want %+v", key, before, result, fresh[key])
			}
		}
	}
}

func TestErrorsMadeByCallersDoNotPanic(t *testing.T) {
	for _, code := range []evaluate.ErrorCode{-1, 0, 1, 2, 1000, 1001} {
		err := &evaluate.Error{Code: code}
		_, _, _ = err.Error(), err.Unwrap(), err.Event("GetBoolValue", "key", evaluate.Value{})
	}
}
