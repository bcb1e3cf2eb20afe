package feed

import (
	"log/slog"
	"slices"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// feedLog writes a feed's events to the logs of all its clients.
type feedLog struct{ members *members }

func (l feedLog) Debug(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelDebug, id, text, attrs)
}

func (l feedLog) Info(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelInfo, id, text, attrs)
}

func (l feedLog) Warn(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelWarn, id, text, attrs)
}

func (l feedLog) Error(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelError, id, text, attrs)
}

func (l feedLog) event(level slog.Level, id int, text string, attrs []slog.Attr) {
	for _, m := range l.clone() {
		m.log.Event(level, id, text, slices.Clip(attrs)...)
	}
}

// disconnected also logs whether the client has a config, perhaps one of its own.
func (l feedLog) disconnected(err error) {
	for _, m := range l.clone() {
		rest := "There is no config in memory yet."
		if m.holder.Current() != nil {
			rest = "Evaluation continues with the config in memory."
		}
		m.log.Warn(eventid.Disconnected, "Redis is unreachable; retrying. "+rest, eventlog.Err(err))
	}
}

func (l feedLog) clone() []*Member {
	l.members.mu.Lock()
	defer l.members.mu.Unlock()
	return slices.Clone(l.members.list)
}
