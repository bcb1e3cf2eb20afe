package test

import (
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
)

// back is the bound for a follower to come back on a connection that was closed.
func (w *world) back() time.Duration { return w.follower.BackoffMax + w.follower.Ack + time.Second }

func TestF13_FollowersComeBackWhenTheirConnectionsAreClosed(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(10)
		for range w.rounds(1) {
			connects := w.connects()
			for _, r := range w.readers {
				r.link.Cut()
			}
			w.connectedAgain(connects)
			w.settle()
		}
	})
}

// connects tells how often each follower has subscribed.
func (w *world) connects() []int64 {
	var n []int64
	for _, r := range w.readers {
		n = append(n, r.client.Stats().Connects)
	}
	return n
}

// connectedAgain waits until all followers have subscribed again after their connections
// were closed just now.
func (w *world) connectedAgain(before []int64) {
	w.Helper()
	closed, bound := time.Now(), w.follower.BackoffMin+2*time.Second
	for i, r := range w.readers {
		w.eventually(bound, r.name+" is subscribed again", func() bool {
			s := r.client.Stats()
			return s.Connects > before[i] && (s.State == follower.Live || s.State == follower.NoLeader)
		})
	}
	w.recovered(closed, bound)
}

// A change that came while the connection was down is read after it.
func TestChangeDuringAnOutageIsCaughtUpWith(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(2)
		cut := w.readers[0]
		cut.link.Down()
		version := w.cdn.Publish()
		w.eventually(w.poll(), "the other follower has it", func() bool { return w.readers[1].version() == version })
		if v := cut.version(); v != version-1 {
			w.Errorf("version %d without a connection", v)
		}
		cut.link.Up()
		w.reached(version, w.back())
		w.settle()
	})
}

// Nothing arrives any more, and no connection was closed. Evaluation does not notice (I5).
func TestF11_SilentConnectionIsGivenUp(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(2)
		for range w.rounds(1) {
			frozen := w.readers[0]
			frozen.link.Freeze()
			w.noticed(frozen, time.Now())
			version := w.cdn.Publish()
			w.eventually(w.poll(), "the other follower has it", func() bool { return w.readers[1].version() == version })
			if v := frozen.version(); v != version-1 {
				w.Errorf("version %d through a frozen connection", v)
			}
			frozen.link.Thaw()
			w.reached(version, w.back()+w.follower.Dead)
			w.settle()
		}
	})
}

// The leader's network falls silent: it stops acting in time, and says so, before its lock
// expires and another leads.
func TestF11_SilentLeaderStopsActing(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(2)
		for range w.rounds(1) {
			w.pass(w.upTo(w.leader.RenewInterval))
			first.link.Freeze()
			silent, bound := time.Now(), w.leader.RenewDeadline+roundTrip
			w.eventually(bound, "it stops acting", func() bool { return !first.leads() })
			w.recovered(silent, bound)
			w.eventually(w.takeover(), "the other leads", second.leads)
			w.part("another leads").recovered(silent, w.takeover())
			first.link.Thaw()
			w.eventually(w.takeover(), "it knows who leads", func() bool { return first.stats().LockHolder == second.ID() })
			w.settle()
			first, second = second, first
		}
	})
}

// A read that hangs on the network that fell silent keeps nobody from noticing.
func TestF11_SilentConnectionIsGivenUpWhileAReadHangs(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(1)
		for range w.rounds(1) {
			frozen := w.readers[0]
			frozen.link.Freeze()
			silent := time.Now()
			w.pass(w.follower.Dead - 100*time.Millisecond)
			var refresh sync.WaitGroup
			refresh.Go(func() {
				if err := frozen.client.Refresh(w.Context()); err == nil {
					w.Error("a frozen connection brought an answer")
				}
			})
			w.noticed(frozen, silent)
			refresh.Wait()
			frozen.link.Thaw()
			w.reached(w.cdn.Publish(), w.poll()+w.back()+w.follower.Dead)
			w.settle()
		}
	})
}

// noticed waits until a follower whose connection fell silent at that moment, or with
// the last message that still arrived, has noticed (I7).
func (w *world) noticed(r *reader, silent time.Time) {
	w.Helper()
	bound, messages := w.follower.Dead+roundTrip, r.client.Stats().Messages
	w.eventually(bound+w.leader.RenewInterval, r.name+" notices", func() bool {
		s := r.client.Stats()
		if s.Messages != messages {
			silent, messages = time.Now(), s.Messages
		}
		return s.State == follower.Disconnected
	})
	w.recovered(silent, bound)
}

// The leader's connections are closed at any moment: it goes on in the same term.
func TestLeaderSurvivesClosedConnections(t *testing.T) {
	scenario(t, func(w *world) {
		first, _ := w.ready(2)
		terms := first.stats().Terms
		for range 10 {
			first.link.Cut()
			w.pass(w.leader.RenewInterval / 3)
		}
		w.settle()
		if s := first.stats(); w.virtual && (s.Terms != terms || !first.leads()) {
			w.Errorf("it lost its term: %+v", s)
		}
	})
}

// All are cut off for long; afterwards everything is as before.
func TestEveryoneComesBackAfterALongOutage(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(5)
		down := func(is bool) {
			for _, r := range w.readers {
				setDown(r.link, is)
			}
			setDown(first.link, is)
			setDown(second.link, is)
		}
		before := w.readers[0].client.Stats()
		down(true)
		w.pass(2 * w.leader.LeaseDuration)
		version := w.cdn.Publish()
		for _, r := range w.readers {
			if v := r.version(); v != version-1 {
				w.Errorf("%s answers with version %d in an outage", r.name, v)
			}
		}
		if after := w.readers[0].client.Stats(); after.Age < before.Age+2*w.leader.LeaseDuration {
			w.Errorf("an age of %v became %v in an outage of %v (I14)", before.Age, after.Age, 2*w.leader.LeaseDuration)
		}
		down(false)
		w.reached(version, w.back()+w.leader.RetryPeriod+w.poll())
		w.settle()
	})
}

func setDown(l interface {
	Down()
	Up()
}, down bool) {
	if down {
		l.Down()
	} else {
		l.Up()
	}
}
