package follower

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// evaluateAtEachLevel causes one event of each level, and returns the ids of the logged ones.
func evaluateAtEachLevel(t *testing.T, level slog.Leveler) []int {
	t.Helper()
	log := &record{level: slog.LevelDebug}
	c, err := New(Config{FlagOverrides: &FlagOverrides{Values: map[string]any{"a": true}}, Logger: slog.New(log), LogLevel: level})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.GetBoolValue("a", false, nil)       // info 5000
	c.GetBoolValue("missing", false, nil) // error 1001
	c.SetOnline()                         // warn 3202
	c.log.Debug(eventid.Debug, "debug")
	var ids []int
	for _, e := range log.all() {
		ids = append(ids, e.id)
	}
	slices.Sort(ids)
	return ids
}

func TestTheLogLevelDropsWhatIsBelowIt_S100(t *testing.T) {
	for name, test := range map[string]struct {
		level slog.Leveler
		want  []int
	}{
		"default": {nil, []int{1001, 3202}},
		"debug":   {LogLevelDebug, []int{0, 1001, 3202, 5000}},
		"info":    {LogLevelInfo, []int{1001, 3202, 5000}},
		"warn":    {LogLevelWarn, []int{1001, 3202}},
		"error":   {LogLevelError, []int{1001}},
		"off":     {LogLevelNone, nil},
	} {
		if got := evaluateAtEachLevel(t, test.level); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// The level may be a variable that changes while the client runs.
func TestTheLogLevelMayChange_S100_S101(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	level.Set(LogLevelWarn)
	c, err := New(Config{
		FlagOverrides: &FlagOverrides{Values: map[string]any{"a": true}}, LogLevel: level,
		Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})).WithGroup("flags"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.GetBoolValue("a", false, nil)
	if out.Len() > 0 {
		t.Errorf("%s", &out)
	}
	level.Set(LogLevelInfo)
	c.GetBoolValue("a", false, nil)
	if !strings.Contains(out.String(), `msg="[5000] Evaluating 'a'\n  Returning 'true'." flags.event_id=5000`) {
		t.Errorf("%s", &out)
	}
}

// A dropped level is reported as disabled, so that its text is not formatted.
func TestTheLogLevelDoesNotEnableWhatTheLoggerDrops_S100(t *testing.T) {
	log := &record{level: slog.LevelError}
	logger := eventlog.AtLeast(slog.New(log), LogLevelDebug)
	if logger.Enabled(t.Context(), slog.LevelWarn) || !logger.Enabled(t.Context(), slog.LevelError) {
		t.Error("levels")
	}
}
