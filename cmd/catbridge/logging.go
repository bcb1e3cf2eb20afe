package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/zlog"
)

// logFlags say what is logged, and how.
type logFlags struct{ level, format *choice }

// add adds the flags; level is the default.
func (f *logFlags) add(cmd *cobra.Command, level string) {
	f.level = newChoice("debug", "info", "warn", "error", "off")
	f.level.value = level
	f.format = newChoice("auto", "json", "text")
	f.level.add(cmd, "log-level", "least level that is logged")
	f.format.add(cmd, "log-format", "how log lines look; auto: text on a terminal, else JSON")
	fromEnvironment(cmd, "log-level", "CATBRIDGE_LOG_LEVEL")
	fromEnvironment(cmd, "log-format", "CATBRIDGE_LOG_FORMAT")
}

// logger logs to w.
func (f *logFlags) logger(w io.Writer) *slog.Logger { return f.loggerOn(w, terminal.Is(w)) }

// loggerOn logs to w, which ends in a terminal or not.
func (f *logFlags) loggerOn(w io.Writer, onTerminal bool) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[f.level.value]
	if !ok {
		return slog.New(slog.DiscardHandler)
	}
	out := zerolog.SyncWriter(w)
	if f.format.value == "text" || f.format.value == "auto" && onTerminal {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: "15:04:05.000", NoColor: !onTerminal || os.Getenv("NO_COLOR") != ""}
	}
	return slog.New(zlog.New(zerolog.New(out), level))
}
