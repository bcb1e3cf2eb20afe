package eventlog_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// S100: the ID is before the text and in an attribute.
func TestEventsContainTheirID(t *testing.T) {
	var out bytes.Buffer
	log := eventlog.New(slog.New(slog.NewTextHandler(&out, nil)), "sdk_key", "main")
	log.Debug(0, "hidden")
	log.Info(5000, "Evaluating.")
	log.Warn(3001, "No user.", slog.String("flag", "a"))
	log.Error(1100, "Failed.", eventlog.Err(errors.New("why")), eventlog.Err(nil))
	for _, want := range []string{
		`level=INFO msg="[5000] Evaluating." sdk_key=main event_id=5000`,
		`level=WARN msg="[3001] No user." sdk_key=main flag=a event_id=3001`,
		`level=ERROR msg="[1100] Failed." sdk_key=main error=why event_id=1100`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "hidden") {
		t.Error("a level that is off was written")
	}
}

func TestZeroLogLogsNothing(t *testing.T) {
	var log eventlog.Log
	log.Error(1, "x")
	eventlog.New(nil).Error(1, "x")
	if log.Enabled(slog.LevelError) || log.Logger() != nil {
		t.Error("the zero log is enabled")
	}
}
