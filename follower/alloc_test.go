//go:build !race

package follower

import (
	"io"
	"log/slog"
	"testing"
)

// Without hooks the evaluation path does not allocate, with and without warnings. Under the race detector
// sync.Pool drops items at random, so this test does not run there.
func TestEvaluationDoesNotAllocate(t *testing.T) {
	user := &UserData{Identifier: "1", Email: "a@example.com"}
	for name, logger := range map[string]*slog.Logger{
		"no logger":      nil,
		"warnings on":    slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn})),
		"errors only on": slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError})),
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := hookedClient(t, logger, configJSON(1), nil)
			held, on := c.Snapshot(user), Bool("isOn", false)
			for call, f := range map[string]func(){
				"BoolFlag.Get":        func() { on.Get(held) },
				"GetBoolValue":        func() { c.GetBoolValue("isOn", false, nil) },
				"GetIntValue":         func() { c.GetIntValue("version", 0, nil) },
				"GetFloatValue":       func() { c.GetFloatValue("ratio", 0, nil) },
				"GetStringValue":      func() { c.GetStringValue("text", "", user) },
				"GetBoolValueDetails": func() { c.GetBoolValueDetails("isOn", false, user) },
			} {
				if n := testing.AllocsPerRun(1000, f); n != 0 {
					t.Errorf("%s: %v allocations", call, n)
				}
			}
		})
	}
}

func BenchmarkGetBoolValueNoAlloc(b *testing.B) {
	c := heldClient(b, nil, configJSON(1))
	b.ReportAllocs()
	for b.Loop() {
		c.GetBoolValue("isOn", false, nil)
	}
}

func BenchmarkGetBoolValueWarningsNoAlloc(b *testing.B) {
	c := heldClient(b, slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn})), configJSON(1))
	b.ReportAllocs()
	for b.Loop() {
		c.GetBoolValue("isOn", false, nil)
	}
}

func BenchmarkGetStringValueTargetedNoAlloc(b *testing.B) {
	c := heldClient(b, nil, configJSON(1))
	user := &UserData{Identifier: "1", Email: "a@example.com"}
	b.ReportAllocs()
	for b.Loop() {
		c.GetStringValue("text", "", user)
	}
}

func BenchmarkSnapshotGetNoAlloc(b *testing.B) {
	held, on := heldClient(b, nil, configJSON(1)).Snapshot(nil), Bool("isOn", false)
	b.ReportAllocs()
	for b.Loop() {
		on.Get(held)
	}
}

func BenchmarkGetBoolValueOverriddenNoAlloc(b *testing.B) {
	c := heldClient(b, nil, configJSON(1))
	c.overrides = startOverrides(&FlagOverrides{Behavior: LocalOverRemote, Values: map[string]any{"isOn": true}}, c.log)
	b.ReportAllocs()
	for b.Loop() {
		c.GetBoolValue("isOn", false, nil)
	}
}

func BenchmarkGetBoolValueHooked(b *testing.B) {
	c := heldClient(b, nil, configJSON(1))
	c.hooks = startHooks(&Hooks{OnFlagEvaluated: func(*EvaluationDetails) {}}, c.log)
	b.Cleanup(c.hooks.close)
	b.ReportAllocs()
	for b.Loop() {
		c.GetBoolValue("isOn", false, nil)
	}
}

func BenchmarkGetAllValues(b *testing.B) {
	c := heldClient(b, nil, configJSON(1))
	user := &UserData{Identifier: "1", Email: "a@example.com"}
	b.ReportAllocs()
	for b.Loop() {
		c.GetAllValues(user)
	}
}
