package follower

import (
	"context"
	"time"
)

func (u *updater) start() {
	u.ctx, u.cancel = context.WithCancel(context.Background())
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mode == Subscribe && u.cache == nil && !u.online && u.feed.IsSynced() {
		u.begun = true
		close(u.initial)
		return
	}
	u.signal()
}

// close waits for the goroutine. The content in force stays.
func (u *updater) close() {
	u.cancel()
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		return // it is an idleUpdater
	}
	u.closed = true
	u.queue = nil
	u.stopTicker()
	if u.cacheWait != nil {
		u.cacheWait.Stop()
	}
	done := u.done
	u.mu.Unlock()
	if done != nil {
		<-done
	}
	u.mu.Lock()
	pending := u.pending
	u.pending = nil
	u.mu.Unlock()
	for _, j := range pending {
		j.end(ErrClosed)
	}
	u.fetcher.close()
}

// signal starts the goroutine if it does not run. The caller holds u.mu.
func (u *updater) signal() {
	if u.done != nil || u.closed {
		return
	}
	u.done = make(chan struct{})
	go u.run(u.done)
}

func (u *updater) run(done chan struct{}) {
	defer close(done)
	for work := u.next(); work != nil; work = u.next() {
		work()
	}
}

// next returns the work to do now; nil: there is none, and the goroutine ends.
func (u *updater) next() func() {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.closed:
	case !u.begun:
		u.begun = true
		return func() { u.guarded(u.ctx, u.begin) }
	case u.switched:
		u.switched = false
		return func() {
			if u.period() > 0 {
				u.guarded(u.ctx, u.tick)
			}
		}
	case len(u.queue) > 0:
		j := u.queue[0]
		u.queue = u.queue[1:]
		return func() { u.finish(j, u.guardedRefresh(u.ctx, j)) }
	case u.recache:
		u.recache = false
		return func() { u.guarded(u.ctx, u.rewriteCache) }
	case u.due:
		u.due = false
		return func() { u.guarded(u.ctx, u.tick) }
	default:
		u.setTicker()
	}
	u.done = nil
	return nil
}

// setTicker starts the period if it does not run, or stops it if there is none. The caller holds
// u.mu.
func (u *updater) setTicker() {
	switch period := u.periodWhen(u.online); {
	case period == 0:
		u.stopTicker()
	case u.ticker == nil:
		u.ticker = time.AfterFunc(period, u.onTicker)
	}
}

func (u *updater) retryCache() {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.closed:
	case u.cacheWait == nil:
		u.cacheWait = time.AfterFunc(cacheRetry, func() {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.recache = true
			u.signal()
		})
	default:
		u.cacheWait.Reset(cacheRetry)
	}
}

func (u *updater) stopTicker() {
	if u.ticker != nil {
		u.ticker.Stop()
		u.ticker = nil
	}
}

func (u *updater) onTicker() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ticker == nil {
		return // it was stopped
	}
	u.ticker, u.due = nil, true
	u.signal()
}

// request queues a refresh of content that is older than age.
func (u *updater) request(age time.Duration) *job {
	u.mu.Lock()
	defer u.mu.Unlock()
	if j := u.pending[age]; j != nil {
		return j
	}
	j := &job{age: age, done: make(chan struct{})}
	if u.closed {
		j.end(ErrClosed)
		return j
	}
	if u.pending == nil {
		u.pending = map[time.Duration]*job{}
	}
	u.pending[age] = j
	u.queue = append(u.queue, j)
	u.signal()
	return j
}

func (u *updater) finish(j *job, err error) {
	u.mu.Lock()
	delete(u.pending, j.age)
	u.mu.Unlock()
	j.end(err)
}

func (j *job) end(err error) {
	j.err = err
	close(j.done)
}

func (u *updater) isOnline() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.online
}

// setOnline sets the mode and reports whether it changed. If the client goes offline, a running
// fetch ends at once.
func (u *updater) setOnline(online bool) (changed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.online == online {
		return false
	}
	u.online, u.switched = online, online
	if !online && u.interrupt != nil {
		u.interrupt()
	}
	u.signal()
	return true
}

// goOnline returns a context for a fetch. It returns false if the client is offline.
func (u *updater) goOnline(ctx context.Context) (context.Context, context.CancelFunc, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.online {
		return ctx, nil, false
	}
	ctx, u.interrupt = context.WithCancel(ctx)
	return ctx, u.interrupt, true
}
