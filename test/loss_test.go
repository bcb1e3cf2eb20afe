package test

import (
	"slices"
	"testing"
	"time"
)

// seeded waits until all that Redis lost just now is there again. Where the lock was lost
// and the rev, too, the leader cannot tell whether another led meanwhile: it asks the CDN
// before it writes, at the earliest a second after it asked last.
func (w *world) seeded(fetch bool) {
	w.Helper()
	lost, bound := time.Now(), w.leader.RenewInterval+roundTrip
	if fetch {
		bound += time.Second
	}
	w.present(bound)
	w.recovered(lost, bound)
}

func TestF09_FlushedRedisIsFilledAgain(t *testing.T) {
	scenario(t, func(w *world) {
		w.processes()
		w.ready(3)
		for range w.rounds(3) {
			w.pass(w.upTo(w.leader.RenewInterval))
			w.flushAll()
			w.seeded(true)
			w.settle()
		}
	})
}

func TestF09_EachDeletedKeyComesBack(t *testing.T) {
	for name, key := range map[string]func(*world) []string{
		"entry":          func(w *world) []string { return []string{w.keys.Entry} },
		"lock":           func(w *world) []string { return []string{w.keys.Lock} },
		"meta":           func(w *world) []string { return []string{w.keys.Meta} },
		"blob":           func(w *world) []string { return []string{w.keys.Blob} },
		"entry and blob": func(w *world) []string { return []string{w.keys.Entry, w.keys.Blob} },
		"meta and blob":  func(w *world) []string { return []string{w.keys.Meta, w.keys.Blob} },
		"lock and meta":  func(w *world) []string { return []string{w.keys.Lock, w.keys.Meta} },
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				w.processes()
				w.ready(2)
				for range w.rounds(1) {
					w.pass(w.upTo(w.leader.RenewInterval))
					w.del(key(w)...)
					w.seeded(slices.Contains(key(w), w.keys.Lock) && slices.Contains(key(w), w.keys.Meta))
					w.settle()
				}
				// A follower that comes now finds everything in order.
				w.follow()
				w.reached(w.cdn.Version(), time.Second)
			})
		})
	}
}

// While the CDN does not answer, a leader that led before writes again what it holds,
// and claims nothing new about it.
func TestF09_FlushedRedisIsFilledAgainWithoutTheCDN(t *testing.T) {
	scenario(t, func(w *world) {
		w.processes()
		_, second := w.ready(2)
		second.stop()
		w.reached(w.cdn.Publish(), w.poll())
		w.cdn.Break(down)
		before := w.readers[0].client.Stats()
		w.flushAll()
		w.present(w.leader.RenewInterval + 10*time.Second) // the CDN is asked in vain first
		w.follow()
		w.reached(w.cdn.Version(), time.Second)
		w.pass(w.leader.PollInterval + 2*w.leader.RenewInterval)
		after := w.readers[0].client.Stats()
		if after.Age < before.Age {
			w.Errorf("an age of %v became %v without an answer from the CDN (I14)", before.Age, after.Age)
		}
		w.cdn.Mend()
		w.settle()
	})
}

// F9 and F2 at once: only the followers still have the content.
func TestF09_FlushedRedisIsFilledByTheNextLeader(t *testing.T) {
	scenario(t, func(w *world) {
		w.processes()
		first, second := w.ready(2)
		first.kill()
		w.flushAll()
		w.eventually(w.takeover(), "the other leads", second.leads)
		w.present(w.poll())
		w.settle()
	})
}

// The lock in the hands of somebody who never was a leader runs out like any other.
func TestStolenLockRunsOut(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(1)
		if err := w.admin.Set(w.Context(), w.keys.Lock, "thief:1", w.leader.LeaseDuration).Err(); err != nil {
			w.Fatal(err)
		}
		w.eventually(w.takeover(), "it is noticed", func() bool { return first.stats().Fenced == 1 })
		w.eventually(w.takeover(), "one of the two leads again", func() bool { return first.leads() || second.leads() })
		w.settle()
	})
}

// A process that led long ago holds content that is old by now. It must not fill a
// Redis that lost everything with it, above the rev that followers have (I1).
func TestOldContentOfAnEarlierLeaderDoesNotComeBack(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(2)
		first.link.Freeze()
		w.eventually(w.takeover(), "the other leads", second.leads)
		first.link.Thaw()
		w.reached(w.cdn.Publish(), w.poll())
		w.eventually(w.takeover(), "the first one watches", func() bool { return first.stats().LockHolder == second.ID() })
		w.pass(2 * w.leader.RetryPeriod)
		w.cdn.Break(down)
		second.kill()
		w.flushAll()
		w.eventually(w.takeover(), "the first one leads again", first.leads)
		w.eventually(w.poll(), "a poll failed", func() bool { return first.stats().PollErrors > 0 })
		w.pass(3 * w.leader.RenewInterval)
		w.cdn.Mend()
		w.settle()
	})
}

// The same with a process that was cut off meanwhile, and never saw that its content
// was replaced: what it fills Redis with stays below the rev that followers have.
func TestOldContentOfALeaderThatWasCutOffDoesNotComeBack(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(2)
		first.link.Freeze()
		w.eventually(w.takeover(), "the other leads", second.leads)
		w.reached(w.cdn.Publish(), w.poll())
		w.cdn.Break(down)
		second.kill()
		w.flushAll()
		w.audit.forget() // Redis may hold old content for a while
		first.link.Thaw()
		w.eventually(w.takeover(), "the first one leads again", first.leads)
		w.eventually(w.poll(), "a poll failed", func() bool { return first.stats().PollErrors > 0 })
		w.pass(3 * w.leader.RenewInterval)
		w.cdn.Mend()
		w.settle()
	})
}
