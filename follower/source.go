package follower

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// updater brings a client's content from where it is: from Redis by way of the feed,
// from the Cache, and from the CDN. One thing is done after the other, so that there is one
// refresh at a time (S45), by a goroutine that is there while there is something to do:
// thousands of clients that share a feed have nothing.
type updater struct {
	mode     PollingMode
	interval time.Duration
	noWait   bool
	holder   *holder
	feed     *feed // nil: there is no Redis
	cache    Cache // nil: there is none
	cacheKey string
	fetcher  *fetcher
	uncached *snapshot // what a write to the Cache failed for; nil: nothing. The goroutine's own
	log      eventlog.Log
	ready    <-chan struct{} // the client's

	initial    chan struct{}             // closed once the first sync is done, see S46
	readable   atomic.Bool               // the last read of what is shared did not fail
	notFoundAt atomic.Pointer[time.Time] // when the CDN last said that there is no such config

	ctx    context.Context // ends with the client
	cancel context.CancelFunc

	mu        sync.Mutex
	begun     bool        // the first sync was, or is being, done
	due       bool        // the period is over
	ticker    *time.Timer // ends it; nil: it does not run
	recache   bool        // the pause after a failed write to the Cache is over
	cacheWait *time.Timer // ends that pause; nil: there was none yet
	online    bool
	switched  bool               // to online, and nothing was done about that yet
	interrupt context.CancelFunc // ends the fetch that is under way; nil: none is
	pending   map[time.Duration]*job
	queue     []*job
	closed    bool
	done      chan struct{} // of the goroutine; nil: there is none
}

// job is a refresh that was asked for. All who ask for the same meanwhile wait for it.
type job struct {
	age  time.Duration // what is held may be this old; always: it must be refreshed
	done chan struct{}
	err  error
}

const (
	always     time.Duration = -1
	sharedOnly time.Duration = -2 // whatever its age, the CDN is not asked
)

func (j *job) wait() error {
	<-j.done
	return j.err
}

// begin is the first sync (S46, S97).
func (u *updater) begin(ctx context.Context) {
	defer close(u.initial)
	if u.mode == Subscribe {
		select {
		case <-u.feed.synced:
		case <-ctx.Done():
		}
		u.readCache(ctx)
	} else {
		_ = u.readShared(ctx, false)
	}
	if (u.mode == Subscribe || u.mode == AutoPoll) && u.isOnline() && u.expired(u.lifetime()) {
		_ = u.fetch(ctx)
	}
}

// tick is what is done every period (S42).
func (u *updater) tick(ctx context.Context) {
	if u.mode != Subscribe {
		_ = u.readShared(ctx, false)
	}
	if u.mode == Manual || !u.isOnline() || !u.expired(u.lifetime()) {
		return
	}
	if u.mode == Subscribe { // official SDKs tell nobody of their entry
		_ = u.readShared(ctx, true)
	}
	if u.expired(u.lifetime()) {
		_ = u.fetch(ctx)
	}
}

// refresh brings what is not older than age (S21).
func (u *updater) refresh(ctx context.Context, age time.Duration) error {
	switch {
	case age == sharedOnly:
		return u.readShared(ctx, false)
	case age != always && !u.expired(age):
		return nil // a refresh before this one brought it
	}
	err := u.readShared(ctx, age == always)
	switch {
	case ctx.Err() != nil:
		return ErrClosed
	case age != always && err == nil && !u.expired(age):
		return nil
	case u.isOnline():
		return u.fetch(ctx)
	case u.feed == nil && u.cache == nil:
		u.log.Warn(eventOffline, offlineText)
		return ErrOffline
	}
	return err
}

// readShared reads what is shared with others: Redis and the Cache (S94–S98). full: all of
// it, whatever seems to be current.
func (u *updater) readShared(ctx context.Context, full bool) error {
	var err error
	if u.feed != nil {
		err = u.feed.refresh(ctx, full)
	}
	if cacheErr := u.readCache(ctx); u.feed == nil {
		err = cacheErr
	}
	u.readable.Store(err == nil)
	return err
}
