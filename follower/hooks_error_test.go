package follower

import (
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// Errors are reported at any log level; warnings are not.
func TestHooksReceiveErrors_S50(t *testing.T) {
	for name, logger := range map[string]*slog.Logger{
		"no logger":   nil,
		"level error": slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError})),
		"level off":   slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1})),
		"level info":  slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelInfo})),
	} {
		t.Run(name, func(t *testing.T) {
			var messages []string
			var codes []evaluate.ErrorCode
			hook := func(message string, err error) {
				messages = append(messages, message)
				failure, _ := errors.AsType[*evaluate.Error](err)
				if failure == nil {
					t.Errorf("%v", err)
					return
				}
				codes = append(codes, failure.Code)
			}
			c, wait := hookedClient(t, logger, []byte(partlyBroken), &Hooks{OnError: hook})
			c.GetBoolValue("good", false, nil)
			c.GetIntValue("missing", 1, nil)
			c.GetIntValue("bad", 1, nil)
			c.GetAllValues(nil)
			c.log.Warn(eventid.Lag, "a warning")
			wait()
			want := []string{
				"Failed to evaluate setting 'missing' (the key was not found in config JSON). Returning the `defaultValue` parameter that you specified in your application: '1'. Available keys: ['good', 'bad'].",
				"Error occurred in the `GetIntValue` method while evaluating setting 'bad'. Returning the `defaultValue` parameter that you specified in your application: '1'.",
				"Error occurred in the `GetAllValues` method. Returning evaluation result.",
			}
			if diff := cmp.Diff(want, messages); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]evaluate.ErrorCode{1001, 1, 1}, codes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Without a logger and without hooks the log is disabled.
func TestErrorsCostNothingWithoutLoggerAndHooks_S50(t *testing.T) {
	h := new(hookRunner)
	if log := eventlog.New(nil).For(h); log.Enabled(slog.LevelError) {
		t.Error("enabled")
	}
}
