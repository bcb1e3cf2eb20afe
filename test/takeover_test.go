package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/leader"
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
			polls := len(w.cdn.Requests())
			first.link.Freeze()
			w.cdn.Publish()
			w.eventually(w.poll(), "the stopped leader has fetched the change", func() bool {
				return len(w.cdn.Requests()) > polls
			})
			w.eventually(w.takeover(), "the other leads", second.leads)
			w.reached(w.cdn.Publish(), w.poll())
			first.link.Thaw()
			// What was under way arrives now, and with it the answers.
			w.eventually(w.takeover(), "the stopped one is a candidate", func() bool {
				s := first.stats()
				return s.State == leader.Candidate && s.LockHolder == second.ID()
			})
			w.pass(2 * w.leader.Renewal)
			w.reached(w.cdn.Version(), w.poll())
			w.audit.check(w.T)
			first, second = second, first
		}
		w.settle()
	})
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
