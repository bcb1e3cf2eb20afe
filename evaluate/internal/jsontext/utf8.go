package jsontext

import "unicode/utf8"

// FromUTF8 copies a document. It replaces each byte that is not valid UTF-8 with U+FFFD, as
// encoding/json does.
func FromUTF8(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	return string([]rune(string(data)))
}
