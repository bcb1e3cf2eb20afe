package eventlog

import (
	"context"
	"log/slog"
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

func (l leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= l.level.Level() && l.Handler.Enabled(ctx, level)
}

func (l leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{l.Handler.WithAttrs(attrs), l.level}
}

func (l leveled) WithGroup(name string) slog.Handler {
	return leveled{l.Handler.WithGroup(name), l.level}
}
