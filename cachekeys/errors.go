package cachekeys

import "strconv"

// A ParseError says which part of which format was refused and why. It never
// holds more than a short piece of the input.
type ParseError struct {
	Format string // "entry", "blob", "meta", "message", "lock", "content", "fleet report"
	Part   string // the field or line at fault; empty: the whole
	Reason string
}

func (e *ParseError) Error() string {
	if e.Part == "" {
		return "cachekeys: malformed " + e.Format + ": " + e.Reason
	}
	return "cachekeys: malformed " + e.Format + ": " + e.Part + ": " + e.Reason
}

func malformed(format, part, reason string) *ParseError {
	return &ParseError{Format: format, Part: part, Reason: reason}
}

// excerpt gives the beginning of a piece of input for an error, in quotes if it is
// empty or holds anything that a reader could not see.
func excerpt[T string | []byte](s T) string {
	const limit = 32
	piece := string(s[:min(len(s), limit)])
	if piece == "" || !plainETag(piece) {
		piece = strconv.Quote(piece)
	}
	if len(s) > limit {
		piece += "…"
	}
	return piece
}
