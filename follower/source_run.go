package follower

import (
	"context"
	"time"
)

// start begins the work.
func (s *source) start() {
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == Subscribe && s.cache == nil && !s.online && s.feed.isSynced() {
		s.begun = true
		close(s.initial)
		return
	}
	s.signal()
}

// close ends the work and waits for it. What is held stays.
func (s *source) close() {
	s.cancel()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return // it never was open
	}
	s.closed = true
	s.queue = nil
	s.stopTicker()
	if s.cacheWait != nil {
		s.cacheWait.Stop()
	}
	done := s.done
	s.mu.Unlock()
	if done != nil {
		<-done
	}
	s.mu.Lock()
	pending := s.pending
	s.pending = nil
	s.mu.Unlock()
	for _, j := range pending {
		j.end(ErrClosed)
	}
	s.fetcher.close()
}

// signal has what there is to do done. The caller holds the lock.
func (s *source) signal() {
	if s.done != nil || s.closed {
		return
	}
	s.done = make(chan struct{})
	go s.run(s.done)
}

func (s *source) run(done chan struct{}) {
	defer close(done)
	for work := s.next(); work != nil; work = s.next() {
		work()
	}
}

// next gives what is to be done now; nil: there is nothing, and the goroutine ends.
func (s *source) next() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case !s.begun:
		s.begun = true
		return func() { s.guarded(s.ctx, s.begin) }
	case s.switched:
		s.switched = false
		return func() {
			if s.period() > 0 {
				s.guarded(s.ctx, s.tick)
			}
		}
	case len(s.queue) > 0:
		j := s.queue[0]
		s.queue = s.queue[1:]
		return func() { s.finish(j, s.guardedRefresh(s.ctx, j)) }
	case s.recache:
		s.recache = false
		return func() { s.guarded(s.ctx, s.rewriteCache) }
	case s.due:
		s.due = false
		return func() { s.guarded(s.ctx, s.tick) }
	default:
		s.setTicker()
	}
	s.done = nil
	return nil
}

// setTicker lets the period begin, or go on. The caller holds the lock.
func (s *source) setTicker() {
	switch period := s.periodWhen(s.online); {
	case period == 0:
		s.stopTicker()
	case s.ticker == nil:
		s.ticker = time.AfterFunc(period, s.onTicker)
	}
}

// retryCache has a failed write to the Cache tried again.
func (s *source) retryCache() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case s.cacheWait == nil:
		s.cacheWait = time.AfterFunc(cacheRetry, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.recache = true
			s.signal()
		})
	default:
		s.cacheWait.Reset(cacheRetry)
	}
}

func (s *source) stopTicker() {
	if s.ticker != nil {
		s.ticker.Stop()
		s.ticker = nil
	}
}

func (s *source) onTicker() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ticker == nil {
		return // it was stopped meanwhile
	}
	s.ticker, s.due = nil, true
	s.signal()
}

// request has the content refreshed if it is older than age.
func (s *source) request(age time.Duration) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.pending[age]; j != nil {
		return j
	}
	j := &job{age: age, done: make(chan struct{})}
	if s.closed {
		j.end(ErrClosed)
		return j
	}
	if s.pending == nil {
		s.pending = map[time.Duration]*job{}
	}
	s.pending[age] = j
	s.queue = append(s.queue, j)
	s.signal()
	return j
}

// finish gives all who wait for j its result.
func (s *source) finish(j *job, err error) {
	s.mu.Lock()
	delete(s.pending, j.age)
	s.mu.Unlock()
	j.end(err)
}

func (j *job) end(err error) {
	j.err = err
	close(j.done)
}

func (s *source) isOnline() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.online
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
