package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/test/harness"
)

func TestChangeReachesEveryFollower(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(3)
		for range 3 {
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		}
		// Content that is too large for a message is read from Redis.
		env.AwaitVersion(env.CDN.SetMinBytes(100<<10), env.PollBound())
		env.Settle()
	})
}

func TestLateFollowerGetsCurrentContent(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(1)
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		late := env.Follow()
		// The content is in Redis: no poll is needed.
		env.AwaitVersion(env.CDN.Version(), time.Second)
		if n := late.Client.Stats().Applied; n != 1 {
			env.Errorf("%d contents applied", n)
		}
		env.Settle()
	})
}

func TestFollowerReadsStoredContentWithoutALeader(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(0)
		second.Stop()
		first.Stop()
		env.Follow()
		env.AwaitVersion(env.CDN.Version(), time.Second)
	})
}

func TestFollowerWaitsForTheFirstLeader(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		early := env.Follow()
		env.Pass(env.Leader.RenewInterval)
		if v := early.Version(); v != -1 {
			env.Errorf("version %d from nowhere", v)
		}
		env.Lead("leader A")
		env.AwaitVersion(env.CDN.Version(), env.PollBound())
		env.Settle()
	})
}

// A 304 updates the fetch time of the entry and changes nothing else (S48, S82).
func TestUnchangedContentOnlyUpdatesItsFetchTime(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, _ := env.StartAll(1)
		r := env.Followers[0]
		before, changes := r.Client.Stats(), r.Changes
		answers := first.Stats().NotModified
		env.Eventually(3*env.PollBound(), "two answers of 304", func() bool { return first.Stats().NotModified >= answers+2 })
		env.Eventually(env.Leader.RenewInterval+time.Second, "the follower's rev moves", func() bool { return r.Client.Stats().Rev > before.Rev })
		after := r.Client.Stats()
		if after.Hash != before.Hash || after.Reads != before.Reads || r.Changes != changes {
			env.Errorf("before %+v\nafter %+v, %d changes", before, after, r.Changes-changes)
		}
		env.Settle()
	})
}

// The CDN is asked once an interval, however many followers and candidates run.
func TestCDNSeesOnePollPerInterval(t *testing.T) {
	for name, followers := range map[string]int{"1 follower": 1, "10 followers": 10, "50 followers": 50} {
		t.Run(name, func(t *testing.T) {
			harness.Scenario(t, func(env *harness.Environment) {
				first, second := env.StartAll(followers)
				terms := func() int { return int(first.Stats().Terms + second.Stats().Terms) }
				const intervals = 4
				start, before, began := time.Now(), len(env.CDN.Requests()), terms()
				env.Eventually((intervals+1)*env.Leader.PollInterval, "some polls", func() bool {
					return len(env.CDN.Requests()) >= before+intervals
				})
				env.AwaitVersion(env.CDN.Publish(), env.PollBound())
				took := time.Since(start)
				polls := len(env.CDN.Requests()) - before
				// A leader may lose its lock on a busy machine, and each term begins with a
				// poll (I10).
				most := int(took/env.Leader.PollInterval) + 1 + terms() - began
				if polls > most || env.Virtual && terms() != began {
					env.Errorf("%d polls in %v and %d more terms, want at most %d polls", polls, took, terms()-began, most)
				}
				if n := env.CDN.RequestsOf(harness.SDKKey); n != len(env.CDN.Requests()) {
					env.Errorf("%d of %d requests are for the SDK key", n, len(env.CDN.Requests()))
				}
				env.Audit.Check(env.T)
			})
		})
	}
}

func TestEvaluationSeesOneContentAtATime(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(1)
		for range 3 {
			version := env.CDN.Publish()
			env.AwaitVersion(version, env.PollBound())
			values := env.Followers[0].Client.GetAllValues(nil)
			if values[fakecdn.VersionFlag] != int(version) || values[fakecdn.DependentFlag] != (version%2 == 1) {
				env.Errorf("version %d: %v", version, values)
			}
		}
	})
}
