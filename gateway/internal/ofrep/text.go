package ofrep

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/catbridge/catbridge/evaluate"
)

var errLarge = errors.New("a number is too large")

// stringified returns a valid JSON value as JSON.stringify of JavaScript prints it: in the order
// of the members, without white space, with numbers and escapes in one form. encoding/json bounds its
// depth.
func stringified(value []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	out, err := appendNext(nil, dec)
	return string(out), err
}

func appendNext(dst []byte, dec *json.Decoder) ([]byte, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return appendObject(dst, dec)
		}
		return appendList(dst, dec)
	case string:
		return appendQuote(dst, token), nil
	case json.Number:
		number, err := numberOf(token.String())
		return append(dst, evaluate.FloatValue(number).String()...), err
	case bool:
		return strconv.AppendBool(dst, token), nil
	default:
		return append(dst, "null"...), nil
	}
}

// appendObject takes the last value of a repeated name, at the place of the first.
func appendObject(dst []byte, dec *json.Decoder) ([]byte, error) {
	type member struct{ name, value string }
	var members []member
	places := map[string]int{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		value, err := appendNext(nil, dec)
		if err != nil {
			return nil, err
		}
		if place, repeated := places[name]; repeated {
			members[place].value = string(value)
			continue
		}
		places[name] = len(members)
		members = append(members, member{name, string(value)})
	}
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(appendQuote(dst, m.name), ':'), m.value...)
	}
	_, err := dec.Token()
	return append(dst, '}'), err
}

func appendList(dst []byte, dec *json.Decoder) ([]byte, error) {
	dst = append(dst, '[')
	for i := 0; dec.More(); i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendNext(dst, dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return append(dst, ']'), err
}

func numberOf(text string) (float64, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, errLarge // its syntax is valid
	}
	if number == 0 {
		return 0, nil // not negative
	}
	return number, nil
}

// appendQuote appends a string as JSON, as JSON.stringify does.
func appendQuote(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, text[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(append(dst, text[start:i]...), '\\')
		switch c {
		case '"', '\\':
			dst = append(dst, c)
		case '\b':
			dst = append(dst, 'b')
		case '\f':
			dst = append(dst, 'f')
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		case '\t':
			dst = append(dst, 't')
		default:
			dst = append(dst, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}
