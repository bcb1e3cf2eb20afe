package control

import (
	"fmt"
	"strconv"

	"github.com/catbridge/catbridge/evaluate"
)

// ParseValue returns the value that a text means for a flag of a config: the text itself for a
// string, true or false for a bool, and a number otherwise. Errors say what is expected, for
// operators.
func ParseValue(config *evaluate.Config, flag, text string) (evaluate.Value, error) {
	kind := config.KindOf(flag)
	switch kind {
	case evaluate.KindBool:
		switch text {
		case "true":
			return evaluate.BoolValue(true), nil
		case "false":
			return evaluate.BoolValue(false), nil
		}
		return evaluate.Value{}, fmt.Errorf("the flag %q is true or false, not %.40q", flag, text)
	case evaluate.KindString:
		return evaluate.StringValue(text), nil
	case evaluate.KindInt:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= -maxInteger && n <= maxInteger {
			return evaluate.IntValue(n), nil
		}
		return evaluate.Value{}, fmt.Errorf("the flag %q is a whole number within ±(2^53 - 1), not %.40q", flag, text)
	case evaluate.KindFloat:
		if n, err := strconv.ParseFloat(text, 64); err == nil && n-n == 0 {
			return evaluate.FloatValue(n), nil
		}
		return evaluate.Value{}, fmt.Errorf("the flag %q is a decimal number, not %.40q", flag, text)
	}
	return evaluate.Value{}, fmt.Errorf("the config has no flag %q with a valid type", flag)
}
