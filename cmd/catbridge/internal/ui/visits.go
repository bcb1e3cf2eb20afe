package ui

import (
	"context"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

const (
	// visitLasts is how long the views stay fresh after a page was requested: without JavaScript
	// nothing else says that somebody looks.
	visitLasts = 30 * time.Second
	// freshAge is the age of a view that is shown at once, unless it takes longer to read it, and freshWait
	// how long a page waits for a newer one.
	freshAge  = 5 * time.Second
	freshWait = 500 * time.Millisecond
)

// visits keeps the views fresh for a time after each request. It is safe for concurrent use.
type visits struct {
	watch func() (release func())

	mu      sync.Mutex
	release func() // nil: nobody looks
	timer   *time.Timer
	over    bool
}

// visit keeps the views fresh for a while.
func (v *visits) visit() {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.over:
	case v.release != nil:
		v.timer.Reset(visitLasts)
	default:
		v.release = v.watch()
		v.timer = time.AfterFunc(visitLasts, v.leave)
	}
}

func (v *visits) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.release != nil {
		v.timer.Stop()
		v.release()
		v.release = nil
	}
}

// end is leave for good.
func (v *visits) end() {
	v.mu.Lock()
	v.over = true
	v.mu.Unlock()
	v.leave()
}

// freshen waits a moment if views of the labels are old: while nobody looks, they are.
func (u *UI) freshen(ctx context.Context, labels []string) {
	u.visits.visit()
	ctx, cancel := context.WithTimeout(ctx, freshWait)
	defer cancel()
	for {
		changed := u.config.Observer.Changed()
		if !isOld(u.config.Observer, labels) {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func isOld(o Observer, labels []string) bool {
	now := time.Now()
	for _, label := range labels {
		if v := o.View(label); v != nil && readAge(v, now) > max(freshAge, v.Pace) {
			return true
		}
	}
	return false
}

// isStale reports whether a view is older than it should be while somebody looks. For a large fleet it
// takes longer to read the state.
func isStale(v *observe.View, now time.Time) bool {
	return !v.Read.IsZero() && readAge(v, now) > max(staleAge, 2*v.Pace)
}

// readAge returns how long ago a view was read. A failed attempt counts as one.
func readAge(v *observe.View, now time.Time) time.Duration {
	if v.Err != "" {
		return 0
	}
	return now.Sub(v.Read)
}
