package follower

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// User is whom an evaluation is for: nil (nobody), a [*UserData], a map[string]any or
// map[string]string, anything with GetAttribute(string) any, or a struct or a pointer
// to one (S33).
type User = any

// UserData is the usual user object (S25).
type UserData = evaluate.UserData

// Client evaluates the feature flags of one SDK key. It takes their config from
// Redis in the background, so that no evaluation waits for anything but memory (I5).
// All methods are safe for concurrent use.
type Client struct {
	evaluator
	holder      *holder
	feed        *feed
	leaveFeed   func()
	defaultUser atomic.Pointer[User]

	ready  chan struct{}
	stop   chan struct{}
	waits  sync.WaitGroup
	closed sync.Once
}

// NewClient starts a client with the defaults: see [New].
func NewClient(sdkKey string, client redis.UniversalClient) (*Client, error) {
	return New(Config{SDKKey: sdkKey, Redis: client})
}

// New starts a client. It waits for nothing: see [Client.Ready]. The errors are those of
// the config, all of them together; no error depends on Redis.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	log := eventlog.New(cfg.Logger, "sdk_key", cdn.Mask(cfg.SDKKey))
	hooks := startHooks(cfg.Hooks, log)
	log = log.For(hooks)
	c := &Client{
		evaluator: evaluator{log: log, hooks: hooks}, holder: &holder{},
		ready: make(chan struct{}), stop: make(chan struct{}),
	}
	c.SetDefaultUser(cfg.DefaultUser)
	c.holder.changed = func(s *snapshot) { c.hooks.configChanged(s.config) }
	keys := cachekeys.For(cfg.SDKKey)
	if register(c, sameFlags{cfg.Redis, keys.Entry}) {
		log.Warn(eventAnotherClient, "Another live client uses this SDK key and the same Redis client. One client per SDK key is advised.")
	}
	c.feed, c.leaveFeed = acquireFeed(feedKey{cfg.Redis, keys.Entry, cfg.Timings}, keys, &member{log, c.holder})
	c.waits.Go(func() { c.awaitReady(cfg.MaxInitWait) })
	return c, nil
}

func (c *Client) awaitReady(most time.Duration) {
	defer close(c.ready)
	defer func() { c.hooks.clientReady(c.CacheState()) }()
	var late <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-c.feed.synced:
	case <-late:
	case <-c.stop:
	}
}

// Close stops the client and waits until nothing of it runs any more, but for a hook
// that is being called at this moment. Evaluation goes on answering from memory. A Redis
// that does not answer delays it by at most the Redis client's ReadTimeout. It may be
// called often.
func (c *Client) Close() {
	c.closed.Do(func() {
		close(c.stop)
		unregister(c)
		c.leaveFeed()
		c.hooks.close()
		c.waits.Wait()
	})
}

// Ready is closed when the first sync with Redis has been tried, whatever it gave, or
// after Config.MaxInitWait (S46). It does not promise data. Evaluation needs not wait
// for it.
func (c *Client) Ready() <-chan struct{} { return c.ready }

// WaitForReady waits for [Client.Ready] and says what there is to evaluate then. The
// error is ctx's, or [ErrClosed].
func (c *Client) WaitForReady(ctx context.Context) (CacheState, error) {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return c.CacheState(), fmt.Errorf("follower: wait until ready: %w", context.Cause(ctx))
	}
	if c.isClosed() {
		return c.CacheState(), ErrClosed
	}
	return c.CacheState(), nil
}

// Refresh reads the config from Redis now (S21). Callers that come while such a read is
// under way get its result (S45). An error means that Redis did not answer, or names
// content that could not be had; what is held stays in force. It is [ErrClosed] after
// [Client.Close], and ctx's if that is done sooner.
//
// It does not make the leader ask the CDN.
func (c *Client) Refresh(ctx context.Context) error {
	if c.isClosed() {
		c.logClosed("Refresh")
		return ErrClosed
	}
	return c.feed.refresh(ctx)
}

func (c *Client) isClosed() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// load gives what an evaluation goes by; nil: there is no config.
func (c *Client) load() *snapshot { return c.holder.current.Load() }

func (c *Client) logClosed(method string) {
	c.log.Warn(eventClosedNoEffect, "The client object is already closed, thus `"+method+"()` has no effect.")
}

// CacheState says what there is to evaluate at this moment (S47).
func (c *Client) CacheState() CacheState {
	switch {
	case c.load() == nil:
		return NoFlagData
	case c.holder.answer().upToDate(time.Now()):
		return HasUpToDateFlagData
	default:
		return HasCachedFlagDataOnly
	}
}

// Stats tells the client's state.
func (c *Client) Stats() Stats {
	f := c.feed
	link := f.link.Load()
	stats := Stats{State: link.state, Epoch: link.epoch, Poll: link.poll, Counters: f.counters()}
	stats.DroppedHooks, stats.HookPanics = c.hooks.counts()
	if c.isClosed() {
		stats.State = Closed
	}
	if s := c.holder.current.Load(); s != nil {
		stats.Rev, stats.Hash, stats.ETag, stats.Source = s.rev, s.hash, s.etag, s.source
	}
	stats.Age, stats.HasCDN = c.holder.age(time.Now())
	return stats
}
