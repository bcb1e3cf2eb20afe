package main

import (
	"io"
	"log/slog"
	"math"
	"os"

	"github.com/rs/zerolog"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/zlog"
)

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
func newLoggerOn(log settings.Log, w io.Writer, onTerminal bool, level slog.Leveler) *slog.Logger {
	out := zerolog.SyncWriter(w)
	if log.Format == "text" || log.Format == "auto" && onTerminal {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: "15:04:05.000", NoColor: !onTerminal || os.Getenv("NO_COLOR") != ""}
	}
	return slog.New(zlog.New(zerolog.New(out), level))
}
