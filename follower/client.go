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
	"github.com/catbridge/catbridge/internal/subscription"
)

// User is the user of an evaluation: nil (no user), a [*UserData], a map[string]any or
// map[string]string, anything with a method GetAttribute(string) any, or a struct or a
// pointer to one (S33).
type User = any

// UserData is the usual user object (S25).
type UserData = evaluate.UserData

// Client evaluates the feature flags of one SDK key. It reads their config from Redis in
// the background, so evaluations do not wait for Redis (I5). All methods are safe for
// concurrent use.
type Client struct {
	evaluator
	holder      *holder
	feed        *feed // nil: there is no Redis
	leaveFeed   func()
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
	hooks := startHooks(cfg.Hooks, log)
	log = log.For(hooks)
	c := &Client{
		evaluator: evaluator{log: log, hooks: hooks, failed: new(failures)}, holder: &holder{},
		ready: make(chan struct{}), stop: make(chan struct{}),
	}
	c.SetDefaultUser(cfg.DefaultUser)
	c.overrides = startOverrides(cfg.FlagOverrides, log)
	c.holder.changed = func(s *snapshot) {
		c.hooks.configChanged(s.config)
		if c.saver != nil {
			c.saver.changed()
		}
	}
	keys := cachekeys.For(cfg.SDKKey, cfg.Namespace, subscription.Database(cfg.Redis))
	c.startSources(cfg, keys, fetcher)
	select {
	case <-c.updater.initial:
		c.awaitReady(0)
	default:
		c.background.Go(func() { c.awaitReady(cfg.MaxInitWait) })
	}
	if register(c, sameFlags{cfg.Redis, keys}) { // last: from now on, CloseAll may close it
		log.Warn(eventAnotherClient, "Another live client uses this SDK key and the same Redis client. One client per SDK key is advised.")
	}
	return c, nil
}

func (c *Client) startSources(cfg Config, keys cachekeys.Keys, fetcher *fetcher) {
	var known *snapshot
	if cfg.SnapshotFile != "" {
		c.saver = startSaver(cfg.SnapshotFile, keys.Scope(), c.log, c.holder)
		var err error
		if known, err = readFile(cfg.SnapshotFile, keys.Scope()); err != nil {
			c.log.Error(eventFileRead, "The snapshot file is invalid; starting without it.", eventlog.Err(err))
		}
	}
	c.leaveFeed = func() {}
	if cfg.Redis == nil {
		c.holder.offer(known, false)
	} else {
		fleet, _ := cfg.fleetOptions() // checked by complete
		if known.isOwn() {
			c.holder.preload(known)
			known = nil // revs do not order it, so other clients of the feed must not get it
		}
		key := feedKey{cfg.Redis, keys, cfg.Timings, cfg.PollingMode == Subscribe, fleet}
		c.feed, c.leaveFeed = acquireFeed(key, &member{log: c.log, holder: c.holder}, known)
	}
	cache := cfg.Cache
	if cache != nil {
		cache = guardedCache{cache}
	}
	c.updater = &updater{
		mode: cfg.PollingMode, interval: cfg.PollInterval, noWait: cfg.NoWaitForRefresh,
		holder: c.holder, feed: c.feed, cache: cache, cacheKey: keys.Entry, fetcher: fetcher, log: c.log, ready: c.ready,
		initial: make(chan struct{}), online: cfg.Online,
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

// Close stops the client and waits for its goroutines, except for a hook that is running.
// Evaluations continue to use the config in memory. If Redis does not answer, Close takes at
// most the Redis client's ReadTimeout longer; slow OnFlagEvaluated hooks delay it by at most
// 1 s. Close is idempotent.
func (c *Client) Close() {
	c.closed.Do(func() {
		close(c.stop)
		unregister(c)
		c.updater.close()
		c.leaveFeed()
		if c.saver != nil {
			c.saver.close()
		}
		c.overrides.close()
		c.hooks.close()
		c.background.Wait()
	})
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

// Refresh reads the config from Redis now and, if the client is online, asks the CDN (S21).
// Concurrent calls share one refresh and its result (S45). After any error the config in
// force stays. With flag overrides of the behavior [LocalOnly] Refresh does nothing and
// returns nil. The errors are:
//
//   - [ErrOffline]: only the CDN could be asked, and the client is offline (3200);
//   - a [*FetchError]: the CDN returned no usable answer (1100–1106), or its last Retry-After
//     is not over (S85);
//   - [ErrClosed], after [Client.Close];
//   - the cause of ctx's end, if ctx ends first;
//   - others: the client is offline and Redis did not answer, or lacks the content that its
//     meta names; the CDN alternates between two configs; or the Transport panicked (1003).
//
// Refresh does not make the leader ask the CDN.
func (c *Client) Refresh(ctx context.Context) error {
	return c.refresh(ctx, "Refresh", always)
}

// RefreshIfOlder is like [Client.Refresh] if the CDN's last answer about the config in force
// is older than age; otherwise it does nothing (S21). If Redis then has a config that is not
// older, it does not ask the CDN.
func (c *Client) RefreshIfOlder(ctx context.Context, age time.Duration) error {
	return c.refresh(ctx, "RefreshIfOlder", max(0, age))
}

func (c *Client) refresh(ctx context.Context, method string, age time.Duration) error {
	if c.isClosed() {
		c.logClosed(method)
		return ErrClosed
	}
	if c.overrides.isOnly() {
		return nil
	}
	j := c.updater.request(age)
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Client) isClosed() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

func (c *Client) logClosed(method string) {
	c.log.Warn(eventClosedNoEffect, "The client object is already closed, thus `"+method+"()` has no effect.")
}

// CacheState returns the current cache state (S47).
func (c *Client) CacheState() CacheState {
	switch remote := c.holder.current.Load(); {
	case remote == nil && c.overrides.exist():
		return HasLocalOverrideFlagDataOnly
	case remote == nil:
		return NoFlagData
	case c.updater.upToDate():
		return HasUpToDateFlagData
	default:
		return HasCachedFlagDataOnly
	}
}

// Stats returns the client's current state and counters.
func (c *Client) Stats() Stats {
	stats := Stats{State: Unsubscribed}
	if f := c.feed; f != nil {
		status := f.status.Load()
		stats = Stats{State: status.state, Epoch: status.epoch, Poll: status.poll, Counters: f.counters()}
	}
	stats.Fetches, stats.FailedFetches = c.updater.fetcher.fetches.Load(), c.updater.fetcher.failed.Load()
	stats.SuspectFetches = c.updater.fetcher.suspect.Load()
	stats.Waits = c.holder.waits.Load()
	stats.Rebases += c.holder.rebases.Load()
	stats.EvaluationErrors = c.failed.read()
	stats.DroppedHooks, stats.DroppedEvaluationHooks = c.hooks.droppedCalls(), c.hooks.evaluated.dropped.Load()
	stats.HookPanics = c.hooks.panics.Load()
	if c.isClosed() {
		stats.State = Closed
	}
	if s := c.holder.current.Load(); s != nil {
		stats.Rev, stats.Hash, stats.ETag, stats.Source = s.rev, s.hash, s.etag, s.source
	}
	stats.Age, stats.HasCDN = c.holder.age(time.Now())
	return stats
}
