package evaluate

import (
	"math"
	"strconv"
	"strings"
)

func (c *Condition) compareNumber(number float64) outcome {
	switch c.comparator {
	case numberEquals:
		return outcomeOf(number == c.number)
	case numberNotEquals:
		return outcomeOf(number != c.number)
	case numberLess, dateTimeBefore:
		return outcomeOf(number < c.number)
	case numberLessOrEquals:
		return outcomeOf(number <= c.number)
	case numberGreater, dateTimeAfter:
		return outcomeOf(number > c.number)
	default:
		return outcomeOf(number >= c.number)
	}
}

// asNumber returns the attribute as a number, for number comparators (S30).
func (a *attribute) asNumber() (float64, bool) {
	if a.isNumber() {
		return a.number, true
	}
	if a.kind == attributeText {
		return parseNumber(a.text)
	}
	return 0, false
}

// asUnixSeconds returns the attribute in Unix seconds, for date comparators (S31).
func (a *attribute) asUnixSeconds() (float64, bool) {
	if a.kind == attributeTime {
		return a.number, true
	}
	return a.asNumber()
}

// parseNumber parses NaN, Infinity or decimal digits. A point or comma, an exponent, a sign (not
// of NaN) and surrounding white space are optional.
func parseNumber(text string) (float64, bool) {
	text = trimSpace(text)
	unsigned, negative := strings.CutPrefix(text, "-")
	if !negative {
		unsigned = strings.TrimPrefix(text, "+")
	}
	switch {
	case text == "NaN":
		return math.NaN(), true
	case unsigned == "Infinity" && negative:
		return math.Inf(-1), true
	case unsigned == "Infinity":
		return math.Inf(1), true
	}
	comma, ok := scanDecimal(unsigned)
	if !ok {
		return 0, false
	}
	if comma >= 0 {
		comma += len(text) - len(unsigned)
		text = text[:comma] + "." + text[comma+1:]
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil || math.IsInf(f, 0) // beyond float64: infinite
}

// scanDecimal checks an unsigned decimal number and returns the index of its comma, or -1.
func scanDecimal(s string) (comma int, ok bool) {
	comma = -1
	i, digits := 0, 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && (s[i] == '.' || s[i] == ',') {
		if s[i] == ',' {
			comma = i
		}
		for i++; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return comma, false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		exponent := i
		for ; i < len(s) && isDigit(s[i]); i++ {
		}
		if i == exponent {
			return comma, false
		}
	}
	return comma, i == len(s)
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
