package follower

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"
)

func (u *updater) init() {
	u.initial = make(chan struct{})
	u.ctx, u.cancel = context.WithCancel(context.Background())
	u.busy, u.switched = make(chan struct{}, 1), make(chan struct{}, 1)
}

// start begins the first sync. Requests wait for it.
func (u *updater) start() {
	u.init()
	if u.mode == Subscribe && u.cache == nil && !u.online && u.feed.IsSynced() {
		close(u.initial)
		return
	}
	u.busy <- struct{}{}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.launch(func() {
		defer u.release()
		u.guarded(u.ctx, u.begin)
	})
}

// close waits until nothing is done any more. The content in force stays.
func (u *updater) close() {
	u.cancel()
	u.mu.Lock()
	u.closed = true
	if u.cacheRetry != nil {
		u.cacheRetry.Stop()
	}
	u.mu.Unlock()
	u.busy <- struct{}{} // for good
	u.background.Wait()
	u.fetcher.close()
}

// acquire waits until nothing else is done. It returns false if the client is closed.
func (u *updater) acquire() bool {
	select {
	case u.busy <- struct{}{}:
		return true
	case <-u.ctx.Done():
		return false
	}
}

func (u *updater) release() { <-u.busy }

// do does work while nothing else is done, and logs a panic.
func (u *updater) do(work func(context.Context)) {
	if u.acquire() {
		defer u.release()
		u.guarded(u.ctx, work)
	}
}

// launch starts the goroutine of the background work, which calls first, unless there is one. The
// caller holds u.mu.
func (u *updater) launch(first func()) {
	if u.running || u.closed {
		return
	}
	u.running = true
	u.background.Go(func() {
		first()
		u.run()
	})
}

// run ticks after each period, and when the client goes online, until there is no background work.
func (u *updater) run() {
	for period := u.next(); period > 0; period = u.next() {
		select {
		case <-u.ctx.Done():
			return
		case <-u.switched:
		case <-time.After(period):
		}
		u.do(u.tick)
	}
}

// next returns the time until the next tick; 0: there is none, and run ends.
func (u *updater) next() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	period := u.periodWhen(u.online)
	u.running = period > 0
	return period
}

// await waits for a request, but not longer than until ctx or the client ends.
func (u *updater) await(ctx context.Context, age time.Duration) error {
	if u.ctx.Err() != nil {
		return ErrClosed
	}
	select {
	case r := <-u.request(age):
		return r.Err
	case <-u.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// request refreshes content that is older than age. Concurrent callers with the same age share one
// refresh. The channel receives its result.
func (u *updater) request(age time.Duration) <-chan singleflight.Result {
	key := age.String()
	return u.refreshes.DoChan(key, func() (any, error) {
		if !u.enter() {
			return nil, ErrClosed
		}
		defer u.background.Done()
		defer u.requested.Store(false)
		defer u.refreshes.Forget(key) // first, so that the next request does not share this refresh
		if !u.acquire() {
			return nil, ErrClosed
		}
		defer u.release()
		return nil, u.guardedRefresh(u.ctx, age)
	})
}

// enter makes close wait for the caller. It returns false if the client is closed.
func (u *updater) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.background.Add(1)
	return true
}

// retryCache writes to the Cache again after a pause.
func (u *updater) retryCache() {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.closed:
	case u.cacheRetry == nil:
		u.cacheRetry = time.AfterFunc(cacheRetry, func() { u.do(u.rewriteCache) })
	default:
		u.cacheRetry.Reset(cacheRetry)
	}
}

func (u *updater) isOnline() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.online
}

// setOnline sets the mode and reports whether it changed. If the client goes online, run ticks at
// once, unless there is no background work. If it goes offline, a running fetch ends at once.
func (u *updater) setOnline(online bool) (changed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.online == online {
		return false
	}
	u.online = online
	select {
	case <-u.switched: // it is out of date
	default:
	}
	switch {
	case !online && u.interrupt != nil:
		u.interrupt()
	case online && u.running:
		u.switched <- struct{}{}
	case online && u.periodWhen(online) > 0:
		u.launch(func() { u.do(u.tick) })
	}
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
