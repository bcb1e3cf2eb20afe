package openfeature_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/catbridge/catbridge/follower/openfeature"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// eventsOf collects the provider's events of a type.
func eventsOf(api *of.EvaluationAPI, event of.EventType) <-chan of.EventDetails {
	events := make(chan of.EventDetails, 100)
	handler := func(d of.EventDetails) { events <- d }
	api.AddHandler(event, &handler)
	return events
}

func TestConfigurationChangeSendsAnEvent(t *testing.T) {
	flags := followertest.New(t, map[string]any{"on": false, "other": 1})
	api, client := start(t, flags.Client)
	changes := eventsOf(api, of.ProviderConfigChange)
	flags.Set("on", true)
	if d := <-changes; d.ProviderName != openfeature.Name || !slices.Equal(d.FlagChanges, []string{"on"}) {
		t.Errorf("the event is %+v", d)
	}
	content, err := followertest.ConfigJSON(map[string]any{"on": true, "text": "x"})
	if err != nil {
		t.Fatal(err)
	}
	flags.SetConfigJSON(content)
	if d := <-changes; !slices.Equal(d.FlagChanges, []string{"text", "other"}) {
		t.Errorf("the event is %+v", d)
	}
	if !client.Boolean(t.Context(), "on", false, of.EvaluationContext{}) {
		t.Error("the value of before the change")
	}
}

// It starts with an empty Redis, and fills it as an official SDK does: without a confirmation by
// the CDN, the state after the error is stale.
func TestStateIsErrorUntilTheFirstConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := redistest.Virtual(t)
		client, err := follower.NewClient(followertest.SDKKey, server.Client(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		api := isolated.NewAPI()
		t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
		if err := api.SetProviderAndWait(t.Context(), openfeature.NewProvider(client)); err == nil {
			t.Error("initialized without a config")
		}
		flags := api.NewClient()
		if state := flags.State(); state != of.ErrorState {
			t.Errorf("state %s without a config", state)
		}
		d, err := flags.BooleanValueDetails(t.Context(), "on", true, of.EvaluationContext{})
		if err == nil || !d.Value || d.ErrorCode != of.ProviderNotReadyCode {
			t.Errorf("%+v without a config, error %v", d, err)
		}

		time.Sleep(3*time.Second + time.Millisecond) // the next check follows almost 1 s later
		content, err := followertest.ConfigJSON(map[string]any{"on": false})
		if err != nil {
			t.Fatal(err)
		}
		entry := cachekeys.Entry{FetchTime: time.Now().UnixMilli(), ETag: "e", JSON: content}
		rdb := server.Client(t, nil)
		if err := rdb.Set(t.Context(), cachekeys.For(followertest.SDKKey, "", 0).Entry, entry.Append(nil), 0).Err(); err != nil {
			t.Fatal(err)
		}
		if err := client.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if state := flags.State(); state != of.StaleState {
			t.Errorf("state %s with a config that the CDN did not confirm", state)
		}
		if flags.Boolean(t.Context(), "on", true, of.EvaluationContext{}) {
			t.Error("a stale provider does not evaluate")
		}
	})
}

func TestStaleEndsWithTheNextConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := redistest.Virtual(t)
		rdb := server.Client(t, nil)
		answered(t, rdb)
		follow, err := follower.NewClient(followertest.SDKKey, server.Client(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(follow.Close)
		api, client := start(t, follow)
		stale, ready := eventsOf(api, of.ProviderStale), eventsOf(api, of.ProviderReady)
		<-ready // a new handler receives the current state at once
		time.Sleep(2 * time.Minute)
		<-stale
		if state := client.State(); state != of.StaleState {
			t.Errorf("state %s two minutes after the last answer of the CDN", state)
		}
		answered(t, rdb)
		if err := follow.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-ready
		if state := client.State(); state != of.ReadyState {
			t.Errorf("state %s after a new answer", state)
		}
	})
}

// answered writes to Redis what a leader that polls every minute writes after an answer of the CDN.
func answered(t *testing.T, rdb *redis.Client) {
	t.Helper()
	content, err := followertest.ConfigJSON(map[string]any{"on": true})
	if err != nil {
		t.Fatal(err)
	}
	keys, now, hash := cachekeys.For(followertest.SDKKey, "", 0), time.Now().UnixMilli(), wire.ContentHash(content)
	codec, payload := wire.Encode(content)
	blob := wire.Blob{Rev: now, Hash: hash, Codec: codec, Payload: payload}
	if err := rdb.Set(t.Context(), keys.Blob, blob.Append(nil), 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.HSet(t.Context(), keys.Meta, "epoch", wire.MinRev, "rev", now, "hash", hash, "len", len(content),
		"etag", "e", "cdn", now, "poll", time.Minute.Milliseconds()).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestInitializationEndsWithItsContext(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	t.Cleanup(func() { _ = rdb.Close() })
	client, err := follower.New(follower.Config{SDKKey: followertest.SDKKey, Redis: rdb, MaxInitWait: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	provider := openfeature.NewProvider(client)
	if err := provider.InitWithContext(ctx, of.EvaluationContext{}); err == nil {
		t.Error("initialized though the context was done")
	}
}

func TestClosedClientIsFatal(t *testing.T) {
	flags := followertest.New(t, nil)
	flags.Close()
	api := isolated.NewAPI()
	t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
	if err := api.SetProviderAndWait(t.Context(), openfeature.NewProvider(flags.Client)); err == nil {
		t.Error("initialized on a closed client")
	}
	if state := api.NewClient().State(); state != of.FatalState {
		t.Errorf("state %s", state)
	}
}

// In TestMain, goleak finds goroutines that a shutdown does not end.
func TestShutdownAndInitializationMayRepeat(t *testing.T) {
	flags := followertest.New(t, map[string]any{"on": true})
	provider := openfeature.NewProvider(flags.Client)
	for range 3 {
		for range 2 { // for two domains
			if err := provider.Init(of.EvaluationContext{}); err != nil {
				t.Fatal(err)
			}
		}
		flags.Set("on", true) // an event that no one receives
		provider.Shutdown()
		provider.Shutdown()
	}
	if !flags.GetBoolValue("on", false, nil) {
		t.Error("the client does not evaluate after the provider's shutdown")
	}
}
