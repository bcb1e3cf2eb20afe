package history_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

// In a cluster all keys of an SDK key share a slot, the history included.
func TestHistoryInACluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	cdn := fakecdn.New()
	l, err := leader.New(leader.Config{
		Redis: cluster.Client(t, nil), SDKKeys: []leader.SDKKey{{Name: "main", Key: testKey, BaseURL: "http://cdn.test"}}, Transport: cdn,
		Timings: leader.FastTimings(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	await := func(entries int64) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); l.Stats().Keys[0].HistoryEntries != entries; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("never %d entries: %+v", entries, l.Stats().Keys[0])
			}
		}
	}
	await(1)
	cdn.Publish()
	if err := l.RequestRefresh(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	await(2)
	h, err := history.Read(t.Context(), cluster.Client(t, nil), testKey, "")
	if err != nil || len(h.Versions) != 2 {
		t.Fatalf("%+v, %v", h, err)
	}
	for i, version := range []int64{2, 1} {
		if json, err := h.Content(i); err != nil || string(json) != string((fakecdn.Config{Version: version}).JSON()) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}
