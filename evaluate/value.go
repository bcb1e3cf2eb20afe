package evaluate

import (
	"math"
	"strconv"
)

// Kind is the type of a [Value], of a setting and of a default value.
type Kind uint8

// The kinds of a value. KindNone is no value: as a default it means that any
// type of setting will do.
const (
	KindNone Kind = iota
	KindBool
	KindString
	KindInt
	KindFloat
)

// String gives the kind's Go name.
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

// Value is one setting value: a bool, a text, a whole or a decimal number. The
// zero Value holds nothing. Values are comparable with ==, which tells kinds
// apart: IntValue(1) is not FloatValue(1).
type Value struct {
	kind Kind
	// anyNumber marks a decimal default that goes with whole-number settings, too.
	anyNumber bool
	bits      uint64
	text      string
}

// BoolValue wraps a bool.
func BoolValue(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.bits = 1
	}
	return v
}

// StringValue wraps a text.
func StringValue(s string) Value { return Value{kind: KindString, text: s} }

// IntValue wraps a whole number.
func IntValue(i int64) Value { return Value{kind: KindInt, bits: uint64(i)} }

// FloatValue wraps a decimal number.
func FloatValue(f float64) Value { return Value{kind: KindFloat, bits: math.Float64bits(f)} }

// NumberValue wraps a decimal number that, as a default, goes with whole-number settings,
// too: their values are converted. Values that are returned are those of [FloatValue].
func NumberValue(f float64) Value {
	return Value{kind: KindFloat, anyNumber: true, bits: math.Float64bits(f)}
}

// asReturned is a default as it is returned.
func (v Value) asReturned() Value {
	v.anyNumber = false
	return v
}

// Kind tells what the value holds.
func (v Value) Kind() Kind { return v.kind }

// Bool is the bool held, false for any other kind.
func (v Value) Bool() bool { return v.kind == KindBool && v.bits == 1 }

// Int is the whole number held, 0 for any other kind.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		return 0
	}
	return int64(v.bits)
}

// Float is the decimal number held; a whole number is converted, any other
// kind gives 0.
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

// String is the text held; for any other kind the printed form, numbers as
// JavaScript prints them, no value as "null".
func (v Value) String() string {
	if v.kind == KindString {
		return v.text
	}
	return string(v.appendTo(nil))
}

// Any is the value as bool, string, int or float64; nil for no value.
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

// equals compares as prerequisite conditions do: two numbers by value.
func (v Value) equals(w Value) bool {
	if v.isNumber() && w.isNumber() {
		return v.Float() == w.Float()
	}
	return v == w
}

// isWhole reports whether a decimal number is a whole one, and so small that each whole
// number around it is a decimal one, too.
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
