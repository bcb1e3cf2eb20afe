package test

import (
	"bytes"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

func TestChangeReachesEveryFollower(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(3)
		for range 3 {
			env.reached(env.cdn.Publish(), env.poll())
		}
		// Content that is too large for a message is read from Redis.
		env.reached(env.cdn.SetMinBytes(100<<10), env.poll())
		env.settle()
	})
}

func TestLateFollowerGetsCurrentContent(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(1)
		env.reached(env.cdn.Publish(), env.poll())
		late := env.follow()
		// The content is in Redis: no poll is needed.
		env.reached(env.cdn.Version(), time.Second)
		if n := late.client.Stats().Applied; n != 1 {
			env.Errorf("%d contents applied", n)
		}
		env.settle()
	})
}

func TestFollowerReadsStoredContentWithoutALeader(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(0)
		second.stop()
		first.stop()
		env.follow()
		env.reached(env.cdn.Version(), time.Second)
	})
}

func TestFollowerWaitsForTheFirstLeader(t *testing.T) {
	scenario(t, func(env *environment) {
		early := env.follow()
		env.pass(env.leader.RenewInterval)
		if v := early.version(); v != -1 {
			env.Errorf("version %d from nowhere", v)
		}
		env.lead("leader A")
		env.reached(env.cdn.Version(), env.poll())
		env.settle()
	})
}

// A 304 updates the fetch time of the entry and changes nothing else (S48, S82).
func TestUnchangedContentOnlyUpdatesItsFetchTime(t *testing.T) {
	scenario(t, func(env *environment) {
		first, _ := env.ready(1)
		r := env.readers[0]
		before, changes := r.client.Stats(), r.changes
		answers := first.stats().NotModified
		env.eventually(3*env.poll(), "two answers of 304", func() bool { return first.stats().NotModified >= answers+2 })
		env.eventually(env.leader.RenewInterval+time.Second, "the follower's rev moves", func() bool { return r.client.Stats().Rev > before.Rev })
		after := r.client.Stats()
		if after.Hash != before.Hash || after.Reads != before.Reads || r.changes != changes {
			env.Errorf("before %+v\nafter %+v, %d changes", before, after, r.changes-changes)
		}
		env.settle()
	})
}

func TestF16_HeartbeatRevealsALostMessage(t *testing.T) {
	for name, size := range map[string]int{"carried by messages": 0, "read from Redis": 100 << 10} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(env *environment) {
				env.ready(2)
				if size > 0 {
					env.reached(env.cdn.SetMinBytes(size), env.poll())
				}
				isolated := env.readers[0]
				for range env.rounds(1) {
					isolated.link.Drop(func(frame []byte) bool {
						return bytes.Contains(frame, []byte(wire.Message{Type: wire.Change}.Head()))
					})
					lost := isolated.link.Dropped()
					version := env.cdn.Publish()
					env.committed(version)
					committed, bound := time.Now(), env.leader.RenewInterval+roundTrip
					env.reached(version, bound) // I7
					env.recovered(committed, bound)
					if n := isolated.link.Dropped() - lost; n != 1 {
						env.Errorf("%d messages were lost, want one", n)
					}
					isolated.link.Drop(nil)
					env.settle()
				}
			})
		})
	}
}

// The CDN is asked once an interval, however many followers and candidates run.
func TestCDNSeesOnePollPerInterval(t *testing.T) {
	for name, followers := range map[string]int{"1 follower": 1, "10 followers": 10, "50 followers": 50} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(env *environment) {
				first, second := env.ready(followers)
				terms := func() int { return int(first.stats().Terms + second.stats().Terms) }
				const intervals = 4
				start, before, began := time.Now(), len(env.cdn.Requests()), terms()
				env.eventually((intervals+1)*env.leader.PollInterval, "some polls", func() bool {
					return len(env.cdn.Requests()) >= before+intervals
				})
				env.reached(env.cdn.Publish(), env.poll())
				took := time.Since(start)
				polls := len(env.cdn.Requests()) - before
				// A leader may lose its lock on a busy machine, and each term begins with a
				// poll (I10).
				most := int(took/env.leader.PollInterval) + 1 + terms() - began
				if polls > most || env.virtual && terms() != began {
					env.Errorf("%d polls in %v and %d more terms, want at most %d polls", polls, took, terms()-began, most)
				}
				if n := env.cdn.RequestsOf(sdkKey); n != len(env.cdn.Requests()) {
					env.Errorf("%d of %d requests are for the SDK key", n, len(env.cdn.Requests()))
				}
				env.audit.check(env.T)
			})
		})
	}
}

func TestEvaluationSeesOneContentAtATime(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(1)
		for range 3 {
			version := env.cdn.Publish()
			env.reached(version, env.poll())
			values := env.readers[0].client.GetAllValues(nil)
			if values[fakecdn.VersionFlag] != int(version) || values[fakecdn.DependentFlag] != (version%2 == 1) {
				env.Errorf("version %d: %v", version, values)
			}
		}
	})
}
