package follower

import (
	"context"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
)

// readCache puts the Cache's content in force if it is newer. With a Redis it does so only
// while nothing is in force.
func (u *updater) readCache(ctx context.Context) error {
	held := u.holder.Current()
	if u.cache == nil || u.feed != nil && held != nil {
		return nil
	}
	value, err := u.cache.Get(ctx, u.cacheKey)
	if err != nil {
		if ctx.Err() == nil {
			u.log.Error(eventid.CacheRead, "Error occurred while reading the cache.", eventlog.Err(err))
		}
		return fmt.Errorf("follower: read the cache: %w", err)
	}
	if len(value) == 0 {
		return nil
	}
	next, err := u.fromCache(value, held)
	if err != nil {
		u.log.Error(eventid.CacheRead, "Error occurred while reading the cache.", eventlog.Err(err))
		return fmt.Errorf("follower: read the cache: %w", err)
	}
	if u.feed != nil {
		u.feed.Preload(next)
	} else {
		u.holder.Offer(next)
	}
	return nil
}

func (u *updater) fromCache(value []byte, held *snapshot.Snapshot) (*snapshot.Snapshot, error) {
	entry, err := cachekeys.ParseEntry(value)
	if err != nil {
		return nil, err
	}
	next := &snapshot.Snapshot{
		Rev: entry.FetchTime, FetchTime: entry.FetchTime, JSON: entry.JSON, Hash: wire.ContentHash(entry.JSON),
		ETag: entry.ETag, Source: snapshot.SourceCache,
	}
	if u.feed != nil {
		next.Rev = 0 // below every rev in Redis
	}
	switch rev, hash := held.RevAndHash(); {
	case held != nil && next.Rev <= rev:
		return nil, nil
	case hash == next.Hash:
		next.Config = held.Config
	default:
		if next.Config, err = evaluate.Reparse(held.Content(), entry.JSON); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// cacheRetry is the pause after a failed write to the Cache.
const cacheRetry = 5 * time.Second

// writeCache writes what the client fetched itself. A failed write is retried, even if the
// config does not change.
func (u *updater) writeCache(ctx context.Context, fetched *snapshot.Snapshot) {
	if u.cache == nil {
		return
	}
	u.uncached = nil
	if err := u.setCache(ctx, fetched); err != nil && ctx.Err() == nil {
		u.log.Error(eventid.CacheWrite, "Error occurred while writing the cache.", eventlog.Err(err))
	}
}

// rewriteCache retries a failed write, unless another process has written a later answer.
func (u *updater) rewriteCache(ctx context.Context) {
	fetched := u.uncached
	if fetched == nil {
		return
	}
	u.uncached = nil
	if value, err := u.cache.Get(ctx, u.cacheKey); err == nil {
		if entry, err := cachekeys.ParseEntry(value); err == nil && entry.FetchTime >= fetched.FetchTime {
			return
		}
	}
	_ = u.setCache(ctx, fetched) // the first error was logged
}

func (u *updater) setCache(ctx context.Context, fetched *snapshot.Snapshot) error {
	entry := cachekeys.Entry{FetchTime: fetched.FetchTime, ETag: fetched.ETag, JSON: fetched.JSON}
	err := u.cache.Set(ctx, u.cacheKey, entry.Append(nil))
	if err != nil {
		u.uncached = fetched
		u.retryCache()
	}
	return err
}
