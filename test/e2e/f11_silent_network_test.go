package e2e

import (
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

// No data arrives, and no connection is closed. Evaluation is not affected (I5).
func TestF11_SilentConnectionIsGivenUp(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(2)
		for range env.Rounds(1) {
			frozen := env.Followers[0]
			frozen.Link.Freeze()
			env.AwaitSilenceNoticed(frozen, time.Now())
			version := env.CDN.Publish()
			env.Eventually(env.PollBound(), "the other follower has it", func() bool { return env.Followers[1].Version() == version })
			if v := frozen.Version(); v != version-1 {
				env.Errorf("version %d through a frozen connection", v)
			}
			frozen.Link.Thaw()
			env.AwaitVersion(version, env.ReconnectBound()+env.Follower.Dead)
			env.Settle()
		}
	})
}

// The leader's network falls silent. The leader stops acting and logs it before its lock
// expires, and another one leads.
func TestF11_SilentLeaderStopsActing(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(2)
		for range env.Rounds(1) {
			env.Pass(env.RandomBelow(env.Leader.RenewInterval))
			first.Link.Freeze()
			silent, bound := time.Now(), env.Leader.RenewDeadline+harness.RoundTrip
			env.Eventually(bound, "it stops acting", func() bool { return !first.Leads() })
			env.Recovered(silent, bound)
			env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
			env.Part("another leads").Recovered(silent, env.TakeoverBound())
			first.Link.Thaw()
			env.Eventually(env.TakeoverBound(), "it knows the new leader", func() bool { return first.Stats().LockHolder == second.ID() })
			env.Settle()
			first, second = second, first
		}
	})
}

// A read that hangs on the silent network does not delay the detection.
func TestF11_SilentConnectionIsGivenUpWhileAReadHangs(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(1)
		for range env.Rounds(1) {
			frozen := env.Followers[0]
			frozen.Link.Freeze()
			silent := time.Now()
			env.Pass(env.Follower.Dead - 100*time.Millisecond)
			var refresh sync.WaitGroup
			refresh.Go(func() {
				if err := frozen.Client.Refresh(env.Context()); err == nil {
					env.Error("a frozen connection brought an answer")
				}
			})
			env.AwaitSilenceNoticed(frozen, silent)
			refresh.Wait()
			frozen.Link.Thaw()
			env.AwaitVersion(env.CDN.Publish(), env.PollBound()+env.ReconnectBound()+env.Follower.Dead)
			env.Settle()
		}
	})
}
