package e2e

import (
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/test/harness"
)

// A lock whose holder was never a leader expires like any other.
func TestStolenLockExpires(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(1)
		if err := env.Admin.Set(env.Context(), env.Keys.Lock, "thief:1", env.Leader.LeaseDuration).Err(); err != nil {
			env.Fatal(err)
		}
		env.Eventually(env.TakeoverBound(), "it is noticed", func() bool { return first.Stats().Fenced == 1 })
		env.Eventually(env.TakeoverBound(), "one of the two leads again", func() bool { return first.Leads() || second.Leads() })
		env.Settle()
	})
}

// A process that led long ago has outdated content. It must not write it to an empty Redis
// above the rev of the followers (I1).
func TestOldContentOfAnEarlierLeaderDoesNotComeBack(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(2)
		first.Link.Freeze()
		env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
		first.Link.Thaw()
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		env.Eventually(env.TakeoverBound(), "the first one watches", func() bool { return first.Stats().LockHolder == second.ID() })
		env.Pass(2 * env.Leader.RetryPeriod)
		env.CDN.Break(fakecdn.Down)
		second.Kill()
		env.FlushAll()
		env.Eventually(env.TakeoverBound(), "the first one leads again", first.Leads)
		env.Eventually(env.PollBound(), "a poll failed", func() bool { return first.Stats().PollErrors > 0 })
		env.Pass(3 * env.Leader.RenewInterval)
		env.CDN.Repair()
		env.Settle()
	})
}

// The same with a process that was cut off, and did not see that its content was replaced:
// it writes the content back below the rev of the followers.
func TestOldContentOfACutOffLeaderDoesNotComeBack(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(2)
		first.Link.Freeze()
		env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		env.CDN.Break(fakecdn.Down)
		second.Kill()
		env.FlushAll()
		env.Audit.Forget() // Redis may have old content for a while
		first.Link.Thaw()
		env.Eventually(env.TakeoverBound(), "the first one leads again", first.Leads)
		env.Eventually(env.PollBound(), "a poll failed", func() bool { return first.Stats().PollErrors > 0 })
		env.Pass(3 * env.Leader.RenewInterval)
		env.CDN.Repair()
		env.Settle()
	})
}
