package evaluate

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unsafe"
)

// attribute is the value of a user attribute, sorted by what comparators can do
// with it.
type attribute struct {
	kind   attributeKind
	text   string
	number float64
	whole  int64 // all digits of a whole number, uint64 as its bits; Unix milliseconds of a time
	list   []string
	other  any // also a list of texts that was given as []any
}

type attributeKind uint8

const (
	attributeMissing attributeKind = iota
	attributeText
	attributeNumber
	attributeInt
	attributeUint
	attributeTime
	attributeList
	attributeItems
	attributeOther
)

func attributeOf(v any) attribute {
	switch v := v.(type) {
	case nil:
		return attribute{}
	case string:
		return attribute{kind: attributeText, text: v}
	case float64:
		return numberAttribute(v)
	case int:
		return intAttribute(int64(v))
	case int64:
		return intAttribute(v)
	case time.Time:
		return timeAttribute(v)
	case []string:
		return attribute{kind: attributeList, list: v}
	case []byte:
		// The text is not kept beyond the evaluation.
		return attribute{kind: attributeText, text: unsafe.String(unsafe.SliceData(v), len(v))}
	case []any:
		return itemsAttribute(v)
	default:
		return attributeOfReflected(reflect.ValueOf(v))
	}
}

func numberAttribute(f float64) attribute { return attribute{kind: attributeNumber, number: f} }

func intAttribute(i int64) attribute {
	return attribute{kind: attributeInt, number: float64(i), whole: i}
}

// timeAttribute keeps milliseconds, the resolution that the official SDKs share.
func timeAttribute(t time.Time) attribute {
	ms := t.UnixMilli()
	return attribute{kind: attributeTime, number: float64(ms) / 1000, whole: ms}
}

func itemsAttribute(items []any) attribute {
	for _, item := range items {
		if _, ok := item.(string); !ok {
			return attribute{kind: attributeOther, other: items}
		}
	}
	return attribute{kind: attributeItems, other: items}
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[[]byte]()
	textsType = reflect.TypeFor[[]string]()
	itemsType = reflect.TypeFor[[]any]()
)

// attributeOfReflected takes values of named types and of struct fields.
func attributeOfReflected(v reflect.Value) attribute {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return attribute{}
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return attribute{kind: attributeText, text: v.String()}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intAttribute(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return attribute{kind: attributeUint, number: float64(v.Uint()), whole: int64(v.Uint())}
	case reflect.Float32, reflect.Float64:
		return numberAttribute(v.Float())
	case reflect.Slice:
		return sliceAttribute(v)
	case reflect.Struct:
		if v.CanConvert(timeType) {
			return timeAttribute(v.Convert(timeType).Interface().(time.Time))
		}
	case reflect.Map, reflect.Func, reflect.Chan:
		if v.IsNil() {
			return attribute{}
		}
	}
	if !v.IsValid() || !v.CanInterface() {
		return attribute{}
	}
	return attribute{kind: attributeOther, other: v.Interface()}
}

func sliceAttribute(v reflect.Value) attribute {
	switch {
	case v.CanConvert(textsType):
		return attribute{kind: attributeList, list: v.Convert(textsType).Interface().([]string)}
	case v.CanConvert(bytesType):
		return attributeOf(v.Convert(bytesType).Interface())
	case v.CanConvert(itemsType):
		return attributeOf(v.Convert(itemsType).Interface())
	case v.Type().Elem().Kind() == reflect.String:
		list := make([]string, v.Len())
		for i := range list {
			list[i] = v.Index(i).String()
		}
		return attribute{kind: attributeList, list: list}
	default:
		return attribute{kind: attributeOther, other: v.Interface()}
	}
}

// isNumber tells whether the attribute is a number, with its value in number.
func (a *attribute) isNumber() bool {
	return a.kind == attributeNumber || a.kind == attributeInt || a.kind == attributeUint
}

// isList tells whether the attribute is a list of texts.
func (a *attribute) isList() bool { return a.kind == attributeList || a.kind == attributeItems }

// len is the number of texts in a list.
func (a *attribute) len() int {
	if a.kind == attributeItems {
		return len(a.other.([]any))
	}
	return len(a.list)
}

// at is the text at an index of a list.
func (a *attribute) at(i int) string {
	if a.kind == attributeItems {
		return a.other.([]any)[i].(string)
	}
	return a.list[i]
}

// asText is the attribute as text comparators see it (S28).
func (a *attribute) asText() string {
	if a.kind == attributeText {
		return a.text
	}
	return string(a.appendText(nil))
}

func (a *attribute) appendText(b []byte) []byte {
	switch a.kind {
	case attributeText:
		return append(b, a.text...)
	case attributeNumber:
		return appendNumber(b, a.number)
	case attributeInt:
		return strconv.AppendInt(b, a.whole, 10)
	case attributeUint:
		return strconv.AppendUint(b, uint64(a.whole), 10)
	case attributeTime:
		return appendNumber(b, a.number)
	case attributeList, attributeItems:
		return a.appendList(b)
	case attributeOther:
		return fmt.Append(b, a.other)
	default:
		return b
	}
}

func (a *attribute) appendList(b []byte) []byte {
	b = append(b, '[')
	for i := range a.len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, a.at(i))
	}
	return append(b, ']')
}

// appendJSON writes the attribute as a JSON value (S26).
func (a *attribute) appendJSON(b []byte) []byte {
	switch a.kind {
	case attributeText:
		return appendQuoted(b, a.text)
	case attributeNumber:
		if a.number-a.number != 0 { // NaN and the infinities have no JSON form
			return append(b, "null"...)
		}
		return appendNumber(b, a.number)
	case attributeTime:
		if a.whole < -maxDateMs || a.whole > maxDateMs {
			return append(b, "null"...)
		}
		b = append(b, '"')
		b = appendDate(b, a.whole)
		return append(b, '"')
	case attributeOther:
		text, err := json.Marshal(a.other)
		if err != nil {
			return appendQuoted(b, fmt.Sprint(a.other))
		}
		return append(b, text...)
	default:
		return a.appendText(b)
	}
}

// appendReason writes the attribute as the log shows one that cannot be used:
// lists and times are not converted as text comparators convert them.
func (a *attribute) appendReason(b []byte) []byte {
	switch {
	case a.isList():
		for i := range a.len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, a.at(i)...)
		}
		return b
	case a.kind == attributeTime:
		return appendLongDate(b, a.whole)
	default:
		return a.appendText(b)
	}
}
