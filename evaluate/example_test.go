package evaluate_test

import (
	"fmt"

	"github.com/catbridge/catbridge/evaluate"
)

func Example() {
	config, err := evaluate.Parse([]byte(`{"f": {"newCheckout": {"t": 0, "v": {"b": false}, "i": "off", "r": [
		{"c": [{"u": {"a": "Email", "c": 32, "l": ["@example.com"]}}], "s": {"v": {"b": true}, "i": "on"}}]}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	user := &evaluate.UserData{Identifier: "42", Email: "jane@example.com"}
	trace := evaluate.Trace{Log: true}
	result := config.Evaluate("newCheckout", user, evaluate.BoolValue(false), &trace)
	fmt.Println(result.Value.Bool(), result.VariationID, result.RuleIndex)
	for _, event := range trace.Events() {
		fmt.Println(event.Message)
	}
	// Output:
	// true on 0
	// Evaluating 'newCheckout' for User '{"Identifier":"42","Email":"jane@example.com"}'
	//   Evaluating targeting rules and applying the first match if any:
	//   - IF User.Email ENDS WITH ANY OF ['@example.com'] THEN 'true' => MATCH, applying rule
	//   Returning 'true'.
}
