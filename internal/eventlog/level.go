package eventlog

import (
	"context"
	"log/slog"
	"math"
)

type leveled struct {
	slog.Handler
	level slog.Leveler
}

// AtLeast returns a logger that drops events below level and passes others to logger. A nil
// logger means slog.Default, a nil level means warn.
func AtLeast(logger *slog.Logger, level slog.Leveler) *slog.Logger {
	if logger == nil {
		logger = slog.Default()
	}
	if level == nil {
		level = slog.LevelWarn
	}
	return slog.New(leveled{logger.Handler(), level})
}

// split returns a level and a handler: h drops the events below the level, and those that the
// handler drops.
func split(h slog.Handler) (slog.Level, slog.Handler) {
	if l, ok := h.(leveled); ok {
		if fixed, ok := l.level.(slog.Level); ok { // others may change
			return fixed, l.Handler
		}
	}
	return math.MinInt, h
}

func (l leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= l.level.Level() && l.Handler.Enabled(ctx, level)
}

func (l leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{l.Handler.WithAttrs(attrs), l.level}
}

func (l leveled) WithGroup(name string) slog.Handler {
	return leveled{l.Handler.WithGroup(name), l.level}
}
