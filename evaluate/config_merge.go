package evaluate

import (
	"fmt"
	"reflect"
	"slices"
)

// source is the origin of a config. Equal compares sources.
type source struct {
	text        string // the document
	keys        []string
	base, front *Config // a merge: front wins
}

// Equal reports whether two configs have the same content (S78): the same document, the same
// plain values, or merges of equal configs. Either config may be nil.
func (c *Config) Equal(other *Config) bool {
	if c == other {
		return true
	}
	if c == nil || other == nil {
		return false
	}
	a, b := &c.source, &other.source
	return a.text == b.text && slices.Equal(a.keys, b.keys) && samePlain(c, other) &&
		a.base.Equal(b.base) && a.front.Equal(b.front)
}

func samePlain(c, other *Config) bool {
	for _, key := range c.source.keys {
		a, b := c.settings[key], other.settings[key]
		if a.served.value != b.served.value || (a.served.err == nil) != (b.served.err == nil) {
			return false
		}
	}
	return true
}

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
	c := &Config{settings: make(map[string]*setting, len(keys)), keys: keys}
	for _, key := range keys {
		c.settings[key] = plainSetting(key, values[key])
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
	if value.kind == KindNone {
		s.served.err = modelError(unsupportedText(given))
		s.served.valueErr = s.served.err
	}
	return s
}

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

// Merge returns a config with the settings of both configs. If both have a key, front wins (S61,
// S62). Each setting keeps the salt and the segments of its own config; prerequisites are
// resolved in the merged config (S64). Either config may be nil; the result is nil if both are.
func Merge(base, front *Config) *Config {
	if base == nil || front == nil {
		if front != nil {
			return front
		}
		return base
	}
	c := &Config{
		settings: make(map[string]*setting, len(base.settings)+len(front.settings)),
		keys:     make([]string, 0, len(base.keys)+len(front.keys)),
		source:   source{base: base, front: front},
	}
	for _, from := range [...]*Config{base, front} {
		for _, key := range from.keys {
			if c.settings[key] == nil {
				c.keys = append(c.keys, key)
			}
			copied := *from.settings[key]
			c.settings[key] = &copied
		}
	}
	c.resolve()
	return c
}
