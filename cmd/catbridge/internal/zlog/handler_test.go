package zlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// TestFollowsTheContractOfHandlers runs the standard library's own checks: groups,
// attributes, values that resolve themselves, empty ones.
func TestFollowsTheContractOfHandlers(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return New(zerolog.New(&out), slog.LevelInfo)
	}, func(t *testing.T) map[string]any {
		record := decode(t, out.Bytes())
		record[slog.MessageKey] = record[zerolog.MessageFieldName]
		return record
	})
}

func TestWritesEveryKindOfValue(t *testing.T) {
	var out bytes.Buffer
	slog.New(New(zerolog.New(&out), slog.LevelDebug)).With("a", 1).WithGroup("g").With("b", 2).WithGroup("h").Debug("text",
		"string", "s", "int", -1, "uint", uint(1), "float", 1.5, "bool", true,
		"duration", 1500*time.Millisecond, "time", time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC),
		"error", errors.New("boom"), "stringer", time.March, "json", json.RawMessage(`{"x":1}`),
		"list", []string{"x"}, "nil", nil, "panics", panics{}, "channel", make(chan int),
		slog.Group("", "inline", 1), slog.Group("empty", slog.Group("deeper")), slog.Group("group", "x", 1))
	record := decode(t, out.Bytes())
	delete(record, "time")
	want := map[string]any{
		"level": "debug", "message": "text", "a": 1.0,
		"g": map[string]any{"b": 2.0, "h": map[string]any{
			"string": "s", "int": -1.0, "uint": 1.0, "float": 1.5, "bool": true,
			"duration": "1.5s", "time": "2026-01-02T03:04:05.006Z",
			"error": "boom", "stringer": "March", "json": map[string]any{"x": 1.0},
			"list": []any{"x"}, "nil": nil, "panics": "!PANIC: no", "channel": "marshaling error: json: unsupported type: chan int",
			"inline": 1.0, "group": map[string]any{"x": 1.0},
		}},
	}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
}

type panics struct{}

func (panics) Error() string { panic("no") }

// TestLoggersDoNotShareScopes derives two loggers from one: attributes of the
// second must not appear in the first.
func TestLoggersDoNotShareScopes(t *testing.T) {
	var out bytes.Buffer
	base := slog.New(New(zerolog.New(&out), slog.LevelInfo)).With("x", 0).With("y", 0).With("z", 0)
	first, _ := base.With("of", "first"), base.With("of", "second")
	first.Info("text")
	if record := decode(t, out.Bytes()); record["of"] != "first" {
		t.Errorf("of is %v, want first", record["of"])
	}
}

func TestLowerLevelsAreNotWritten(t *testing.T) {
	var out bytes.Buffer
	var level slog.LevelVar
	logger := slog.New(New(zerolog.New(&out), &level))
	level.Set(slog.LevelWarn)
	logger.Info("too low")
	logger.Warn("warned")
	logger.Error("failed")
	level.Set(slog.LevelDebug)
	logger.Debug("now it is wanted")
	var have []string
	for line := range strings.Lines(out.String()) {
		record := decode(t, []byte(line))
		have = append(have, record["level"].(string)+" "+record["message"].(string))
	}
	if diff := cmp.Diff([]string{"warn warned", "error failed", "debug now it is wanted"}, have); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
}

func decode(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var record map[string]any
	if err := json.Unmarshal(line, &record); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return record
}
