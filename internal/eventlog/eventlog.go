// Package eventlog logs events as every ConfigCat SDK does (S100), with the event's ID before the
// text and also in the attribute event_id.
package eventlog

import (
	"context"
	"log/slog"
	"strconv"
)

// Log logs events. The zero value logs nothing. It is safe for concurrent use. A disabled level
// costs no formatting.
type Log struct {
	out      *output // nil: nothing is logged
	listener Listener
}

// output is a logger, with what an evaluation needs to find out quickly that a level is off.
type output struct {
	logger *slog.Logger
	// The logger drops levels below least, and those that handler drops.
	least   slog.Level
	handler slog.Handler
}

// New returns a log that adds attrs to every event. If logger is nil, nothing is logged.
func New(logger *slog.Logger, attrs ...any) Log {
	if logger == nil {
		return Log{}
	}
	logger = logger.With(attrs...)
	least, handler := split(logger.Handler())
	return Log{out: &output{logger, least, handler}}
}

// Logger returns the logger of the events, or nil.
func (l Log) Logger() *slog.Logger {
	if l.out == nil {
		return nil
	}
	return l.out.logger
}

// Enabled reports whether events of that level reach the logger or a listener.
func (l Log) Enabled(level slog.Level) bool {
	if level < slog.LevelError && (l.out == nil || level < l.out.least) {
		return false // the case of most evaluations, inlined there
	}
	return l.enabled(level)
}

func (l Log) enabled(level slog.Level) bool { return l.written(level) || l.listened(level) }

func (l Log) written(level slog.Level) bool {
	return l.out != nil && level >= l.out.least && l.out.handler.Enabled(context.Background(), level)
}

// Debug logs an event of level debug.
func (l Log) Debug(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelDebug, id, text, attrs...)
}

// Info logs an event of level info.
func (l Log) Info(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelInfo, id, text, attrs...)
}

// Warn logs an event of level warn.
func (l Log) Warn(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelWarn, id, text, attrs...)
}

// Error logs an event of level error.
func (l Log) Error(id int, text string, attrs ...slog.Attr) {
	l.Event(slog.LevelError, id, text, attrs...)
}

// Event logs an event of any level.
func (l Log) Event(level slog.Level, id int, text string, attrs ...slog.Attr) {
	if l.listened(level) {
		l.listener.Failed(text, errorOf(text, attrs))
	}
	if !l.written(level) {
		return
	}
	attrs = append(attrs, slog.Int("event_id", id))
	l.out.logger.LogAttrs(context.Background(), level, "["+strconv.Itoa(id)+"] "+text, attrs...)
}

// Failure logs an event of level error whose text contains the whole error.
func (l Log) Failure(id int, err error) {
	if l.listened(slog.LevelError) {
		l.listener.Failed(err.Error(), err)
	}
	if l.written(slog.LevelError) {
		Log{out: l.out}.Error(id, err.Error())
	}
}

const errorKey = "error"

// Err returns the attribute of an error.
func Err(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.Any(errorKey, err)
}
