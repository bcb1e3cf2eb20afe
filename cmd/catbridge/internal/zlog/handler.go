// Package zlog writes the records of log/slog with zerolog.
package zlog

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/rs/zerolog"
)

// timeFormat has milliseconds, which zerolog's default lacks.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// Handler is a [slog.Handler] that writes through a zerolog logger. It is safe for
// concurrent use if the logger's writer is.
type Handler struct {
	logger zerolog.Logger
	level  slog.Leveler
	scopes []scope // from the outermost
}

// scope is the argument of one WithAttrs or WithGroup: attributes, or the name of the group
// that contains all later attributes.
type scope struct {
	group string
	attrs []slog.Attr
}

// New returns a handler that writes records of at least the given level. The logger must not
// add a time itself.
func New(logger zerolog.Logger, level slog.Leveler) *Handler {
	return &Handler{logger: logger.Level(zerolog.TraceLevel), level: level}
}

// Enabled implements [slog.Handler].
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// WithAttrs implements [slog.Handler].
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.with(scope{attrs: attrs})
}

// WithGroup implements [slog.Handler].
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(scope{group: name})
}

func (h *Handler) with(s scope) *Handler {
	with := *h
	with.scopes = append(slices.Clip(h.scopes), s)
	return &with
}

// Handle implements [slog.Handler].
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	event := h.logger.WithLevel(zerologLevel(r.Level))
	if !r.Time.IsZero() {
		event.Str(zerolog.TimestampFieldName, r.Time.UTC().Format(timeFormat))
	}
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for _, s := range slices.Backward(h.scopes) {
		if s.group != "" {
			attrs = []slog.Attr{{Key: s.group, Value: slog.GroupValue(attrs...)}}
		} else {
			attrs = slices.Concat(s.attrs, attrs)
		}
	}
	for _, a := range attrs {
		add(event, a)
	}
	event.Msg(r.Message)
	return nil
}

func zerologLevel(level slog.Level) zerolog.Level {
	switch {
	case level >= slog.LevelError:
		return zerolog.ErrorLevel
	case level >= slog.LevelWarn:
		return zerolog.WarnLevel
	case level >= slog.LevelInfo:
		return zerolog.InfoLevel
	}
	return zerolog.DebugLevel
}

// add writes one attribute, and reports whether it wrote anything. It leaves out empty
// groups.
func add(event *zerolog.Event, a slog.Attr) bool {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		return addGroup(event, a.Key, value.Group())
	}
	if a.Equal(slog.Attr{}) {
		return false
	}
	switch value.Kind() {
	case slog.KindString:
		event.Str(a.Key, value.String())
	case slog.KindInt64:
		event.Int64(a.Key, value.Int64())
	case slog.KindUint64:
		event.Uint64(a.Key, value.Uint64())
	case slog.KindFloat64:
		event.Float64(a.Key, value.Float64())
	case slog.KindBool:
		event.Bool(a.Key, value.Bool())
	case slog.KindDuration:
		event.Stringer(a.Key, value.Duration())
	case slog.KindTime:
		event.Str(a.Key, value.Time().Format(time.RFC3339Nano))
	default:
		addAny(event, a.Key, value.Any())
	}
	return true
}

// addGroup writes a group. The attributes of a group without a name belong to the group
// around it.
func addGroup(event *zerolog.Event, name string, attrs []slog.Attr) bool {
	dict, some := event, false
	if name != "" {
		dict = zerolog.Dict()
	}
	for _, a := range attrs {
		some = add(dict, a) || some
	}
	if some && name != "" {
		event.Dict(name, dict)
	}
	return some
}

// addAny writes a value that is not of a basic type. It writes errors and Stringers as
// strings, because their JSON is usually empty. A value that panics is replaced by a note.
func addAny(event *zerolog.Event, key string, value any) {
	defer func() {
		if p := recover(); p != nil {
			event.Str(key, fmt.Sprintf("!PANIC: %v", p))
		}
	}()
	switch value := value.(type) {
	case error:
		event.Str(key, value.Error())
	case json.Marshaler:
		event.Interface(key, value)
	case fmt.Stringer:
		event.Str(key, value.String())
	default:
		event.Interface(key, value)
	}
}
