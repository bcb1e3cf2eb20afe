package evalcase

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"

	"github.com/catbridge/catbridge/evaluate"
)

// Case is one evaluation.
type Case struct {
	Key     string
	Default Default
	User    any // an argument of [evaluate.Config.Evaluate]; nil: none
}

// Default contains the possible values of a default, the likeliest first. If it is empty, there
// is no default. JSON does not distinguish the whole number 5 from the decimal one, so 5 matches
// settings of either type. A number with a fraction or an exponent is a decimal number.
type Default []evaluate.Value

// ParseDefault returns the default value for decoded JSON. Numbers must be decoded as
// [json.Number].
func ParseDefault(decoded any) (Default, error) {
	switch v := decoded.(type) {
	case nil:
		return nil, nil
	case bool:
		return Default{evaluate.BoolValue(v)}, nil
	case string:
		return Default{evaluate.StringValue(v)}, nil
	case json.Number:
		return numberDefault(v), nil
	case map[string]any:
		return typedDefault(v)
	default:
		return nil, errDefault
	}
}

var errDefault = errors.New(": a bool, a string or a number is expected")

func numberDefault(n json.Number) Default {
	decimal := evaluate.FloatValue(float(n))
	if strings.ContainsAny(n.String(), ".eE") {
		return Default{decimal}
	}
	whole, err := n.Int64()
	if err != nil {
		return Default{decimal}
	}
	return Default{evaluate.IntValue(whole), decimal}
}

func typedDefault(object map[string]any) (Default, error) {
	value, err := typed(object)
	if err != nil {
		return nil, err
	}
	switch v := reflect.ValueOf(value); {
	case value == nil:
		return nil, nil
	case v.CanFloat():
		return Default{evaluate.FloatValue(v.Float())}, nil
	case v.CanInt():
		return Default{evaluate.IntValue(v.Int())}, nil
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return Default{evaluate.IntValue(int64(v.Uint()))}, nil
	}
	return nil, errDefault
}

// ParseText returns the default value for a command-line argument: each of a bool, a number and a
// string that it can be. A string in JSON quotes is only a string.
func ParseText(word string) Default {
	var d Default
	decoded, err := decode([]byte(word))
	if err == nil {
		switch decoded.(type) {
		case bool, json.Number:
			d, _ = ParseDefault(decoded)
		case string:
			d, _ = ParseDefault(decoded)
			return d
		}
	}
	return append(d, evaluate.StringValue(word))
}

// evaluate tries the default's values until one matches the setting.
func (c *Case) evaluate(config *evaluate.Config, trace *evaluate.Trace) evaluate.Result {
	defaults := c.Default
	if len(defaults) == 0 {
		defaults = noDefault
	}
	for _, def := range defaults {
		result := config.Evaluate(c.Key, c.User, def, trace)
		if result.Code != evaluate.CodeTypeMismatch {
			return result
		}
		if trace != nil {
			trace.Reset()
		}
	}
	return config.Evaluate(c.Key, c.User, defaults[0], trace)
}

var noDefault = Default{{}}
