package eventlog

import (
	"errors"
	"log/slog"
)

// Listener receives every event of level error, even if the logger drops it (S50). Both methods
// must be safe for concurrent use, and must not block.
type Listener interface {
	// Listening reports whether errors are wanted. If not, a level that the logger drops costs
	// nothing.
	Listening() bool
	// Failed receives the text of an event, without its ID, and its error.
	Failed(text string, err error)
}

// For returns a copy of the log with a listener.
func (l Log) For(listener Listener) Log {
	l.listener = listener
	return l
}

func (l Log) listened(level slog.Level) bool {
	return level >= slog.LevelError && l.listener != nil && l.listener.Listening()
}

// errorOf returns the error among attributes, or one with the given text.
func errorOf(text string, attrs []slog.Attr) error {
	for _, a := range attrs {
		if err, ok := a.Value.Any().(error); ok && a.Key == errorKey {
			return err
		}
	}
	return errors.New(text)
}
