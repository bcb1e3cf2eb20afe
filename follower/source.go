package follower

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// source brings a client's content from where it is: from Redis by way of the feed,
// from the Cache, and from the CDN. One goroutine does so, one thing after the other, so
// that there is one refresh at a time (S45).
type source struct {
	mode     PollingMode
	interval time.Duration
	noWait   bool
	holder   *holder
	feed     *feed // nil: there is no Redis
	cache    Cache // nil: there is none
	cacheKey string
	fetcher  *fetcher
	log      eventlog.Log
	ready    <-chan struct{} // the client's

	initial  chan struct{}             // closed once the first sync is done, see S46
	readable atomic.Bool               // the last read of what is shared did not fail
	refused  atomic.Pointer[time.Time] // when the CDN last said that there is no such config

	mu        sync.Mutex
	online    bool
	switched  bool               // to online, and nothing was done about that yet
	interrupt context.CancelFunc // ends the fetch that is under way; nil: none is
	pending   map[time.Duration]*job
	queue     []*job
	closed    bool

	wake   chan struct{} // capacity 1: the queue, or online, has changed
	cancel context.CancelFunc
	done   chan struct{}
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

// start begins the work.
func (s *source) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.done)
		defer s.fetcher.Close()
		defer s.giveUp()
		s.run(ctx)
	}()
}

// close ends the work and waits for it. What is held stays.
func (s *source) close() {
	s.cancel()
	<-s.done
}

func (s *source) run(ctx context.Context) {
	s.guarded(ctx, s.begin)
	ticker := newAlarm()
	defer ticker.off()
	s.setTicker(ticker)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.wake:
			if s.wentOnline() && s.period() > 0 {
				s.guarded(ctx, s.tick)
			}
			for j := s.next(); j != nil && ctx.Err() == nil; j = s.next() {
				s.finish(j, s.guardedRefresh(ctx, j))
			}
			s.setTicker(ticker)
		case <-ticker.C:
			ticker.on = false
			s.guarded(ctx, s.tick)
			s.setTicker(ticker)
		}
	}
}

func (s *source) setTicker(ticker *alarm) {
	switch period := s.period(); {
	case period == 0:
		ticker.off()
	case !ticker.on:
		ticker.set(period)
	}
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

// request has the content refreshed if it is older than age.
func (s *source) request(age time.Duration) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.pending[age]
	if j != nil {
		return j
	}
	j = &job{age: age, done: make(chan struct{})}
	if s.closed {
		j.err = ErrClosed
		close(j.done)
		return j
	}
	s.pending[age] = j
	s.queue = append(s.queue, j)
	s.signal()
	return j
}

func (s *source) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *source) next() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	j := s.queue[0]
	s.queue = s.queue[1:]
	return j
}

func (s *source) finish(j *job, err error) {
	s.mu.Lock()
	delete(s.pending, j.age)
	s.mu.Unlock()
	j.err = err
	close(j.done)
}

// giveUp ends what was asked for, now and later.
func (s *source) giveUp() {
	s.mu.Lock()
	s.closed = true
	s.queue = nil
	pending := s.pending
	s.pending = nil
	s.mu.Unlock()
	for _, j := range pending {
		j.err = ErrClosed
		close(j.done)
	}
}

func (s *source) isOnline() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.online
}

// wentOnline tells once that the client has gone online.
func (s *source) wentOnline() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switched := s.switched
	s.switched = false
	return switched
}

// setOnline tells whether that is a change. A fetch that is under way when the client
// goes offline ends at once.
func (s *source) setOnline(online bool) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.online == online {
		return false
	}
	s.online, s.switched = online, online
	if !online && s.interrupt != nil {
		s.interrupt()
	}
	s.signal()
	return true
}

// goOnline gives a context for a fetch; false: there must be none.
func (s *source) goOnline(ctx context.Context) (context.Context, context.CancelFunc, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.online {
		return ctx, nil, false
	}
	ctx, s.interrupt = context.WithCancel(ctx)
	return ctx, s.interrupt, true
}
