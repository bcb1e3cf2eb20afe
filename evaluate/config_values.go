package evaluate

import (
	"fmt"
	"reflect"
	"slices"
)

// FromValues returns a config of plain values, with one fixed setting per key, sorted by key (S63,
// S66). A value may be a bool, a string, any whole or decimal number or a [Value]. Whole numbers
// also match decimal defaults. Decimal numbers without a fraction, within ±2^53, also match whole
// defaults. The evaluation of a value of another type fails with [CodeInvalidModel].
func FromValues(values map[string]any) *Config {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	c := newConfig(len(keys))
	for _, key := range keys {
		c.put(plainSetting(key, values[key]))
	}
	c.source = source{keys: keys}
	c.resolve()
	return c
}

func plainSetting(key string, given any) *setting {
	s := &setting{key: key, plain: true}
	value, ok := given.(Value)
	if !ok {
		value = plainValue(given)
	}
	s.kind = value.kind
	s.served = served{value: value, boxed: value.Any()}
	s.fixed = value.kind != KindNone
	if value.kind == KindNone {
		s.served.err = modelError(unsupportedText(given))
		s.served.valueErr = s.served.err
	}
	return s
}

func plainValue(given any) Value {
	if b, ok := given.(bool); ok {
		return BoolValue(b)
	}
	v := reflect.ValueOf(given)
	for range maxIndirection {
		if v.Kind() != reflect.Pointer {
			break
		}
		v = v.Elem()
	}
	var a attribute
	switch a.setByKind(v); a.kind {
	case attributeText:
		return StringValue(a.text)
	case attributeNumber:
		return FloatValue(a.number)
	case attributeInt, attributeUint:
		if a.kind == attributeUint && a.whole < 0 {
			return FloatValue(a.number)
		}
		return IntValue(a.whole)
	default:
		return Value{}
	}
}

type unsupported struct{ text, kind string }

func unsupportedText(given any) string {
	switch v := given.(type) {
	case nil, Value:
		return "Setting value is null."
	case unsupported:
		return "Setting value '" + v.text + "' is of an unsupported type (" + v.kind + ")."
	default:
		return fmt.Sprintf("Setting value '%v' is of an unsupported type (%T).", given, given)
	}
}
