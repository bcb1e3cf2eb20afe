package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// pollingWithin is the time in which a follower must start polling when it may not
// subscribe.
const pollingWithin = 5 * time.Second

// F24: a running follower loses the right to the channel, or to subscribe at all.
func TestF24_FollowerWithoutASubscriptionPolls(t *testing.T) {
	for name, rules := range map[string][2][]string{
		"channel":   {{"resetchannels"}, {"&catbridge:{*}:events"}},
		"subscribe": {{"-subscribe"}, {"+subscribe"}},
	} {
		t.Run(name, func(t *testing.T) {
			harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
				errors := env.RecordFollowerErrors()
				env.StartAll(2)
				for range env.Rounds(2) {
					errors.Forget()
					env.SetUser(harness.AsFollower, rules[0]...)
					if name == "subscribe" { // the follower sends it when it connects
						env.DisconnectUser(harness.AsFollower)
					}
					withdrawn := time.Now()
					env.AwaitState(pollingWithin, follower.StatePolling)
					env.Recovered(withdrawn, pollingWithin)
					if !errors.Contains("Check the right to SUBSCRIBE") || !errors.Contains("NOPERM") {
						env.Errorf("errors logged: %v", errors)
					}
					env.AwaitVersion(env.CDN.Publish(), env.PollBound()+env.Follower.Poll)
					env.SetUser(harness.AsFollower, rules[1]...)
					env.AwaitState(2*env.Follower.Resubscribe, follower.StateLive)
					env.AwaitVersion(env.CDN.Publish(), env.PollBound())
				}
				env.ClearRefusals()
				env.Settle()
			})
		})
	}
}

// F24: a follower sends PING only on a silent connection, and misses the right only then.
func TestF24_FollowerThatMayNotPingLosesNothing(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		errors := env.RecordFollowerErrors()
		env.Follower.Idle, env.Follower.Dead = 2*time.Second, 4*time.Second // a busy machine can be silent for half a second
		first, second := env.StartAll(2)
		env.SetUser(harness.AsFollower, "-ping")
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		for _, r := range env.Followers {
			if s := r.Client.Stats(); s.State != follower.StateLive || s.FailedSubscriptions != 0 {
				env.Errorf("%s: %+v", r.Name, s)
			}
		}
		second.Stop()
		first.Stop()
		silent := time.Now()
		env.EventuallyAll(pollingWithin, "all report the missing right", func(r *harness.Follower) bool {
			return r.Client.Stats().FailedSubscriptions != 0 && errors.Contains("NOPERM")
		})
		env.Recovered(silent, pollingWithin)
		env.Lead("leader C")
		env.AwaitVersion(env.CDN.Publish(), env.TakeoverBound()+env.PollBound())
		env.SetUser(harness.AsFollower, "+ping")
		env.AwaitState(2*env.Follower.Resubscribe, follower.StateLive)
		env.ClearRefusals()
		env.Settle()
	})
}

// F24: a follower may not read content that does not fit into a message. It reports an
// error, and reads the content once it may.
func TestF24_FollowerThatMayNotReadReportsAnError(t *testing.T) {
	for _, commands := range [][]string{{"get", "getrange"}, {"hmget"}} {
		t.Run(commands[0], func(t *testing.T) {
			harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
				errors := env.RecordFollowerErrors()
				env.StartAll(2)
				for _, command := range commands {
					env.SetUser(harness.AsFollower, "-"+command)
				}
				before := env.CDN.Version()
				version := env.CDN.SetVaryingBytes(100 << 10)
				changed := time.Now()
				env.EventuallyAll(env.PollBound()+pollingWithin, "all report the missing right", func(r *harness.Follower) bool { return r.Client.Stats().FailedReads != 0 && errors.Contains("NOPERM") })
				env.Recovered(changed, env.PollBound()+pollingWithin)
				env.RequireVersion(before)
				for _, command := range commands {
					env.SetUser(harness.AsFollower, "+"+command)
				}
				env.AwaitVersion(version, env.Follower.BackoffMax+env.Follower.MetaReread)
				env.ClearRefusals()
				env.Settle()
			})
		})
	}
}

// F24: all leaders lose a right that they need. Followers keep their content. Leaders
// report an error, and go on without a restart once they have the right again.
func TestF24_LeaderWithoutARightReportsAnErrorAndRecovers(t *testing.T) {
	keys := "~" + strings.Repeat("?", len(cachekeys.Key(harness.SDKKey))) + " ~catbridge:{*}:*"
	for name, rules := range map[string]struct{ take, give, says string }{
		"scripts":  {"-evalsha", "+evalsha", "NOPERM"},
		"clock":    {"-time", "+time", "+time"},
		"the lock": {"-get", "+get", "+get"},
		"keys":     {"resetkeys", keys, "NOPERM"},
	} {
		t.Run(name, func(t *testing.T) {
			harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
				errors := env.RecordLeaderErrors()
				first, second := env.StartAll(2)
				before := env.CDN.Version()
				env.SetUser(harness.AsLeader, rules.take)
				version := env.CDN.Publish()
				env.Eventually(env.TakeoverBound(), "both report the missing right", func() bool {
					return first.Stats().WriteError != "" && second.Stats().WriteError != "" && errors.Contains(rules.says)
				})
				env.Eventually(env.TakeoverBound(), "no process leads", func() bool { return !first.Leads() && !second.Leads() })
				env.RequireVersion(before)
				env.SetUser(harness.AsLeader, strings.Fields(rules.give)...)
				env.AwaitVersion(version, env.TakeoverBound()+env.PollBound())
				env.ClearRefusals()
				env.Settle()
			})
		})
	}
}
