package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/zlog"
)

// redisLog receives the log of the Redis client library, which has one logger for the whole
// process and otherwise prints to standard error. It logs at level debug only, because the
// bridge's own events report the same with more context.
var redisLog redisLogger

type redisLogger struct {
	to atomic.Pointer[slog.Logger] // nil: no logger yet
}

// Printf implements the library's interface.
func (r *redisLogger) Printf(ctx context.Context, format string, args ...any) {
	if log := r.to.Load(); log != nil && log.Enabled(ctx, slog.LevelDebug) {
		log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
	}
}

// levelOf returns the lowest level to log. For off, it is above all levels.
func levelOf(name string) slog.Level {
	switch name {
	case "debug":
		return slog.LevelDebug
	case "info":
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return math.MaxInt32
}

func newLogger(log settings.Log, w io.Writer) *slog.Logger {
	return newLoggerOn(log, w, terminal.Is(w), levelOf(log.Level))
}

// newLoggerOn returns a logger that writes to w, from a level that may change. The log contains
// styles for a [terminal.Output].
func newLoggerOn(log settings.Log, w io.Writer, onTerminal bool, level slog.Leveler) *slog.Logger {
	out := terminal.NewJSONWriter(w)
	if log.Format == "text" || log.Format == "auto" && onTerminal {
		out = console(w)
	}
	logger := slog.New(zlog.New(zerolog.New(zerolog.SyncWriter(out)), level))
	redisLog.to.Store(logger)
	return logger
}

// console returns a writer of log lines for people, one for each record.
func console(w io.Writer) zerolog.ConsoleWriter {
	text := func(v any) string {
		if v == nil {
			return ""
		}
		return terminal.Clean(fmt.Sprintf("%s", v))
	}
	paint := func(style terminal.Style, v any) string { return string(terminal.Paint(style, text(v))) }
	name := func(v any) string { return paint(terminal.Cyan, text(v)+"=") }
	return zerolog.ConsoleWriter{
		Out: w, NoColor: true, TimeFormat: "15:04:05.000",
		FormatLevel:         func(v any) string { return string(levelNames[text(v)]) },
		FormatMessage:       text,
		FormatFieldName:     name,
		FormatFieldValue:    text,
		FormatErrFieldName:  name,
		FormatErrFieldValue: func(v any) string { return paint(terminal.Red, v) },
	}
}

var levelNames = map[string]terminal.Styled{
	"debug": "DBG",
	"info":  terminal.Paint(terminal.Green, "INF"),
	"warn":  terminal.Paint(terminal.Yellow, "WRN"),
	"error": terminal.Paint(terminal.Red, "ERR"),
}
