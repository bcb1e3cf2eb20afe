package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

// The revs are an hour ahead when Redis loses them and the leaders die. Followers accept
// the lower revs that follow when the rebase rule permits it, and not sooner.
func TestF10_LowerRevsAreAcceptedByTheRebaseRuleOnly(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.Leader.PollInterval = min(env.Leader.PollInterval, 5*time.Second) // the rule includes an answer of the CDN
		env.UseProcesses()
		first, second := env.StartAll(3)
		env.Audit.Suspend()
		ahead := env.WriteEntry(time.Now().Add(time.Hour))
		env.EventuallyAll(env.PollBound(), "all revs are an hour ahead", func(r *harness.Follower) bool { return r.Client.Stats().Rev > ahead })
		first.Kill()
		second.Kill()
		env.FlushAll()
		env.Audit.Forget()
		env.Audit.Resume()
		version := env.CDN.Publish()
		env.Lead("leader C")
		env.AwaitKeys(env.PollBound())
		written, bound := time.Now(), harness.RebaseAfter+2*env.Leader.PollInterval+harness.RoundTrip
		for _, r := range env.Followers {
			r.Rebases = 1
			if v := r.Version(); v != version-1 {
				env.Errorf("%s took version %d at once", r.Name, v)
			}
		}
		env.AwaitVersion(version, bound)
		env.Recovered(written, bound)
		if took := time.Since(written); took < harness.RebaseAfter-env.Leader.RenewInterval {
			env.Errorf("lower revs were taken after %v", took)
		}
		for _, r := range env.Followers {
			if s := r.Client.Stats(); s.Rebases != 1 || s.Rev >= ahead {
				env.Errorf("%s: %+v", r.Name, s)
			}
		}
		env.Settle()
	})
}
