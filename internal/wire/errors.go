package wire

import "strconv"

// A ParseError says which part of which format is invalid and why. It contains at most a short
// excerpt of the input.
type ParseError struct {
	Format string // "blob", "patches", "meta", "message", "lock", "content", "fleet report", "history entry"
	Part   string // the invalid field or line; empty: the whole input
	Reason string
}

func (e *ParseError) Error() string {
	if e.Part == "" {
		return "malformed " + e.Format + ": " + e.Reason
	}
	return "malformed " + e.Format + ": " + e.Part + ": " + e.Reason
}

func malformed(format, part, reason string) *ParseError {
	return &ParseError{Format: format, Part: part, Reason: reason}
}

// Excerpt returns the start of the input for an error. It quotes the excerpt if it is empty or
// contains white space or unprintable characters.
func Excerpt[T string | []byte](s T) string {
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
