package eventlog

import (
	"errors"
	"log/slog"
)

// Listener is told of every event of level error, also where no logger wants it (S50).
// Both methods must be safe for concurrent use, and must not block.
type Listener interface {
	// Listening tells whether anybody wants to hear of errors: if not, a level that the
	// logger does not want costs nothing.
	Listening() bool
	// Failed is told the text of an event, without its id, and its error.
	Failed(text string, err error)
}

// For returns the log with a listener besides its logger.
func (l Log) For(listener Listener) Log {
	l.listener = listener
	return l
}

func (l Log) heard(level slog.Level) bool {
	return level >= slog.LevelError && l.listener != nil && l.listener.Listening()
}

// errorOf is the error among attributes; if there is none, the text is one.
func errorOf(text string, attrs []slog.Attr) error {
	for _, a := range attrs {
		if err, ok := a.Value.Any().(error); ok && a.Key == errorKey {
			return err
		}
	}
	return errors.New(text)
}
