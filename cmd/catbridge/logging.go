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

// redisLog takes the lines of the Redis client library, which has one logger for the whole
// process and prints to standard error otherwise. The bridge's own events say the same with
// more context, so that they count at level debug only.
var redisLog redisLogger

type redisLogger struct {
	to atomic.Pointer[slog.Logger] // nil: nobody asked for a log yet
}

// Printf implements the library's interface.
func (r *redisLogger) Printf(ctx context.Context, format string, args ...any) {
	if log := r.to.Load(); log != nil && log.Enabled(ctx, slog.LevelDebug) {
		log.DebugContext(ctx, "go-redis: "+fmt.Sprintf(format, args...))
	}
}

// levelOf is the least level that is logged; off is above all.
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

// newLogger logs to w.
func newLogger(log settings.Log, w io.Writer) *slog.Logger {
	return newLoggerOn(log, w, terminal.Is(w), levelOf(log.Level))
}

// newLoggerOn logs to w, which ends in a terminal or not, from a level on that may change.
// To w goes what a [terminal.Output] takes.
func newLoggerOn(log settings.Log, w io.Writer, onTerminal bool, level slog.Leveler) *slog.Logger {
	var out io.Writer = terminal.NewJSONWriter(w)
	if log.Format == "text" || log.Format == "auto" && onTerminal {
		out = console(w)
	}
	logger := slog.New(zlog.New(zerolog.New(zerolog.SyncWriter(out)), level))
	redisLog.to.Store(logger)
	return logger
}

// console writes log lines for people: one line each, whatever they hold.
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
