package interop

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

// TestF35_OfficialSDKFollowsALeader makes the official SDK read the entry after each kind
// of answer of the CDN: first content, changed content, and 304.
func TestF35_OfficialSDKFollowsALeader(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	cdn := fakecdn.New()
	messages := client.Subscribe(t.Context(), cachekeys.For(sdkKey, "", 0).Events)
	t.Cleanup(func() { _ = messages.Close() })
	if _, err := messages.Receive(t.Context()); err != nil { // the acknowledgement
		t.Fatal(err)
	}
	lead, refresh := startLeader(t, client, cdn)

	first := await(t, messages, func(m wire.Message) bool { return m.Type == wire.Change })
	requireEntry(t, client, first.Rev, cdn.Config())
	sdk := startSDK(t, server.URL())
	requireVersion(t, sdk.first(t), first.Rev, 1)

	cdn.Publish()
	refresh()
	changed := await(t, messages, func(m wire.Message) bool {
		return m.Type == wire.Change && m.Hash != first.Hash
	})
	requireEntry(t, client, changed.Rev, cdn.Config())
	requireVersion(t, sdk.next(t), changed.Rev, 2)

	refresh()
	confirmed := await(t, messages, func(m wire.Message) bool {
		return m.Type == wire.Heartbeat && m.CDN > changed.CDN
	})
	if n := lead.Stats().Keys[0].NotModified; n != 1 {
		t.Errorf("%d answers 304, want 1", n)
	}
	if !(first.Rev < changed.Rev && changed.Rev < confirmed.Rev) {
		t.Errorf("fetch times %d, %d, %d do not rise", first.Rev, changed.Rev, confirmed.Rev)
	}
	requireEntry(t, client, confirmed.Rev, cdn.Config())
	requireVersion(t, sdk.next(t), confirmed.Rev, 2)
}

// startLeader starts a leader that stops at the end of the test. The returned function asks
// it to poll now.
func startLeader(t *testing.T, client *redis.Client, cdn *fakecdn.CDN) (*leader.Leader, func()) {
	t.Helper()
	return startLeaderIn(t, client, "", cdn)
}

// startLeaderIn is [startLeader] in a namespace; empty: none.
func startLeaderIn(t *testing.T, client *redis.Client, namespace string, cdn *fakecdn.CDN) (*leader.Leader, func()) {
	t.Helper()
	l, err := leader.New(leader.Config{
		Redis:     client,
		Namespace: namespace,
		SDKKeys:   []leader.SDKKey{{Name: "interop", Key: sdkKey, BaseURL: "http://cdn.example"}},
		Transport: cdn,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Errorf("leader: %v", err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	return l, func() {
		t.Helper()
		if err := l.RequestRefresh(ctx, "interop"); err != nil {
			t.Fatal(err)
		}
	}
}

// await receives messages until one matches.
func await(t *testing.T, messages *redis.PubSub, match func(wire.Message) bool) wire.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		received, err := messages.ReceiveMessage(ctx)
		if err != nil {
			t.Fatalf("the message that was waited for did not come: %v", err)
		}
		m, err := wire.ParseMessage([]byte(received.Payload))
		if err != nil {
			t.Fatal(err)
		}
		if match(m) {
			return m
		}
	}
}

func requireEntry(t *testing.T, client *redis.Client, rev int64, config fakecdn.Config) {
	t.Helper()
	have, err := client.Get(t.Context(), cacheKey).Result()
	if err != nil {
		t.Fatal(err)
	}
	requireBytes(t, have, strconv.FormatInt(rev, 10)+"\n"+config.ETag()+"\n"+string(config.JSON()))
}

func requireVersion(t *testing.T, r reading, rev, version int64) {
	t.Helper()
	if r.FetchTime != rev || r.Flags[fakecdn.VersionFlag].Value != float64(version) || len(r.Errors) > 0 {
		t.Errorf("the official SDK read %+v, want version %d of %d", r, version, rev)
	}
}
