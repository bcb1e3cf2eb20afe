package follower

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/redisnode"
)

// Client evaluates the feature flags of one SDK key. It reads their config from Redis in
// the background, so evaluations do not wait for Redis (I5). All methods are safe for
// concurrent use.
type Client struct {
	evaluator
	holder      *snapshot.Holder
	feed        *feed.Member // nil: there is no Redis
	updater     *updater
	overrides   *overrides // nil: none
	saver       *saver     // nil: there is no snapshot file
	defaultUser atomic.Pointer[User]

	ready      chan struct{}
	stop       chan struct{}
	background sync.WaitGroup
	closed     sync.Once
}

// NewClient starts a client with the default configuration, see [New].
func NewClient(sdkKey string, client redis.UniversalClient) (*Client, error) {
	return New(Config{SDKKey: sdkKey, Redis: client})
}

// New starts a client. It reads the files that cfg names and waits for nothing else, see
// [Client.Ready]. New returns an error only if cfg is invalid; the error joins all its faults.
func New(cfg Config) (*Client, error) {
	cfg, fetcher, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if cfg.isLocalOnly() {
		return newLocalOnly(cfg), nil
	}
	log := eventlog.New(cfg.Logger, "sdk_key", cdn.Mask(cfg.SDKKey))
	c := newClient(cfg, log)
	c.holder = snapshot.NewHolder(func(s *snapshot.Snapshot) {
		c.hooks.configChanged(s.Config)
		if c.saver != nil {
			c.saver.changed()
		}
	})
	keys := cachekeys.For(cfg.SDKKey, cfg.Namespace, redisnode.OptionsOf(cfg.Redis).DB)
	c.startSources(cfg, keys, fetcher)
	select {
	case <-c.updater.initial:
		c.awaitReady(0)
	default:
		c.background.Go(func() { c.awaitReady(cfg.MaxInitWait) })
	}
	if register(c, sameFlags{cfg.Redis, keys}) { // last: from now on, CloseAll may close it
		c.log.Warn(eventid.AnotherClient, "Another live client uses this SDK key and the same Redis client. One client per SDK key is advised.")
	}
	return c, nil
}

// newLocalOnly starts a client that uses only overrides. It is ready at once (S60).
func newLocalOnly(cfg Config) *Client {
	c := newClient(cfg, eventlog.New(cfg.Logger))
	c.holder = snapshot.NewHolder(nil)
	c.updater = idleUpdater(c.holder)
	c.awaitReady(0)
	register(c, sameFlags{})
	return c
}

// newClient starts what all clients have: hooks, the default user and overrides. The client has no
// holder and no updater yet.
func newClient(cfg Config, log eventlog.Log) *Client {
	hooks := startHooks(cfg.Hooks, log)
	log = log.For(hooks)
	c := &Client{
		evaluator: evaluator{log: log, hooks: hooks, failed: new(failures)},
		ready:     make(chan struct{}), stop: make(chan struct{}),
	}
	c.SetDefaultUser(cfg.DefaultUser)
	c.overrides = startOverrides(cfg.FlagOverrides, log)
	return c
}

func (c *Client) startSources(cfg Config, keys cachekeys.Keys, fetcher *fetcher) {
	var known *snapshot.Snapshot
	if cfg.SnapshotFile != "" {
		c.saver = startSaver(cfg.SnapshotFile, keys.Scope(), c.log, c.holder)
		var err error
		if known, err = readFile(cfg.SnapshotFile, keys.Scope()); err != nil {
			c.log.Error(eventid.FileRead, "The snapshot file is invalid; starting without it.", eventlog.Err(err))
		}
	}
	if cfg.Redis == nil {
		c.holder.Offer(known)
	} else {
		reports, _ := cfg.reports() // checked by complete
		options := feed.Options{
			Redis: cfg.Redis, Keys: keys, Timings: feed.Timings(cfg.Timings), Listen: cfg.PollingMode == Subscribe, Report: reports,
		}
		c.feed = feed.Join(options, c.log, c.holder, known)
	}
	cache := cfg.Cache
	if cache != nil {
		cache = guardedCache{cache}
	}
	c.updater = &updater{
		mode: cfg.PollingMode, interval: cfg.PollInterval, noWait: cfg.NoWaitForRefresh,
		holder: c.holder, feed: c.feed, cache: cache, cacheKey: keys.Entry, fetcher: fetcher, log: c.log, ready: c.ready,
		online: cfg.Online,
	}
	c.updater.start()
}

func (c *Client) awaitReady(most time.Duration) {
	defer close(c.ready)
	defer func() {
		if !c.isClosed() {
			c.hooks.clientReady(c.CacheState())
		}
	}()
	var late <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-c.updater.initial:
	case <-late:
	case <-c.stop:
	}
}

// Ready returns a channel that is closed after the first sync, even if it failed, or after
// Config.MaxInitWait (S46). The first sync reads Redis and the Cache. If the client is online
// and their content has expired, it also asks the CDN, except in the modes Lazy and Manual. A
// closed channel does not mean that there is a config. Evaluations need not wait for it.
func (c *Client) Ready() <-chan struct{} { return c.ready }

// WaitForReady waits for [Client.Ready] and returns the cache state at that time. The error
// wraps ctx's cause, or is [ErrClosed].
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
