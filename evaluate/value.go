package evaluate

import (
	"math"
	"strconv"
)

// Kind is the type of a [Value], of a setting and of a default value.
type Kind uint8

// The kinds of a value. KindNone means that there is no value; a default of KindNone matches any
// type of setting.
const (
	KindNone   Kind = iota
	KindBool        // a bool
	KindString      // a string
	KindInt         // a whole number
	KindFloat       // a decimal number
)

// String returns the name of the kind's Go type.
func (k Kind) String() string {
	switch k {
	case KindBool:
		return "bool"
	case KindString:
		return "string"
	case KindInt:
		return "int"
	case KindFloat:
		return "float64"
	default:
		return "none"
	}
}

// Value is a setting's value: a bool, a string, a whole or a decimal number. The zero Value means no
// value. Values are comparable with ==, which distinguishes kinds: IntValue(1) is not
// FloatValue(1).
type Value struct {
	kind Kind
	// anyNumber marks a decimal default that also matches whole-number settings.
	anyNumber bool
	bits      uint64
	text      string
}

// BoolValue returns a Value for a bool.
func BoolValue(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.bits = 1
	}
	return v
}

// StringValue returns a Value for a string.
func StringValue(s string) Value { return Value{kind: KindString, text: s} }

// IntValue returns a Value for a whole number.
func IntValue(i int64) Value { return Value{kind: KindInt, bits: uint64(i)} }

// FloatValue returns a Value for a decimal number.
func FloatValue(f float64) Value { return Value{kind: KindFloat, bits: math.Float64bits(f)} }

// NumberValue returns a Value for a decimal number that, as a default, also matches whole-number
// settings. Their values are converted: evaluations return a [FloatValue].
func NumberValue(f float64) Value {
	return Value{kind: KindFloat, anyNumber: true, bits: math.Float64bits(f)}
}

// asReturned returns the value without anyNumber, which marks only defaults.
func (v Value) asReturned() Value {
	v.anyNumber = false
	return v
}

// Kind returns the kind of the value.
func (v Value) Kind() Kind { return v.kind }

// Bool returns the bool, or false for any other kind.
func (v Value) Bool() bool { return v.kind == KindBool && v.bits == 1 }

// Int returns the whole number, or 0 for any other kind.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		return 0
	}
	return int64(v.bits)
}

// Float returns the decimal number. It converts a whole number, and returns 0 for any other kind.
func (v Value) Float() float64 {
	switch v.kind {
	case KindFloat:
		return math.Float64frombits(v.bits)
	case KindInt:
		return float64(int64(v.bits))
	default:
		return 0
	}
}

// String returns the string. Any other kind is formatted: numbers as JavaScript prints them, no
// value as "null".
func (v Value) String() string {
	if v.kind == KindString {
		return v.text
	}
	return string(v.appendTo(nil))
}

// Any returns the value as bool, string, int or float64, or nil for no value.
func (v Value) Any() any {
	switch v.kind {
	case KindBool:
		return v.bits == 1
	case KindString:
		return v.text
	case KindInt:
		return int(v.bits)
	case KindFloat:
		return math.Float64frombits(v.bits)
	default:
		return nil
	}
}

// equals compares as prerequisite conditions do: numbers by value, whatever their kind.
func (v Value) equals(w Value) bool {
	if v.isNumber() && w.isNumber() {
		return v.Float() == w.Float()
	}
	return v == w
}

// isWhole reports whether a decimal number has no fraction and lies in the range in which float64
// represents all whole numbers.
func (v Value) isWhole() bool {
	f := v.Float()
	return f == math.Trunc(f) && math.Abs(f) <= 1<<53
}

func (v Value) isNumber() bool { return v.kind == KindInt || v.kind == KindFloat }

func (v Value) appendTo(b []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.bits == 1)
	case KindString:
		return append(b, v.text...)
	case KindInt:
		return strconv.AppendInt(b, int64(v.bits), 10)
	case KindFloat:
		return appendNumber(b, math.Float64frombits(v.bits))
	default:
		return append(b, "null"...)
	}
}
