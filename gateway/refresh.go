package gateway

import (
	"context"
	"sync"
	"time"
)

const (
	// refreshEvery is the least time between two requests to the leader.
	refreshEvery = time.Second
	// refreshTimeout bounds how long asking the leader takes.
	refreshTimeout = 5 * time.Second
)

// refresher asks the leader to poll, at most once in refreshEvery. Requests in between share the
// next one, so none is lost: what changed before a request is seen by a poll after it.
type refresher struct {
	site *site
	ask  func(context.Context) error
}

// refreshing is the state of refreshes of a site.
type refreshing struct {
	mu   sync.Mutex
	last time.Time
	next *refreshed // nil: nobody waits
}

// refreshed is a request to the leader that is or will be sent.
type refreshed struct {
	done chan struct{}
	err  error
}

// refresh asks the leader, and returns when it was asked or ctx ends.
func (f *refresher) refresh(ctx context.Context) error {
	state := &f.site.refreshing
	state.mu.Lock()
	next := state.next
	if next == nil {
		next = &refreshed{done: make(chan struct{})}
		state.next = next
		go f.send(next, time.Until(state.last.Add(refreshEvery)))
	}
	state.mu.Unlock()
	select {
	case <-next.done:
		return next.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *refresher) send(to *refreshed, after time.Duration) {
	defer close(to.done)
	timer := time.NewTimer(after)
	defer timer.Stop()
	<-timer.C
	state := &f.site.refreshing
	state.mu.Lock()
	state.next, state.last = nil, time.Now()
	state.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	to.err = f.ask(ctx)
}
