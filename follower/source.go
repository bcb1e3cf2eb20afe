package follower

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// updater gets a client's content from its sources: Redis through the feed, the Cache, and the
// CDN. It does one thing at a time, so refreshes do not overlap (S45). Of thousands of clients
// that share a feed most need no goroutine: each refresh has its own, and the one of run ends
// when there is no background work.
type updater struct {
	mode     PollingMode
	interval time.Duration
	noWait   bool
	holder   *snapshot.Holder
	feed     *feed.Member // nil: there is no Redis
	cache    ConfigCache  // nil: there is none
	cacheKey string
	fetcher  *fetcher
	uncached *snapshot.Snapshot // the content of a failed write to the Cache, or nil; guarded by busy
	log      eventlog.Log
	ready    <-chan struct{} // the client's

	initial    chan struct{}             // closed once the first sync is done, see S46
	readable   atomic.Bool               // the last read of Redis or the Cache succeeded
	notFoundAt atomic.Pointer[time.Time] // when the CDN last answered that the config does not exist

	ctx        context.Context // ends with the client
	cancel     context.CancelFunc
	busy       chan struct{} // capacity 1: full while something is done
	switched   chan struct{} // capacity 1: tells run that the client went online
	background sync.WaitGroup
	refreshes  singleflight.Group // by age
	requested  atomic.Bool        // an evaluation that does not wait requested a refresh that has not ended

	mu         sync.Mutex
	online     bool
	interrupt  context.CancelFunc // ends the running fetch; nil: none was started
	running    bool               // the goroutine of run exists
	cacheRetry *time.Timer        // writes to the Cache again; nil: no write has failed yet
	closed     bool
}

const (
	always     time.Duration = -1 // refresh, whatever the age
	sharedOnly time.Duration = -2 // do not ask the CDN, whatever the age
)

func (u *updater) begin(ctx context.Context) {
	defer close(u.initial)
	if u.mode == Subscribe {
		select {
		case <-u.feed.Synced():
		case <-ctx.Done():
		}
		_ = u.readCache(ctx)
	} else {
		_ = u.readShared(ctx, false)
	}
	if (u.mode == Subscribe || u.mode == AutoPoll) && u.isOnline() && u.expired(u.lifetime()) && !u.isControlled() {
		_ = u.fetch(ctx)
	}
}

func (u *updater) tick(ctx context.Context) {
	if u.mode != Subscribe {
		_ = u.readShared(ctx, false)
	}
	if u.mode == Manual || !u.isOnline() || !u.expired(u.lifetime()) || u.isControlled() {
		return
	}
	if u.mode == Subscribe { // an official SDK may have written the entry, without a message
		_ = u.readShared(ctx, true)
	}
	if u.expired(u.lifetime()) && !u.isControlled() {
		_ = u.fetch(ctx)
	}
}

// refresh gets content that is not older than age.
func (u *updater) refresh(ctx context.Context, age time.Duration) error {
	switch {
	case age == sharedOnly:
		return u.readShared(ctx, false)
	case age != always && !u.expired(age):
		return nil // an earlier refresh got it
	}
	err := u.readShared(ctx, age == always)
	switch {
	case ctx.Err() != nil:
		return ErrClosed
	case age != always && err == nil && !u.expired(age):
		return nil
	case u.isOnline() && !u.isControlled():
		return u.fetch(ctx)
	case u.feed == nil && u.cache == nil:
		u.log.Warn(eventid.Offline, offlineText)
		return ErrOffline
	}
	return err
}

// readShared reads Redis and the Cache. If full is set, it reads content that seems to be
// current, too.
func (u *updater) readShared(ctx context.Context, full bool) error {
	var err error
	if u.feed != nil {
		err = u.feed.Refresh(ctx, full)
	}
	if cacheErr := u.readCache(ctx); u.feed == nil {
		err = cacheErr
	}
	u.readable.Store(err == nil)
	return err
}

// idleUpdater returns the updater of a client that has no sources. It does nothing.
func idleUpdater(h *snapshot.Holder) *updater {
	u := &updater{holder: h, fetcher: new(fetcher)}
	u.init()
	close(u.initial)
	return u
}
