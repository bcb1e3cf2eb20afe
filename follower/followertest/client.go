package followertest

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/wire"
)

// SDKKey is the SDK key of the clients, unless a test sets another.
const SDKKey = "configcat-sdk-1/followertest-000000000/followertest-000000000"

// Client is a [follower.Client] whose flags the test sets. Its methods are safe for concurrent
// use. Errors in them fail the test.
type Client struct {
	*follower.Client

	t     testing.TB
	store *store

	mu     sync.Mutex
	values map[string]any
}

// New returns a client with one flag for each key of values, see [ConfigJSON] for their types.
// The client is ready, its cache state is [follower.HasUpToDateFlagData], and it is closed at the
// end of the test. New copies the map.
//
// The configure functions may change the client's configuration, for example its hooks or its
// default user, but not its Redis.
func New(t testing.TB, values map[string]any, configure ...func(*follower.Config)) *Client {
	t.Helper()
	rdb := startRedis(t)
	cfg := follower.Config{SDKKey: SDKKey, Logger: slog.New(slog.DiscardHandler)}
	for _, change := range configure {
		change(&cfg)
	}
	cfg.Redis = rdb
	c := &Client{t: t, store: newStore(rdb, cfg.SDKKey, cfg.Namespace), values: maps.Clone(values)}
	if c.values == nil {
		c.values = map[string]any{}
	}
	content, err := ConfigJSON(c.values)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.store.write(t.Context(), content); err != nil {
		t.Fatalf("followertest: %v", err)
	}
	if c.Client, err = follower.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	<-c.Ready()
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatalf("followertest: %v", err)
	}
	return c
}

// Set sets the value of a flag, or adds the flag. When Set returns, evaluations return the new
// value. Hooks run in their own goroutine, as in production.
func (c *Client) Set(key string, value any) {
	c.t.Helper()
	c.change(func(values map[string]any) { values[key] = value })
}

// Delete removes a flag, with effect when it returns. It ignores a key that does not exist.
func (c *Client) Delete(key string) {
	c.t.Helper()
	c.change(func(values map[string]any) { delete(values, key) })
}

// SetAll replaces all flags, with effect when it returns.
func (c *Client) SetAll(values map[string]any) {
	c.t.Helper()
	c.change(func(held map[string]any) {
		clear(held)
		maps.Copy(held, values)
	})
}

// SetConfigJSON replaces all flags with those of a config JSON v6 as ConfigCat serves it,
// including targeting rules. A later Set or Delete discards these and starts from the values
// before.
func (c *Client) SetConfigJSON(content []byte) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publish(content)
}

func (c *Client) change(change func(values map[string]any)) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	next := maps.Clone(c.values)
	change(next)
	content, err := ConfigJSON(next)
	if err != nil {
		c.t.Error(err)
		return
	}
	if c.publish(content) {
		c.values = next
	}
}

func (c *Client) publish(content []byte) bool {
	c.t.Helper()
	if _, err := evaluate.Parse(content); err != nil {
		c.t.Errorf("followertest: %v", err)
		return false
	}
	ctx := context.WithoutCancel(c.t.Context()) // cleanup functions may set flags, too
	if err := c.store.write(ctx, content); err != nil {
		c.t.Errorf("followertest: %v", err)
		return false
	}
	hash := wire.ContentHash(content)
	for range 2 { // the first may join a refresh of the code under test that started earlier
		if err := c.Refresh(ctx); err != nil {
			c.t.Errorf("followertest: %v", err)
			return false
		}
		if c.Stats().Hash == hash {
			break
		}
	}
	return true
}

// startRedis starts a Redis in memory and returns a client of it. Connections are pipes without a
// listener, so it works in a synctest bubble, too.
func startRedis(t testing.TB) *redis.Client {
	t.Helper()
	server := miniredis.NewMiniRedis()
	rdb := redis.NewClient(&redis.Options{
		// An IP address: a host name would be looked up outside the bubble.
		Addr: "127.0.0.1:6379",
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			pipe, err := server.Dial()
			if err != nil {
				return nil, err
			}
			return newConn(pipe), nil
		},
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() {
		_ = rdb.Close()
		server.Close()
	})
	return rdb
}
