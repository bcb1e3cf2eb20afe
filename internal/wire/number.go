package wire

import "strconv"

const (
	// MinRev is the smallest rev, 2001-09-09. All revs from MinRev to [MaxRev] have 13 digits.
	MinRev int64 = 1_000_000_000_000
	// MaxRev is the greatest rev and the greatest valid fetch time.
	MaxRev int64 = 9_999_999_999_999
	// MaxDigits is the number of digits of [MaxRev].
	MaxDigits = 13
)

// ValidRev reports whether rev has 13 digits.
func ValidRev(rev int64) bool { return rev >= MinRev && rev <= MaxRev }

// ParseNumber reads an unsigned whole number of at most 13 digits without leading zeros. Each
// number has only one form, so AppendNumber writes the same bytes again.
func ParseNumber[T string | []byte](s T) (int64, bool) {
	if len(s) == 0 || len(s) > MaxDigits || (s[0] == '0' && len(s) > 1) {
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

// AppendNumber appends n in the form that ParseNumber reads.
func AppendNumber(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
