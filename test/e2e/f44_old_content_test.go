package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// Redis restarts from a copy that is many changes old, without some of its keys, while the
// CDN is down and a leader dies. Followers keep their content, new ones get flags, and all
// get the current content once the CDN answers.
func TestF44_OldCopyOfRedisDoesNotRollContentBack(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		first, second := env.StartAll(3)
		copied := env.Backup()
		for range 12 {
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		}
		version := env.CDN.Version()
		lost := [][]string{nil, {env.Keys.Entry}, {env.Keys.Blob}, {env.Keys.Meta}, {env.Keys.Meta, env.Keys.Blob}, {env.Keys.Meta, env.Keys.Entry}}
		for n := range env.Rounds(2 * len(lost)) {
			env.CDN.Break(fakecdn.Down)
			env.Audit.Suspend()
			env.Pass(env.RandomBelow(env.Leader.RenewInterval))
			env.Restore(copied, lost[n%len(lost)]...)
			if n >= len(lost) { // the new leader may not have the latest content
				switch {
				case first.Leads():
					first.Kill()
					first = env.Lead("leader of a later round")
				case second.Leads():
					second.Kill()
					second = env.Lead("leader of a later round")
				}
			}
			env.Pass(env.TakeoverBound() + env.PollBound() + 2*env.Leader.RenewInterval)
			for _, r := range env.Followers {
				if v := r.Version(); v < version {
					env.Errorf("%s has version %d after %d", r.Name, v, version)
				}
			}
			env.AwaitKeys(env.PollBound())
			newcomer := env.Follow()
			env.Eventually(env.PollBound(), "a new follower has flags", func() bool { return newcomer.Version() > 0 })
			env.Audit.Forget()
			env.Audit.Resume()
			env.CDN.Repair()
			repaired, bound := time.Now(), harness.RebaseAfter+2*env.Leader.PollInterval
			env.AwaitVersion(version, bound)
			env.Recovered(repaired, bound)
			env.Settle()
			version = env.CDN.Version()
			newcomer.Client.Close()
			env.Followers = env.Followers[:len(env.Followers)-1]
		}
	})
}

// Content is fetched while Redis refuses writes; newer content is fetched and committed;
// then one answer of a lagging edge has the former content.
func TestF44_UncommittedContentDoesNotComeBack(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		env.StartAll(3)
		for range env.Rounds(2) {
			env.SetConfig("maxmemory", "1")
			env.CDN.Publish()
			never := env.CDN.Config()
			env.Eventually(0, "the first is fetched and refused", func() bool {
				return strings.Contains(env.WriteError(), "OOM") && !env.CDN.Answered(never.Version).IsZero()
			})
			version := env.CDN.Publish()
			env.Eventually(env.PollBound(), "the second is fetched", func() bool { return !env.CDN.Answered(version).IsZero() })
			env.SetConfig("maxmemory", "0")
			env.AwaitWritable(version)
			version = env.CDN.Version()
			lagOnce(env, never)
			env.Pass(env.PollBound())
			env.RequireStored(version)
			env.CDN.Repair()
			env.Settle()
		}
	})
}

// lagOnce lets one poll get the answer of an edge that serves an older config.
func lagOnce(env *harness.Environment, old fakecdn.Config) {
	env.Helper()
	asked := len(env.CDN.Requests())
	env.CDN.Break(fakecdn.Times(1, fakecdn.Stale(old)))
	env.Eventually(env.PollBound(), "an edge that lags has answered", func() bool { return len(env.CDN.Requests()) > asked })
}

// There are more changes within seconds than meta remembers, and then one answer of an edge
// that is older than all of them. Another leader may have taken over meanwhile.
func TestF44_EdgeThatLagsBehindManyChangesIsNotTrusted(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		env.Leader.PollInterval = time.Second
		first, second := env.StartAll(3)
		for n := range env.Rounds(2) {
			lagging := env.CDN.Config()
			var version int64
			for range 10 {
				version = env.CDN.Publish()
				env.AwaitVersion(version, env.PollBound())
			}
			if n%2 == 1 && first.Leads() {
				first.Stop()
				env.Eventually(env.TakeoverBound(), "another leads", second.Leads)
				first, second = second, env.Lead("leader of a later round")
			}
			lagOnce(env, lagging)
			env.Pass(env.PollBound() + time.Second)
			env.RequireStored(version)
			env.CDN.Repair()
			env.Settle()
		}
	})
}

// An operator reverts a change: the CDN serves the previous version again, and continues to.
// Followers soon get the earlier version, apply it once, and keep it.
func TestF44_RealRollbackIsAcceptedAndStays(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		env.StartAll(3)
		for range env.Rounds(2) {
			earlier := env.CDN.Config()
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			for _, r := range env.Followers {
				r.MayGoBack(earlier.Version)
			}
			env.Audit.Suspend()
			env.Audit.AllowLoss() // the auditor takes a lower version for a loss
			env.CDN.Break(fakecdn.Stale(earlier))
			// The leader polls, treats the answer as suspect once, and asks again.
			back, bound := time.Now(), env.PollBound()+confirmation
			env.EventuallyAll(bound, "followers have the earlier version", func(r *harness.Follower) bool { return r.Version() == earlier.Version })
			env.Recovered(back, bound)
			env.Pass(2 * env.PollBound())
			env.RequireVersion(earlier.Version)
			env.Audit.Forget()
			env.Audit.Resume()
			version := env.CDN.Publish()
			env.CDN.Repair()
			env.AwaitVersion(version, env.PollBound())
			env.Settle()
		}
	})
}

// confirmation is the bound for the repeated request after a suspect answer.
const confirmation = 1500 * time.Millisecond

// Redis restarts from an old copy, without some of its keys, while an edge of the CDN lags for
// leaders, and a follower that may fetch from the CDN is cut off with newer content. Virtual
// time cannot move Redis's clock; see TestF44_ClocksOfRedisThatMove for real ones.
func TestF44_OldCopyWhileAnEdgeLagsAndAFollowerIsCutOff(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		mixed(env, 2, func(int) {})
	})
}

// lagsForLeaders answers the first request of a leader from a lagging edge, and later ones with
// errors. Followers get the current version.
func lagsForLeaders(lagging fakecdn.Config) fakecdn.Fault {
	var asked atomic.Bool
	return func(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
		switch {
		case strings.HasPrefix(r.Header.Get("X-ConfigCat-UserAgent"), "ConfigCat-Go-catbridge/s-"):
			fakecdn.Stale(current())(w, r, current)
		case asked.CompareAndSwap(false, true):
			fakecdn.Stale(lagging)(w, r, current)
		default:
			fakecdn.Status(http.StatusInternalServerError)(w, r, current)
		}
	}
}

// mixed runs rounds of several faults at once, and calls moveClock once in each.
func mixed(env *harness.Environment, few int, moveClock func(round int)) {
	env.Helper()
	env.StartAll(2)
	others := env.Followers
	cut := env.FollowOnline()
	env.AwaitVersion(env.CDN.Version(), env.PollBound())
	lost := [][]string{nil, {env.Keys.Meta}, {env.Keys.Entry}, {env.Keys.Blob, env.Keys.Meta}}
	bound := harness.RebaseAfter + 2*env.Leader.PollInterval
	// A follower whose rev is ahead needs the rebase rule for the next version. On a busy
	// machine leaders change, and the rule starts again.
	ruled := 3 * bound
	for n := range env.Rounds(few) {
		env.Pass(2 * env.Leader.RenewInterval) // followers have learnt Redis's clock
		copied := env.Backup()
		for range 1 + env.Random.IntN(10) {
			env.AwaitVersion(env.CDN.Publish(), ruled)
		}
		moveClock(n)
		cut.Link.Down()
		lagging := env.CDN.Config()
		second := env.CDN.Publish()
		env.Eventually(env.TakeoverBound()+env.PollBound(), "the other followers have the change", func() bool {
			return others[0].Version() == second && others[1].Version() == second
		})
		// The candidate's next attempt reads which content was replaced. Content of which only
		// Redis knew, and has lost, cannot be suspect.
		env.Pass(2 * env.Leader.RetryPeriod)
		env.CDN.Break(lagsForLeaders(lagging))
		third := env.CDN.Publish()
		if err := cut.Client.Refresh(env.Context()); err != nil {
			env.Fatal(err)
		}
		env.Audit.Suspend()
		env.Restore(copied, lost[n%len(lost)]...)
		cut.Link.Up()
		env.Pass(env.TakeoverBound() + env.PollBound() + 2*env.Follower.Dead)
		for _, r := range others {
			if v := r.Version(); v != second {
				env.Errorf("%s has version %d, want %d", r.Name, v, second)
			}
		}
		if v := cut.Version(); v != third {
			env.Errorf("%s fetched version %d and has %d", cut.Name, third, v)
		}
		env.Audit.Forget()
		env.Audit.Resume()
		env.CDN.Repair()
		repaired := time.Now()
		env.AwaitVersion(third, bound)
		env.Recovered(repaired, bound)
		env.SettleWithin(ruled)
	}
}
