package test

import (
	"bytes"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/fakecdn"
)

func TestChangeReachesEveryFollower(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(3)
		for range 3 {
			w.reached(w.cdn.Publish(), w.poll())
		}
		// Content that no message carries is read from Redis.
		w.reached(w.cdn.SetMinBytes(100<<10), w.poll())
		w.settle()
	})
}

func TestLateFollowerGetsWhatIsCurrent(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(1)
		w.reached(w.cdn.Publish(), w.poll())
		late := w.follow()
		// The CDN is not asked for it: it is in Redis.
		w.reached(w.cdn.Version(), time.Second)
		if n := late.client.Stats().Applied; n != 1 {
			w.Errorf("%d contents applied", n)
		}
		w.settle()
	})
}

func TestFollowerGetsWhatWasLeftWithoutALeader(t *testing.T) {
	scenario(t, func(w *world) {
		first, second := w.ready(0)
		second.stop()
		first.stop()
		w.follow()
		w.reached(w.cdn.Version(), time.Second)
	})
}

func TestFollowerWaitsForTheFirstLeader(t *testing.T) {
	scenario(t, func(w *world) {
		early := w.follow()
		w.pass(w.leader.RenewInterval)
		if v := early.version(); v != -1 {
			w.Errorf("version %d from nowhere", v)
		}
		w.lead("leader A")
		w.reached(w.cdn.Version(), w.poll())
		w.settle()
	})
}

// A 304 moves the time of the entry on and changes nothing else (S48, S82).
func TestUnchangedContentOnlyMovesItsTime(t *testing.T) {
	scenario(t, func(w *world) {
		first, _ := w.ready(1)
		r := w.readers[0]
		before, changes := r.client.Stats(), r.changes
		answers := first.stats().NotModified
		w.eventually(3*w.poll(), "two answers of 304", func() bool { return first.stats().NotModified >= answers+2 })
		w.eventually(w.leader.RenewInterval+time.Second, "the follower's rev moves", func() bool { return r.client.Stats().Rev > before.Rev })
		after := r.client.Stats()
		if after.Hash != before.Hash || after.Reads != before.Reads || r.changes != changes {
			w.Errorf("before %+v\nafter %+v, %d changes", before, after, r.changes-changes)
		}
		w.settle()
	})
}

func TestF16_LostMessageIsMadeUpForByAHeartbeat(t *testing.T) {
	for name, size := range map[string]int{"carried by messages": 0, "read from Redis": 100 << 10} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				w.ready(2)
				if size > 0 {
					w.reached(w.cdn.SetMinBytes(size), w.poll())
				}
				deaf := w.readers[0]
				for range w.rounds(1) {
					deaf.link.Drop(func(frame []byte) bool {
						return bytes.Contains(frame, []byte(cachekeys.Message{Type: cachekeys.Change}.Head()))
					})
					lost := deaf.link.Dropped()
					version := w.cdn.Publish()
					w.committed(version)
					committed, bound := time.Now(), w.leader.RenewInterval+roundTrip
					w.reached(version, bound) // I7
					w.recovered(committed, bound)
					if n := deaf.link.Dropped() - lost; n != 1 {
						w.Errorf("%d messages were lost, want one", n)
					}
					deaf.link.Drop(nil)
					w.settle()
				}
			})
		})
	}
}

// However many followers and candidates there are, the CDN is asked once an interval.
func TestCDNSeesOnePollPerInterval(t *testing.T) {
	for name, followers := range map[string]int{"1 follower": 1, "10 followers": 10, "50 followers": 50} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				first, second := w.ready(followers)
				terms := func() int { return int(first.stats().Terms + second.stats().Terms) }
				const intervals = 4
				start, before, began := time.Now(), len(w.cdn.Requests()), terms()
				w.eventually((intervals+1)*w.leader.PollInterval, "some polls", func() bool {
					return len(w.cdn.Requests()) >= before+intervals
				})
				w.reached(w.cdn.Publish(), w.poll())
				took := time.Since(start)
				polls := len(w.cdn.Requests()) - before
				// A machine under load may lose the lock; each term begins with a poll (I10).
				most := int(took/w.leader.PollInterval) + 1 + terms() - began
				if polls > most || w.virtual && terms() != began {
					w.Errorf("%d polls in %v and %d more terms, want at most %d polls", polls, took, terms()-began, most)
				}
				if n := w.cdn.RequestsOf(sdkKey); n != len(w.cdn.Requests()) {
					w.Errorf("%d of %d requests are for the SDK key", n, len(w.cdn.Requests()))
				}
				w.audit.check(w.T)
			})
		})
	}
}

func TestEvaluationSeesOneContentAtATime(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(1)
		for range 3 {
			version := w.cdn.Publish()
			w.reached(version, w.poll())
			values := w.readers[0].client.GetAllValues(nil)
			if values[fakecdn.VersionFlag] != int(version) || values[fakecdn.DependentFlag] != (version%2 == 1) {
				w.Errorf("version %d: %v", version, values)
			}
		}
	})
}
