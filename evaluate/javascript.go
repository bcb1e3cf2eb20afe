package evaluate

import (
	"fmt"
	"math"
	"strconv"
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

const hexDigits = "0123456789abcdef"

// appendQuoted appends a JSON string with only the escapes that JSON requires.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[plain:i]...)
		plain = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
	}
	b = append(b, s[plain:]...)
	return append(b, '"')
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
