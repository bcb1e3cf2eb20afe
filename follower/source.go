package follower

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// source brings a client's content from where it is: from Redis by way of the feed,
// from the Cache, and from the CDN. One thing is done after the other, so that there is one
// refresh at a time (S45), by a goroutine that is there while there is something to do:
// thousands of clients that share a feed have nothing.
type source struct {
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

	initial  chan struct{}             // closed once the first sync is done, see S46
	readable atomic.Bool               // the last read of what is shared did not fail
	refused  atomic.Pointer[time.Time] // when the CDN last said that there is no such config

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
func (s *source) begin(ctx context.Context) {
	defer close(s.initial)
	if s.mode == Subscribe {
		select {
		case <-s.feed.synced:
		case <-ctx.Done():
		}
		s.readCache(ctx)
	} else {
		_ = s.readShared(ctx, false)
	}
	if (s.mode == Subscribe || s.mode == AutoPoll) && s.isOnline() && s.expired(s.lifetime()) {
		_ = s.fetch(ctx)
	}
}

// tick is what is done every period (S42).
func (s *source) tick(ctx context.Context) {
	if s.mode != Subscribe {
		_ = s.readShared(ctx, false)
	}
	if s.mode == Manual || !s.isOnline() || !s.expired(s.lifetime()) {
		return
	}
	if s.mode == Subscribe { // official SDKs tell nobody of their entry
		_ = s.readShared(ctx, true)
	}
	if s.expired(s.lifetime()) {
		_ = s.fetch(ctx)
	}
}

// refresh brings what is not older than age (S21).
func (s *source) refresh(ctx context.Context, age time.Duration) error {
	switch {
	case age == sharedOnly:
		return s.readShared(ctx, false)
	case age != always && !s.expired(age):
		return nil // a refresh before this one brought it
	}
	err := s.readShared(ctx, age == always)
	switch {
	case ctx.Err() != nil:
		return ErrClosed
	case age != always && err == nil && !s.expired(age):
		return nil
	case s.isOnline():
		return s.fetch(ctx)
	case s.feed == nil && s.cache == nil:
		s.log.Warn(eventOffline, offlineText)
		return ErrOffline
	}
	return err
}

// readShared reads what is shared with others: Redis and the Cache (S94–S98). full: all of
// it, whatever seems to be current.
func (s *source) readShared(ctx context.Context, full bool) error {
	var err error
	if s.feed != nil {
		err = s.feed.refresh(ctx, full)
	}
	if cacheErr := s.readCache(ctx); s.feed == nil {
		err = cacheErr
	}
	s.readable.Store(err == nil)
	return err
}
