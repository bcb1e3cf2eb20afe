// Package eventlog writes log events as every ConfigCat SDK does (S100): with the
// event's id before the text, and besides as the attribute event_id.
package eventlog

import (
	"context"
	"log/slog"
	"strconv"
)

// Log writes events. The zero value writes none. It is safe for concurrent use, and
// a level that is disabled costs no formatting.
type Log struct {
	logger   *slog.Logger
	listener Listener
}

// New returns a log with attributes that every event gets. logger nil: none is written.
func New(logger *slog.Logger, attrs ...any) Log {
	if logger == nil {
		return Log{}
	}
	return Log{logger: logger.With(attrs...)}
}

// Logger returns what the events are written to; nil: nothing.
func (l Log) Logger() *slog.Logger { return l.logger }

// Enabled tells whether events of that level are written, or heard by a listener.
func (l Log) Enabled(level slog.Level) bool {
	if l.logger == nil && level < slog.LevelError {
		return false // as in most evaluations, where this is inlined
	}
	return l.enabled(level)
}

func (l Log) enabled(level slog.Level) bool { return l.written(level) || l.heard(level) }

func (l Log) written(level slog.Level) bool {
	return l.logger != nil && l.logger.Enabled(context.Background(), level)
}

// Debug writes an event of level debug.
func (l Log) Debug(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelDebug, id, text, attrs...)
}

// Info writes an event of level info.
func (l Log) Info(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelInfo, id, text, attrs...)
}

// Warn writes an event of level warn.
func (l Log) Warn(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelWarn, id, text, attrs...)
}

// Error writes an event of level error.
func (l Log) Error(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelError, id, text, attrs...)
}

// Event writes an event of any level.
func (l Log) Event(level slog.Level, id int, text string, attrs ...slog.Attr) {
	if l.heard(level) {
		l.listener.Failed(text, errorOf(text, attrs))
	}
	if !l.written(level) {
		return
	}
	attrs = append(attrs, slog.Int("event_id", id))
	l.logger.LogAttrs(context.Background(), level, "["+strconv.Itoa(id)+"] "+text, attrs...)
}

// Failure writes an event of level error whose text says all that the error does.
func (l Log) Failure(id int, err error) {
	if l.heard(slog.LevelError) {
		l.listener.Failed(err.Error(), err)
	}
	if l.written(slog.LevelError) {
		Log{logger: l.logger}.Error(id, err.Error())
	}
}

const errorKey = "error"

// Err is the attribute of an error.
func Err(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.Any(errorKey, err)
}
