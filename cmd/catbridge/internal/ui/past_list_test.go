package ui

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// historyReads counts the reads of histories.
type historyReads struct{ n atomic.Int64 }

func (h *historyReads) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h *historyReads) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if strings.EqualFold(command.Name(), "xrevrange") {
			h.n.Add(1)
		}
		return next(ctx, command)
	}
}

func (h *historyReads) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Questions about configs that do not exist do not make the dashboard read a history each time.
func TestReferencesThatLeadNowhereReadTheHistoryOnceAtMost(t *testing.T) {
	server := redistest.Start(t)
	view := twoVersions(t, server)
	client := server.Client(t, nil)
	reads := &historyReads{}
	client.AddHook(reads)
	const key = fakecdn.VersionFlag
	ask := func(u *UI, reference string, want ...string) {
		t.Helper()
		wantText(t, post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "at": {reference}}), 422, want...)
	}
	failing := []string{"yesterday", "1000000000000", "-7", "<b>", "9999999999999", "deadbeef", "999999h"}
	before := fmt.Sprint(view.History[1].Rev)

	// The view has the whole history.
	u := testUI(t, client, nil, view)
	for _, reference := range failing {
		ask(u, reference, "choose a config of the list")
	}
	if n := reads.n.Load(); n != 0 {
		t.Errorf("the history was read %d times for what the view knows", n)
	}

	// The view has the newest config only: one read says what the history has.
	short := *view
	short.History, short.Older = short.History[:1], true
	u = testUI(t, client, nil, &short)
	for range 3 {
		for _, reference := range failing {
			ask(u, reference, "choose a config of the list")
		}
	}
	if n := reads.n.Load(); n != 1 {
		t.Errorf("the history was read %d times, want once", n)
	}
	wantText(t, post(u, explainerToken, url.Values{"flag": {key}, "by": {"none"}, "at": {before}}), 200, "rev "+before+" of ")

	// A config whose content is lost is not read for again.
	reads.n.Store(0)
	u = testUI(t, client, nil, &short)
	keys := cachekeys.For(testKey, "", 0)
	client.Del(t.Context(), keys.Blob, keys.Entry)
	for range 3 {
		ask(u, before, history.ErrUnavailable.Error())
	}
	// Such a history is read three times at once: perhaps the leader writes.
	if n := reads.n.Load(); n > 3 {
		t.Errorf("the history was read %d times for a config that is lost", n)
	}

	// After a change the history is read again.
	reads.n.Store(0)
	changed := short
	changed.History = append(changed.History[:0:0], short.History...)
	changed.History[0].Rev++
	u.config.Observer = fixedViews{&changed}
	ask(u, before, history.ErrUnavailable.Error())
	if reads.n.Load() == 0 {
		t.Error("what was learned before a change counts after it")
	}
}
