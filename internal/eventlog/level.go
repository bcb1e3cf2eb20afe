package eventlog

import (
	"context"
	"log/slog"
)

// leveled passes on events of a level and above.
type leveled struct {
	slog.Handler
	level slog.Leveler
}

// AtLeast returns a logger that writes what is of that level or above, as far as logger
// does. A nil logger stands for slog.Default, a nil level for warn.
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
