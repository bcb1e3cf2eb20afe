package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/fakecdn"
)

// F2
func TestKilledLeaderIsReplacedWhenItsLockExpires(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(3)
		first.kill()
		killed := time.Now()
		w.eventually(w.takeover(), "the second leads", second.leads)
		if took := time.Since(killed); w.virtual && took < w.leader.LockExpiry-w.leader.Renewal {
			w.Errorf("took over after %v though the lock was held", took)
		}
		w.reached(w.cdn.Publish(), w.poll())
		third := w.lead("leader C")
		second.kill()
		w.eventually(w.takeover(), "the third leads", third.leads)
		w.settle()
	})
}

// F3
func TestLeaderThatShutsDownIsReplacedAtOnce(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(2)
		for i := range 4 {
			first.stop()
			if second.stats().Fenced+first.stats().Fenced != 0 {
				w.Error("a shutdown was fenced")
			}
			w.eventually(time.Second, "the other leads", second.leads)
			w.reached(w.cdn.Publish(), w.poll())
			next := w.lead("leader " + string(rune('C'+i)))
			w.eventually(w.takeover(), "the next process knows who leads", func() bool {
				return next.stats().LockHolder == second.ID()
			})
			w.eventually(w.takeover(), "it hears resignations", func() bool {
				counts, err := w.admin.PubSubNumSub(w.Context(), w.keys.Events).Result()
				return err == nil && counts[w.keys.Events] == int64(2+len(w.readers))
			})
			first, second = second, next
		}
		w.settle()
	})
}

// F1: a leader is stopped between fetch and commit, past the end of its lock, and goes
// on when another has published newer content. What it had sent meanwhile is refused.
func TestLateWriteOfAStoppedLeaderIsRefused(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(3)
		rounds := 5
		if !w.virtual {
			rounds = 3
		}
		for range rounds {
			w.stopBetweenFetchAndCommit(first)
			w.eventually(w.takeover(), "the other leads", second.leads)
			w.reached(w.cdn.Publish(), w.poll())
			first.link.Thaw() // the commit arrives now
			w.eventually(w.takeover(), "the stopped one is a candidate", func() bool {
				s := first.stats()
				return s.State == leader.Candidate && s.LockHolder == second.ID()
			})
			w.pass(2 * w.leader.Renewal)
			w.audit.check(w.T)
			w.settle()
			first, second = second, first
		}
	})
}

// I2: the same while nobody else has written anything. Who does not hold the lock
// writes nothing, not even what would be right.
func TestLateWriteIsRefusedThoughNothingElseChanged(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(1)
		before := w.cdn.Version()
		w.stopBetweenFetchAndCommit(first)
		w.cdn.Break(down)
		w.eventually(w.takeover(), "the other leads", second.leads)
		first.link.Thaw()
		w.eventually(w.takeover(), "the stopped one is a candidate", func() bool {
			s := first.stats()
			return s.State == leader.Candidate && s.LockHolder == second.ID()
		})
		w.pass(2 * w.leader.Renewal)
		w.audit.check(w.T)
		if v := w.audit.stored(); v != before {
			w.Errorf("version %d is stored, want %d: a process without the lock wrote it", v, before)
		}
		w.cdn.Mend()
		w.settle()
	})
}

// stopBetweenFetchAndCommit changes the content, lets the leader fetch it, and stops
// everything between it and Redis before it commits.
func (w *world) stopBetweenFetchAndCommit(r *runner) {
	w.Helper()
	release, asked := make(chan struct{}), make(chan struct{}, 100)
	w.cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
	<-asked
	w.cdn.Publish()
	r.link.Freeze()
	close(release)
	w.eventually(w.leader.StopActing, "the commit is under way", func() bool { return r.link.Holds(w.cdn.Config().ETag()) })
	w.cdn.Mend()
}

// A leader whose every command times out stops acting before its lock expires, and
// asks the CDN for nothing any more.
func TestLeaderWithoutRedisStopsAskingTheCDN(t *testing.T) {
	scenario(t, func(w *world) {
		first := w.lead("leader A")
		w.elected(first)
		first.link.Freeze()
		w.eventually(w.leader.LockExpiry, "it gave up", func() bool { return !first.leads() })
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
