package jsontext

// text is a JSON text, which may be invalid.
type text interface{ ~string | ~[]byte }

// SkipSpace returns the offset of the first byte from pos on that is not white space.
func SkipSpace[T text](t T, pos int) int {
	for pos < len(t) && isSpace(t[pos]) {
		pos++
	}
	return pos
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\r' || b == '\t' }

// End returns the offset after the value that starts at pos, or -1 if the text ends within it or
// it nests objects and arrays more than deepest levels. It does not recurse. Only the end of a
// value that is not valid JSON may be wrong.
func End[T text](t T, pos, deepest int) int {
	for depth := 0; pos >= 0 && pos < len(t); {
		switch t[pos] {
		case '{', '[':
			if depth++; depth > deepest {
				return -1
			}
			pos++
			continue
		case '}', ']':
			depth--
			pos++
		case '"':
			pos = endOfString(t, pos)
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return -1
			}
			pos++
			continue
		default:
			pos = endOfScalar(t, pos)
		}
		if depth <= 0 {
			return pos
		}
	}
	return -1
}

// endOfString returns -1 if the text ends within the string.
func endOfString[T text](t T, pos int) int {
	for pos++; pos < len(t); pos++ {
		switch t[pos] {
		case '"':
			return pos + 1
		case '\\':
			pos++
		}
	}
	return -1
}

func endOfScalar[T text](t T, pos int) int {
	for pos < len(t) && t[pos] != ',' && t[pos] != '}' && t[pos] != ']' && !isSpace(t[pos]) {
		pos++
	}
	return pos
}
