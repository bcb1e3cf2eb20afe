package follower

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// record is a log handler that keeps the events of a client.
type record struct {
	level slog.Level

	mu     sync.Mutex
	events []logged
}

type logged struct {
	id    int
	level slog.Level
	text  string // with all attributes
}

func (r *record) Enabled(_ context.Context, level slog.Level) bool { return level >= r.level }

func (r *record) Handle(_ context.Context, event slog.Record) error {
	l := logged{id: -1, level: event.Level}
	var b strings.Builder
	b.WriteString(event.Message)
	event.Attrs(func(a slog.Attr) bool {
		if a.Key == "event_id" {
			l.id = int(a.Value.Int64())
		}
		if !a.Equal(slog.Attr{}) {
			b.WriteString(" " + a.String())
		}
		return true
	})
	l.text = b.String()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, l)
	return nil
}

func (r *record) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r *record) WithGroup(string) slog.Handler      { return r }

// with returns the events with the given id.
func (r *record) with(id int) []logged {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []logged
	for _, e := range r.events {
		if e.id == id {
			found = append(found, e)
		}
	}
	return found
}

func (r *record) all() []logged {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]logged(nil), r.events...)
}

// recorded returns a record and a function that makes a client log to it.
func recorded(level slog.Level) (*record, func(*Config)) {
	r := &record{level: level}
	return r, func(c *Config) { c.Logger = slog.New(r) }
}

func wantEvents(t *testing.T, r *record, id, count int) {
	t.Helper()
	if found := r.with(id); len(found) != count {
		t.Errorf("%d events %d, want %d: %+v", len(found), id, count, found)
	}
}

// wantEventText checks that the first event with that ID contains text.
func wantEventText(t *testing.T, r *record, id int, text string) {
	t.Helper()
	if found := r.with(id); len(found) == 0 || !strings.Contains(found[0].text, text) {
		t.Errorf("event %d: %+v, want %q", id, found, text)
	}
}
