package follower

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/follower/internal/eventid"
)

// The default logger receives events from warn on, or from LogLevel on.
func TestWithoutALoggerTheDefaultOneIsUsed_S100(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var out bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for name, test := range map[string]struct {
		logger       *slog.Logger
		level        slog.Leveler
		warns, infos bool
	}{
		"nothing": {warns: true},
		"level":   {level: LogLevelInfo, warns: true, infos: true},
		"error":   {level: LogLevelError},
		"none":    {level: LogLevelNone},
		"discard": {logger: slog.New(slog.DiscardHandler), level: LogLevelDebug},
	} {
		out.Reset()
		c, err := New(Config{FlagOverrides: &FlagOverrides{Values: map[string]any{"a": true}}, Logger: test.logger, LogLevel: test.level})
		if err != nil {
			t.Fatal(err)
		}
		c.GetBoolValue("a", false, nil)
		c.SetOnline() // logs a warning
		c.Close()
		if warns, infos := strings.Contains(out.String(), "event_id=3202"), strings.Contains(out.String(), "event_id=5000"); warns != test.warns || infos != test.infos {
			t.Errorf("%s: warns %v, infos %v:\n%s", name, warns, infos, &out)
		}
	}
	out.Reset()
	s, err := NewSnapshot(nil, map[string]any{"a": true})
	if err != nil {
		t.Fatal(err)
	}
	s.GetValue("a")
	if s.GetValue("b"); strings.Contains(out.String(), "event_id=5000") || !strings.Contains(out.String(), "event_id=1001") {
		t.Errorf("a snapshot:\n%s", &out)
	}
}

// The error has the official SDK's name.
func TestAMissingKeyIsLoggedWithTheExistingKeys(t *testing.T) {
	c := local(t, nil, FlagOverrides{Values: map[string]any{"a": true, "b": 1}})
	err := c.GetBoolValueDetails("c", false, nil).Data.Error
	missing, ok := errors.AsType[ErrKeyNotFound](err)
	if diff := cmp.Diff(ErrKeyNotFound{Key: "c", AvailableKeys: []string{"a", "b"}}, missing); !ok || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if text := missing.Error(); !strings.Contains(text, "'c'") || !strings.Contains(text, "['a', 'b']") {
		t.Error(text)
	}
	if _, ok := errors.AsType[ErrKeyNotFound](c.GetStringValueDetails("a", "", nil).Data.Error); ok {
		t.Error("another failure is a missing key, too")
	}
}

// Neither clients with overrides only nor online ones count.
func TestClientsWithoutRedisDoNotCountAsOthers_S1(t *testing.T) {
	log, _ := recorded(slog.LevelWarn)
	for range 2 {
		local(t, slog.New(log), FlagOverrides{Values: map[string]any{"a": true}})
		c, err := New(Config{SDKKey: testSDKKey, PollingMode: Manual, Online: true, Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported }), Logger: slog.New(log)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
	}
	if found := log.with(eventid.AnotherClient); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// GetNumberValueDetails reads numbers of both types.
func TestNumbersOfEitherTypeAreRead(t *testing.T) {
	c := heldClient(t, nil, []byte(`{"f":{"whole":{"t":2,"v":{"i":7}},"decimal":{"t":3,"v":{"d":0.5}},"text":{"t":1,"v":{"s":"x"}}}}`))
	for key, want := range map[string]float64{"whole": 7, "decimal": 0.5, "text": 2} {
		d := c.GetNumberValueDetails(key, 2, nil)
		if d.Value != want || d.Data.IsDefaultValue != (key == "text") || d.Data.Static == (key == "text") {
			t.Errorf("%s: %+v", key, d)
		}
	}
}
