package cachekeys

import "strconv"

const (
	// MinRev is the smallest rev, 2001-09-09: from here to [MaxRev] all have 13 digits.
	MinRev int64 = 1_000_000_000_000
	// MaxRev is the greatest rev, and the greatest fetch time that is well-formed.
	MaxRev int64 = 9_999_999_999_999

	maxDigits = 13
)

// ValidRev tells whether rev has 13 digits.
func ValidRev(rev int64) bool { return rev >= MinRev && rev <= MaxRev }

// parseNumber reads a whole number without sign and without leading zeros, of at
// most 13 digits, so that what was read is written back to the same bytes.
func parseNumber[T string | []byte](s T) (int64, bool) {
	if len(s) == 0 || len(s) > maxDigits || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func appendNumber(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
