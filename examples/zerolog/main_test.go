package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
)

// lines is a writer that is safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.text.String()), "\n")
}

func TestEventsGoThroughZerolog(t *testing.T) {
	var out lines
	flags := followertest.New(t, map[string]any{"on": true}, func(cfg *follower.Config) {
		cfg.Logger, cfg.LogLevel = newLogger(&out, zerolog.InfoLevel), follower.LogLevelInfo
	})
	flags.GetBoolValue("on", false, nil)
	flags.GetBoolValue("none", false, nil)
	levels := map[float64]string{}
	for _, line := range out.all() {
		var event struct {
			Level   string  `json:"level"`
			ID      float64 `json:"event_id"`
			Message string  `json:"message"`
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Message == "" {
			t.Errorf("%q: %v", line, err)
		}
		levels[event.ID] = event.Level
	}
	if levels[5000] != "info" || levels[1001] != "error" {
		t.Errorf("events and their levels %v", levels)
	}
	if text := strings.Join(out.all(), ""); strings.Contains(text, followertest.SDKKey) {
		t.Errorf("the SDK key is shown: %s", text)
	}
}
