package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// handler passes the client's events to a logger with the methods of the official SDK's
// interface Logger. Config.LogLevel drops the events below its level before.
type handler struct {
	logger interface {
		Debugf(format string, args ...any)
		Infof(format string, args ...any)
		Warnf(format string, args ...any)
		Errorf(format string, args ...any)
	}
	attrs string // of WithAttrs
}

func (h handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) Handle(_ context.Context, r slog.Record) error {
	var attrs strings.Builder
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&attrs, " %s", a)
		return true
	})
	logf := h.logger.Debugf
	switch {
	case r.Level >= slog.LevelError:
		logf = h.logger.Errorf
	case r.Level >= slog.LevelWarn:
		logf = h.logger.Warnf
	case r.Level >= slog.LevelInfo:
		logf = h.logger.Infof
	}
	logf("%s%s%s", r.Message, h.attrs, attrs.String())
	return nil
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.attrs += " " + a.String()
	}
	return h
}

func (h handler) WithGroup(string) slog.Handler { return h }
