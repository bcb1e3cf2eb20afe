package evalcase

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Attribute returns the attribute value for decoded JSON. Numbers must be decoded as
// [json.Number]. A bool is unchanged; null and {"$undefined": true} are nil.
func Attribute(decoded any) (any, error) {
	switch v := decoded.(type) {
	case json.Number:
		return float(v), nil
	case []any:
		return list(v)
	case map[string]any:
		return typed(v)
	default:
		return v, nil
	}
}

// float reads a number as JavaScript does: a number beyond the range is infinite.
func float(n json.Number) float64 {
	f, _ := n.Float64()
	return f
}

// list returns a []string if all items are strings, which is the valid form.
func list(items []any) (any, error) {
	texts := make([]string, 0, len(items))
	for i, item := range items {
		switch v := item.(type) {
		case string:
			texts = append(texts, v)
		case map[string]any, []any:
			return nil, fmt.Errorf("[%d]: a string is expected", i)
		default:
			return mixed(items)
		}
	}
	return texts, nil
}

// mixed returns a list that is not a list of strings. No comparator accepts it.
func mixed(items []any) (any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = Attribute(item); err != nil {
			return nil, fmt.Errorf("[%d]%w", i, err)
		}
	}
	return out, nil
}

var errType = errors.New(`: an object must be one of {"$date": …}, {"$num": …}, {"$int": …, "type": …}, {"$float32": …}`)

// typed reads an object that represents a value of a type that JSON does not have.
func typed(object map[string]any) (any, error) {
	for name, member := range object {
		text, isText := member.(string)
		number, isNumber := member.(json.Number)
		switch {
		case name == "$date" && isText && len(object) == 1:
			return date(text)
		case name == "$num" && isText && len(object) == 1:
			return special(text)
		case name == "$float32" && isNumber && len(object) == 1:
			f, _ := strconv.ParseFloat(number.String(), 32)
			return float32(f), nil
		case name == "$undefined" && len(object) == 1:
			return nil, nil
		case name == "$int" && isText:
			return integer(text, object)
		}
	}
	return nil, errType
}

// date reads ISO 8601. Years beyond 9999 and before 0 have a sign and six digits, as in
// ECMAScript.
func date(text string) (any, error) {
	fault := fmt.Errorf(".$date: %q is not a time like 2023-04-01T00:00:00.000Z", text)
	rest := text
	var year int
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
		if len(text) < 7 {
			return nil, fault
		}
		var err error
		if year, err = strconv.Atoi(text[:7]); err != nil {
			return nil, fault
		}
		// The calendar repeats every 400 years.
		rest = fmt.Sprintf("%04d", 2000+(year%400+400)%400) + text[7:]
	}
	t, err := time.Parse(time.RFC3339Nano, rest)
	if err != nil {
		return nil, fault
	}
	if len(rest) != len(text) {
		t = t.AddDate(year-(2000+(year%400+400)%400), 0, 0)
	}
	return t, nil
}

// special reads the floating-point numbers that have no JSON form.
func special(text string) (any, error) {
	switch text {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	case "-0":
		return math.Copysign(0, -1), nil
	}
	return nil, fmt.Errorf(".$num: %q is not one of NaN, Infinity, -Infinity, -0", text)
}

// integer reads a whole number of the named type; the default is int64.
func integer(text string, object map[string]any) (any, error) {
	kind := "int64"
	for name, member := range object {
		if name == "$int" {
			continue
		}
		given, ok := member.(string)
		if name != "type" || !ok {
			return nil, errType
		}
		kind = given
	}
	switch kind {
	case "int8":
		return signed[int8](text, 8, kind)
	case "int16":
		return signed[int16](text, 16, kind)
	case "int32":
		return signed[int32](text, 32, kind)
	case "int", "int64":
		return signed[int64](text, 64, kind)
	case "uint8":
		return unsigned[uint8](text, 8, kind)
	case "uint16":
		return unsigned[uint16](text, 16, kind)
	case "uint32":
		return unsigned[uint32](text, 32, kind)
	case "uint", "uint64":
		return unsigned[uint64](text, 64, kind)
	}
	return nil, fmt.Errorf(".type: unknown type %q", kind)
}

func signed[T int8 | int16 | int32 | int64](text string, bits int, kind string) (any, error) {
	i, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		return nil, fmt.Errorf(".$int: %q is not a valid %s", text, kind)
	}
	return T(i), nil
}

func unsigned[T uint8 | uint16 | uint32 | uint64](text string, bits int, kind string) (any, error) {
	i, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return nil, fmt.Errorf(".$int: %q is not a valid %s", text, kind)
	}
	return T(i), nil
}
