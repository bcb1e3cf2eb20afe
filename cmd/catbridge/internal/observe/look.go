package observe

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/leader"
)

// mostLaggards is the number of Laggards in View.State. View.Followers has all.
const mostLaggards = 5

// state is what was seen last of a target.
type state struct {
	read  time.Time     // when the last look began, whether it succeeded or not
	took  time.Duration // that look
	local local
}

// look looks at an SDK key, and returns how long Redis is left alone afterwards.
func (o *Observer) look(ctx context.Context, t *target) rest {
	began := time.Now()
	t.looked, t.state.read = true, began
	t.dirty.Store(false)
	reader := inspect.Redis{Client: o.cfg.Redis, Most: mostLaggards}
	within, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	whole, err := reader.LookAtAll(within, t.Label, t.keys)
	if ctx.Err() != nil {
		return rest{}
	}
	view := *t.view.Load()
	now := time.Now()
	if err != nil {
		view.Err = "Redis cannot be read: " + redisurl.Explain(err).Error() + "; run catbridge doctor"
	} else {
		view.Err, view.Read, view.Ahead = "", now, whole.Now.Sub(now)
		view.State = whole.Key
		view.Followers = followers(whole.Reports)
		t.record(&view, whole)
		t.timeline.follow(within, o.cfg.Redis, t.Key, o.cfg.Namespace, &whole.Key, view.Config)
		t.timeline.fill(&view)
	}
	t.answers.add(now, ageOf(&view), err == nil && view.State.Content != nil && view.State.Content.Age != nil)
	view.Answers = t.answers.all()
	own := o.leads()[t.Label]
	t.state.local = t.local(own)
	t.fillLocal(&view, own)
	t.state.took = time.Since(began)
	view.Pace = o.pace()
	o.show(t, &view)
	after := rest{from: time.Now(), length: restAfter(t.state.took)}
	if err != nil {
		after.length = min(after.length, restFailed)
	}
	return after
}

// pace returns View.Pace.
func (o *Observer) pace() time.Duration {
	var all time.Duration
	for _, t := range o.all() {
		all += t.state.took + min(restAfter(t.state.took), restWatched)
	}
	return max(all, watchedEvery)
}

func ageOf(view *View) time.Duration {
	if c := view.State.Content; c != nil && c.Age != nil {
		return time.Duration(*c.Age * float64(time.Second))
	}
	return 0
}

// record records the change to the current content, and how it reached the followers.
func (t *target) record(view *View, whole inspect.Whole) {
	if c := whole.Content; c != nil && c.Rev != 0 {
		rev, since, exact := c.Rev, c.Since(), false
		if h := whole.History; h != nil && h.Hash == c.Hash {
			rev, since, exact = h.Rev, h.Time, true
		}
		t.spreads.add(rev, c.Hash, since, exact)
	}
	t.spreads.measure(whole.Reports)
	view.Spreads = t.spreads.all()
}

// standings are in the order in which followers are shown.
var standings = map[Standing]int{Behind: 0, Silent: 2, Pending: 3, Current: 4}

// rank is the place of a follower in that order. Silent ones that are behind are before the other silent
// ones.
func rank(f *Follower) int {
	if f.Standing == Silent && f.Other {
		return 1
	}
	return standings[f.Standing]
}

// followers returns the followers that report, the furthest behind first.
func followers(reports []inspect.Report) []Follower {
	all := make([]Follower, len(reports))
	for i, r := range reports {
		all[i] = Follower{
			Name: r.Name, ID: r.ID, Version: r.Version, State: r.State, Standing: Standing(r.Standing), Other: r.Other,
			Rev: r.Rev, Hash: r.Hash, Lag: max(r.Lag, 0), Reported: r.At.UTC(), Interval: r.Interval,
		}
	}
	slices.SortFunc(all, func(a, b Follower) int {
		return cmp.Or(rank(&a)-rank(&b), cmp.Compare(a.Rev, b.Rev), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// fillLocal fills what this process knows without Redis.
func (t *target) fillLocal(view *View, own *leader.KeyStats) {
	view.Local, view.Advice = own, nil
	if own != nil {
		view.Advice = advice(own, time.Now())
	}
	if t.Client == nil {
		return
	}
	if content, ok := t.Client.Content(); ok {
		view.Config, view.Rev, view.Hash = content.Config, content.Rev, content.Hash
	}
}

// local returns what is compared.
func (t *target) local(own *leader.KeyStats) local {
	var l local
	if t.Client != nil {
		s := t.Client.Stats()
		l.rev, l.control, l.epoch, l.hash, l.connection = s.Rev, s.Control, s.Epoch, s.Hash, s.State
	}
	if own != nil {
		l.state, l.holder, l.waits = own.State, own.LockHolder, own.Waits
		l.poll, l.write, l.history, l.suspends = own.PollError, own.WriteError, own.HistoryError, own.Suspended
		for _, rule := range own.MissingRights {
			l.rights += rule + " "
		}
	}
	return l
}
