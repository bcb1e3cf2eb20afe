package follower

import (
	"log/slog"
	"math"
)

// The levels of Config.LogLevel (S100).
const (
	LogLevelDebug = slog.LevelDebug
	LogLevelInfo  = slog.LevelInfo // every evaluation logs its steps (S101)
	LogLevelWarn  = slog.LevelWarn
	LogLevelError = slog.LevelError
	LogLevelNone  = slog.Level(math.MaxInt) // nothing is logged
)
