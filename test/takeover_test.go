package test

import (
	"strconv"
	"testing"
	"time"

	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/fakecdn"
)

func TestF02_KilledLeaderIsReplacedWhenItsLockExpires(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(3)
		for i := range w.rounds(2) {
			w.pass(w.upTo(w.leader.RenewInterval))
			first.kill()
			killed := time.Now()
			w.eventually(w.takeover(), "the other leads", second.leads)
			w.recovered(killed, w.takeover())
			if took := time.Since(killed); w.virtual && took < w.leader.LeaseDuration-w.leader.RenewInterval-time.Second {
				w.Errorf("took over after %v though the lock was held", took)
			}
			w.reached(w.cdn.Publish(), w.poll())
			first, second = second, w.lead("leader "+strconv.Itoa(i+3))
		}
		w.settle()
	})
}

func TestF03_LeaderThatShutsDownIsReplacedAtOnce(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(2)
		for i := range w.rounds(4) {
			stopped := time.Now()
			first.stop()
			if second.stats().Fenced+first.stats().Fenced != 0 {
				w.Error("a shutdown was fenced")
			}
			w.eventually(time.Second, "the other leads", second.leads)
			w.recovered(stopped, time.Second)
			w.reached(w.cdn.Publish(), w.poll())
			next := w.lead("leader " + strconv.Itoa(i+3))
			w.eventually(w.takeover(), "the next process knows who leads", func() bool {
				return next.stats().LockHolder == second.ID()
			})
			w.subscribed(2 + len(w.readers))
			first, second = second, next
		}
		w.settle()
	})
}

// F1: a leader is stopped between fetch and commit, past the end of its lock, and goes
// on when another has published newer content. What it had sent meanwhile is refused.
func TestF01_LateWriteOfAStoppedLeaderIsRefused(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(3)
		for range w.rounds(3) {
			first, second = w.stopBetweenFetchAndCommit(first, second)
			stopped, refused := time.Now(), w.refused()
			w.eventually(w.takeover(), "the other leads", second.leads)
			w.recovered(stopped, w.takeover())
			w.reached(w.cdn.Publish(), w.poll())
			first.link.Thaw() // the commit arrives now
			if !w.virtual {
				w.eventually(w.leader.RenewInterval, "it is refused", func() bool { return w.refused() > refused })
			}
			w.eventually(w.takeover(), "the stopped one is a candidate", func() bool {
				s := first.stats()
				return s.State == leader.Candidate && s.LockHolder == second.ID()
			})
			w.pass(2 * w.leader.RenewInterval)
			w.audit.check(w.T)
			w.settle()
		}
	})
}

// I2: the same while nobody else has written anything. Who does not hold the lock
// writes nothing, not even what would be right.
func TestF01_LateWriteIsRefusedThoughNothingElseChanged(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(1)
		first, second = w.stopBetweenFetchAndCommit(first, second)
		w.cdn.Break(down)
		w.eventually(w.takeover(), "the other leads", second.leads)
		first.link.Thaw()
		w.eventually(w.takeover(), "the stopped one is a candidate", func() bool {
			s := first.stats()
			return s.State == leader.Candidate && s.LockHolder == second.ID()
		})
		w.pass(2 * w.leader.RenewInterval)
		w.audit.check(w.T)
		if v := w.audit.stored(); v >= w.cdn.Version() {
			w.Errorf("version %d is stored: a process without the lock wrote it", v)
		}
		w.cdn.Mend()
		w.settle()
	})
}

// stopBetweenFetchAndCommit changes the content, lets the leader among two processes
// fetch it, and stops everything between that one and Redis before its commit gets
// through. It tells which one that is.
func (w *world) stopBetweenFetchAndCommit(one, two *runner) (stopped, other *runner) {
	w.Helper()
	w.eventually(time.Minute, "a commit is under way", func() bool {
		if stopped, other = one, two; two.leads() {
			stopped, other = two, one
		}
		release, asked := make(chan struct{}), make(chan struct{}, 100)
		w.cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
		<-asked
		w.cdn.Publish()
		// A renewal that hangs would keep the commit waiting: the next is a while away.
		touches := stopped.stats().Renewals
		w.eventually(w.leader.LeaseDuration, "a renewal", func() bool { return !stopped.leads() || stopped.stats().Renewals > touches })
		stopped.link.Freeze()
		close(release)
		w.cdn.Mend()
		etag := w.cdn.Config().ETag()
		for deadline := time.Now().Add(w.leader.RenewDeadline / 4); time.Now().Before(deadline); w.pass(w.pause()) {
			if stopped.link.Holds(etag) {
				return true
			}
		}
		stopped.link.Thaw()
		return false
	})
	return stopped, other
}

// A leader whose every command times out stops acting before its lock expires, and
// asks the CDN for nothing any more.
func TestLeaderWithoutRedisStopsAskingTheCDN(t *testing.T) {
	scenario(t, func(w *world) {
		first := w.lead("leader A")
		w.elected(first)
		first.link.Freeze()
		w.eventually(w.leader.LeaseDuration, "it gave up", func() bool { return !first.leads() })
		polls := len(w.cdn.Requests())
		w.pass(2 * w.leader.PollInterval)
		if n := len(w.cdn.Requests()); n != polls {
			w.Errorf("%d polls without the lock", n-polls)
		}
		first.link.Thaw()
		w.eventually(w.takeover(), "it leads again", first.leads)
		w.followers(1)
		w.settle()
	})
}

// steadyFor publishes now and then while the network is bad, for that long: the leader
// keeps its term, and followers get all.
func (w *world) steadyFor(first *runner, d time.Duration) {
	w.Helper()
	before := first.stats()
	for end := time.Now().Add(d); time.Now().Before(end); {
		changed := time.Now()
		version := w.cdn.Publish()
		w.reached(version, w.poll()+w.leader.RenewInterval+4*time.Second)
		w.recovered(changed, w.poll()+w.leader.RenewInterval+4*time.Second)
		w.pass(w.upTo(w.leader.PollInterval))
	}
	if s := first.stats(); s.Terms != before.Terms || s.Fenced != before.Fenced || s.Lapsed != before.Lapsed || !first.leads() {
		w.Errorf("the leader lost its term: %+v", s)
	}
}
