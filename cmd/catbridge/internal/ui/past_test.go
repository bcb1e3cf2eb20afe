package ui

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

// twoVersions runs a leader that publishes two versions, and returns the view of the second.
func twoVersions(t *testing.T, server *redistest.Process) *observe.View {
	t.Helper()
	client := server.Client(t, nil)
	cdn := fakecdn.New()
	l, err := leader.New(leader.Config{
		Redis: client, SDKKeys: []leader.SDKKey{{Name: "shop", Key: testKey, BaseURL: "http://cdn.test"}}, Transport: cdn,
		Timings: leader.FastTimings(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	defer func() { cancel(); <-done }()
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
	if err := l.RequestRefresh(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	await(2)
	h, err := history.Read(t.Context(), client, testKey, "")
	if err != nil {
		t.Fatal(err)
	}
	json, err := h.Content(0)
	if err != nil {
		t.Fatal(err)
	}
	view := &observe.View{Label: "shop", Read: time.Now(), Config: testConfig(t, string(json)), Rev: h.Rev, Hash: h.Versions[0].Hash}
	for _, v := range h.Versions {
		view.History = append(view.History, observe.Version{Version: v})
	}
	return view
}

func TestAFlagIsExplainedInConfigsOfTheHistory(t *testing.T) {
	server := redistest.Start(t)
	view := twoVersions(t, server)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	u := testUI(t, client, nil, view)
	const key = fakecdn.VersionFlag
	now, before := fmt.Sprint(view.History[0].Rev), fmt.Sprint(view.History[1].Rev)
	valueIn := func(version int64) string {
		config := testConfig(t, string((fakecdn.Config{Version: version}).JSON()))
		result := config.Evaluate(key, nil, evaluate.Value{}, nil)
		return valueText(result.Value, maxText)
	}
	wantText(t, get(u, explainerToken, pathOf("flags", "shop", key)), 200, "Config in force", "rev "+before, "Compare with none")
	wantText(t, post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "at": {before}}), 200, "rev "+before+" of ", valueIn(1))
	wantText(t, post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "versus": {before}}), 200, "in force "+valueIn(2), "rev "+before+" of ")
	wantText(t, post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "at": {before}, "versus": {now}}), 200, "The configs serve")
	wantText(t, post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "at": {"-1"}}), 200, "rev "+before+" of ")
	for reference, want := range map[string]string{"yesterday": "not a rev, hash, number or time", "1000000000000": "not in the history", "-7": "not in the history", "<b>": "not a rev"} {
		w := post(u, explainerToken, url.Values{"flag": {key}, "by": {"fields"}, "identifier": {"kept"}, "at": {reference}})
		wantText(t, w, 422, want)
		if page := w.Body.String(); !strings.Contains(page, `value="kept"`) || strings.Contains(page, "<b>") {
			t.Errorf("%s: the form is not kept, or has markup", reference)
		}
	}

	// A known rev costs no command, and many at once are read one after the other.
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	wantText(t, post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "at": {before}}), 200, valueIn(1))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if w := post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "at": {"-1"}}); w.Code != 422 || !strings.Contains(text(w), "the history cannot be read") {
				t.Errorf("without Redis: %d, %s", w.Code, text(w))
			}
		})
	}
	all.Wait()
}

// rekeyed is an observer whose label shop is that of another SDK key.
type rekeyed struct{ Observer }

func (rekeyed) Secret(string) (string, bool) { return sdkSecret, true }

// After the SDK key of a name is replaced, configs of the one before are not explained as its own.
func TestConfigsOfAnotherSDKKeyWithTheSameNameAreNotExplained(t *testing.T) {
	server := redistest.Start(t)
	view := twoVersions(t, server)
	client := server.Client(t, nil)
	u := testUI(t, client, nil, view)
	const key = fakecdn.VersionFlag
	ask := url.Values{"flag": {key}, "by": {"none"}, "at": {fmt.Sprint(view.History[1].Rev)}}
	wantText(t, post(u, explainerToken, ask), 200, "rev "+ask.Get("at")+" of ")
	u.config.Observer = rekeyed{u.config.Observer}
	wantText(t, post(u, explainerToken, ask), 422, "not in the history")
}
