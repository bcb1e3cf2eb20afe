package observe

import (
	"context"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
)

const (
	// watchedEvery and idleEvery are the times between two looks at an SDK key while somebody looks at
	// the views, and otherwise.
	watchedEvery = 4 * time.Second
	idleEvery    = 30 * time.Second
	// localEvery is how often the state of this process is compared while somebody looks. It costs no
	// command of Redis.
	localEvery = 250 * time.Millisecond
	// restFactor is how many times longer than a look Redis is left alone after it, and restWatched the
	// longest such time while somebody looks.
	restFactor  = 20
	restWatched = 5 * time.Second
	// restFailed bounds that after a look that failed, which may have waited for its timeout.
	restFailed = 2 * time.Second
	// lookTimeout bounds a look.
	lookTimeout = 10 * time.Second
)

// run looks at one SDK key at a time, so that all of them together load Redis no more than one does.
func (o *Observer) run(ctx context.Context) {
	var after rest
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		o.compare()
		t, wait := o.next(time.Now(), after)
		if t != nil && wait <= 0 {
			after = o.look(ctx, t)
			wait = 0
		}
		if o.watched.Load() > 0 {
			wait = min(wait, localEvery)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-timer.C:
		}
	}
}

// rest is a time in which Redis is left alone.
type rest struct {
	from   time.Time
	length time.Duration // if nobody looks
}

// restAfter returns how long Redis is left alone after a look, if nobody looks.
func restAfter(took time.Duration) time.Duration { return took * restFactor }

// next returns the target whose look is due first, and how long to wait for it. Targets that have
// changed are before all others.
func (o *Observer) next(now time.Time, after rest) (first *target, wait time.Duration) {
	every, length := idleEvery, after.length
	if o.watched.Load() > 0 {
		every, length = watchedEvery, min(length, restWatched)
	}
	wait = idleEvery
	for _, t := range o.all() {
		due := t.state.read.Add(every).Sub(now)
		if !t.looked || t.dirty.Load() {
			due = -time.Hour - min(now.Sub(t.state.read), time.Hour)
		}
		if first == nil || due < wait {
			first, wait = t, due
		}
	}
	return first, max(wait, after.from.Add(length).Sub(now), 0)
}

// local is what is compared of the state of this process.
type local struct {
	rev, control, epoch int64
	hash                string
	connection          follower.State

	state                                          leader.State
	holder, poll, write, rights, history, suspends string
	waits                                          bool
}

// compare publishes the local part of the views that has changed, and makes their looks due.
func (o *Observer) compare() {
	targets := o.all()
	if len(targets) == 0 {
		return
	}
	leads := o.leads()
	for _, t := range targets {
		own := leads[t.Label]
		now := t.local(own)
		if now == t.state.local {
			continue
		}
		t.state.local = now
		t.dirty.Store(true)
		view := *t.view.Load()
		t.fillLocal(&view, own)
		o.show(t, &view)
	}
}

// leads returns the state of this process's leader by label.
func (o *Observer) leads() map[string]*leader.KeyStats {
	if o.cfg.Leader == nil {
		return nil
	}
	stats := o.cfg.Leader()
	leads := make(map[string]*leader.KeyStats, len(stats.Keys))
	for i := range stats.Keys {
		leads[stats.Keys[i].Name] = &stats.Keys[i]
	}
	return leads
}
