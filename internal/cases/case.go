package cases

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"

	"github.com/catbridge/catbridge/evaluate"
)

// Case is one evaluation to make.
type Case struct {
	Key     string
	Default Default
	User    any // as [evaluate.Config.Evaluate] takes it; nil: none
}

// Default holds the values that a default may stand for, the likeliest first; none: there
// is no default. JSON does not tell the whole number 5 from the decimal one, so that such
// a default goes with settings of either type. A number with a fraction or an exponent is
// a decimal one.
type Default []evaluate.Value

// ParseDefault makes the default value that decoded JSON stands for. Numbers must have
// been kept as [json.Number].
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

var errDefault = errors.New(": a bool, a text or a number is expected")

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

// ParseText makes the default value that a word of a command line stands for: whatever of
// a bool, a number and a text it can be. A text in JSON's quotes is a text only.
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

// evaluate tries the default's values until one goes with the setting.
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
