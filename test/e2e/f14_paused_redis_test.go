package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

// Redis is stopped for longer than the lock lives. Evaluation continues without delay, and
// the client reports the age of the content.
func TestF15_StoppedRedisDoesNotBlockEvaluation(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, server *redistest.Process) {
		env.StartAll(3)
		for range env.Rounds(1) {
			before := env.Followers[0].Age()
			server.Pause(env.T)
			stopped := time.Now()
			env.EventuallyAll(0, "all followers notice", func(r *harness.Follower) bool { return r.Client.Stats().State == follower.StateDisconnected })
			version := env.CDN.Publish()
			keepEvaluating(env, version-1, env.Leader.LeaseDuration, time.Minute)
			if after := env.Followers[0].Age(); after < before+time.Since(stopped)-harness.RoundTrip {
				env.Errorf("an age of %v became %v within %v (I14)", before, after, time.Since(stopped))
			}
			server.Resume(env.T)
			resumed, bound := time.Now(), env.Follower.BackoffMax+env.Follower.Ack+env.PollBound()
			env.AwaitVersion(version, bound)
			env.Recovered(resumed, bound)
			env.Settle()
		}
	})
}

// keepEvaluating evaluates for a while, briefly with few rounds, long with many, and checks that
// no evaluation blocks: a command to Redis would, for seconds.
func keepEvaluating(env *harness.Environment, version int64, briefly, long time.Duration) {
	env.Helper()
	if harness.ManyRounds() {
		briefly = long
	}
	for deadline := time.Now().Add(briefly); time.Now().Before(deadline); env.Pass(env.CheckInterval()) {
		for _, r := range env.Followers {
			asked := time.Now()
			if v := r.Version(); v != version {
				env.Fatalf("%s answers with version %d", r.Name, v)
			}
			if took := time.Since(asked); took > time.Second {
				env.Errorf("an evaluation took %v", took)
			}
		}
	}
}

// Redis does not answer for longer than the lock lives.
func TestF14_SleepingRedis(t *testing.T) {
	const nap = 4 * time.Second
	for name, command := range map[string][]any{
		"CLIENT PAUSE": {"CLIENT", "PAUSE", nap.Milliseconds(), "ALL"},
		"DEBUG SLEEP":  {"DEBUG", "SLEEP", nap.Seconds()},
	} {
		t.Run(name, func(t *testing.T) {
			harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
				first, second := env.StartAll(2)
				for range env.Rounds(1) {
					env.Pass(env.RandomBelow(env.Leader.PollInterval))
					awake := time.Now().Add(nap)
					ended := func() uint64 {
						a, b := first.Stats(), second.Stats()
						return a.Lapsed + a.Fenced + b.Lapsed + b.Fenced
					}
					before := ended()
					// The reply arrives late or never, but must not be an error.
					if err := env.Admin.Do(env.Context(), command...).Err(); redis.HasErrorPrefix(err, "") {
						env.Fatal(err)
					}
					version := env.CDN.Publish()
					env.Pass(time.Until(awake) - env.Leader.RenewInterval)
					renewals := first.Stats().Renewals + second.Stats().Renewals // the calls take a moment
					env.Pass(time.Until(awake))
					bound := env.Leader.RetryPeriod*6/5 + 2*harness.RoundTrip
					env.Eventually(bound, "one leads", func() bool { return first.Stats().Renewals+second.Stats().Renewals > renewals })
					env.Recovered(awake, bound)
					env.AwaitVersion(version, env.ReconnectBound()+env.PollBound())
					env.Eventually(env.TakeoverBound(), "the leader's term has ended meanwhile", func() bool { return ended() > before })
					env.Settle()
				}
			})
		})
	}
}
