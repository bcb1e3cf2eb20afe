package evaluate

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// asText returns the attribute as text, for text comparators (S28).
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
		b = jsontext.AppendQuote(b, a.at(i))
	}
	return append(b, ']')
}

// appendJSON appends the attribute as a JSON value (S26).
func (a *attribute) appendJSON(b []byte) []byte {
	switch a.kind {
	case attributeText:
		return jsontext.AppendQuote(b, a.text)
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
		text, err := marshal(a.other)
		if err != nil {
			return jsontext.AppendQuote(b, fmt.Sprint(a.other))
		}
		return append(b, text...)
	default:
		return a.appendText(b)
	}
}

// marshal is json.Marshal, but recovers from panics of the caller's code, as fmt does.
func marshal(v any) (text []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return json.Marshal(v)
}

// appendReason appends an attribute that the comparator cannot use, as the log shows it. It
// formats lists and times differently from appendText.
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
