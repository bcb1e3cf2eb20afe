package evaluate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// appendNumber appends a number as JavaScript prints it: the shortest digits that parse to the
// same number, with an exponent only below 1e-6 and from 1e21 (S28).
func appendNumber(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	case f == 0:
		return append(b, '0')
	}
	if size := math.Abs(f); size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go writes at least two digits of exponent, JavaScript as few as possible.
	if n := len(b); n-start >= 4 && b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// maxDateMs is the greatest distance of a printable date from the Unix epoch, in ms, as in
// ECMAScript.
const maxDateMs = 8.64e15

// appendDate appends a time, given in Unix ms, as ISO 8601 in UTC. The time must be within
// maxDateMs.
func appendDate(b []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		b = fmt.Appendf(b, "%+07d", year)
		return t.AppendFormat(b, "-01-02T15:04:05.000Z")
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// appendLongDate appends a time, given in Unix ms, as JavaScript prints it in UTC.
func appendLongDate(b []byte, ms int64) []byte {
	if ms < -maxDateMs || ms > maxDateMs {
		return append(b, "Invalid Date"...)
	}
	t := time.UnixMilli(ms).UTC()
	b = t.AppendFormat(b, "Mon Jan 02 ")
	if t.Year() < 0 {
		b = fmt.Appendf(b, "%05d", t.Year())
	} else {
		b = fmt.Appendf(b, "%04d", t.Year())
	}
	return t.AppendFormat(b, " 15:04:05 GMT+0000 (Coordinated Universal Time)")
}

// trimSpace removes what ECMAScript calls white space, as the official SDKs do.
func trimSpace(s string) string { return strings.TrimFunc(s, isSpace) }

func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF:
		return true
	default:
		return r >= 0x2000 && r <= 0x200A
	}
}
