package cachekeys

import (
	"strconv"

	"github.com/catbridge/catbridge/internal/wire"
)

// A ParseError says which line of an entry is invalid and why. It contains at most a short excerpt
// of the input.
type ParseError struct {
	Line   int    // 1 to 3; 0: the whole entry
	Reason string // what is wrong with it
}

func (e *ParseError) Error() string {
	if e.Line == 0 {
		return "cachekeys: malformed entry: " + e.Reason
	}
	return "cachekeys: malformed entry: line " + strconv.Itoa(e.Line) + ": " + e.Reason
}

func malformed(line int, reason string) *ParseError { return &ParseError{Line: line, Reason: reason} }

// invalid returns the error for a line whose bytes have the wrong form.
func invalid(line int, reason string, data []byte) *ParseError {
	return malformed(line, reason+": "+wire.Excerpt(data))
}
