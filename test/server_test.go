package test

import (
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// onServer runs on one real redis-server, with further arguments, what no other server can
// do.
func onServer(t *testing.T, run func(env *environment, server *redistest.Process), args ...string) {
	t.Helper()
	t.Parallel()
	start := func(t *testing.T) *environment { return startEnvironment(t, args...) }
	inLanes(t, start, func(env *environment) { run(env, env.server) })
}

// Redis is stopped for longer than the lock lives. Evaluation continues without delay, and
// the client reports the age of the content.
func TestF15_StoppedRedisDoesNotBlockEvaluation(t *testing.T) {
	onServer(t, func(env *environment, server *redistest.Process) {
		env.ready(3)
		for range env.rounds(1) {
			before := env.readers[0].client.Stats()
			server.Pause(env.T)
			stopped := time.Now()
			env.everyFollower(0, "all followers notice", func(r *reader) bool { return r.client.Stats().State == follower.Disconnected })
			version := env.cdn.Publish()
			env.evaluate(version-1, env.leader.LeaseDuration, time.Minute)
			if after := env.readers[0].client.Stats(); after.Age < before.Age+time.Since(stopped)-roundTrip {
				env.Errorf("an age of %v became %v within %v (I14)", before.Age, after.Age, time.Since(stopped))
			}
			server.Resume(env.T)
			resumed, bound := time.Now(), env.follower.BackoffMax+env.follower.Ack+env.poll()
			env.reached(version, bound)
			env.recovered(resumed, bound)
			env.settle()
		}
	})
}

// evaluate evaluates for a while, briefly with few rounds, long with many, and checks that
// no evaluation blocks: a command to Redis would, for seconds.
func (env *environment) evaluate(version int64, briefly, long time.Duration) {
	env.Helper()
	if manyRounds() {
		briefly = long
	}
	for deadline := time.Now().Add(briefly); time.Now().Before(deadline); env.pass(env.pause()) {
		for _, r := range env.readers {
			asked := time.Now()
			if v := r.version(); v != version {
				env.Fatalf("%s answers with version %d", r.name, v)
			}
			if took := time.Since(asked); took > time.Second {
				env.Errorf("an evaluation took %v", took)
			}
		}
	}
}

// I6: Redis restarts without its data.
func TestRestartedRedisIsRepaired(t *testing.T) {
	onServer(t, func(env *environment, server *redistest.Process) {
		env.ready(3)
		for range 2 {
			server.Restart(env.T)
			env.present(0)
			env.settle()
		}
	})
}

// Redis does not answer for longer than the lock lives.
func TestF14_SleepingRedis(t *testing.T) {
	const nap = 4 * time.Second
	for name, command := range map[string][]any{
		"CLIENT PAUSE": {"CLIENT", "PAUSE", nap.Milliseconds(), "ALL"},
		"DEBUG SLEEP":  {"DEBUG", "SLEEP", nap.Seconds()},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(env *environment, _ *redistest.Process) {
				first, second := env.ready(2)
				for range env.rounds(1) {
					env.pass(env.upTo(env.leader.PollInterval))
					awake := time.Now().Add(nap)
					ended := func() uint64 {
						a, b := first.stats(), second.stats()
						return a.Lapsed + a.Fenced + b.Lapsed + b.Fenced
					}
					before := ended()
					// The reply arrives late or never, but must not be an error.
					if err := env.admin.Do(env.Context(), command...).Err(); redis.HasErrorPrefix(err, "") {
						env.Fatal(err)
					}
					version := env.cdn.Publish()
					env.pass(time.Until(awake) - env.leader.RenewInterval)
					renewals := first.stats().Renewals + second.stats().Renewals // the calls take a moment
					env.pass(time.Until(awake))
					bound := env.leader.RetryPeriod*6/5 + 2*roundTrip
					env.eventually(bound, "one leads", func() bool { return first.stats().Renewals+second.stats().Renewals > renewals })
					env.recovered(awake, bound)
					env.reached(version, env.reconnectBound()+env.poll())
					env.eventually(env.takeover(), "the leader's term has ended meanwhile", func() bool { return ended() > before })
					env.settle()
				}
			})
		})
	}
}

// The server itself closes the connections.
func TestF13_KilledClientsReconnect(t *testing.T) {
	onServer(t, func(env *environment, _ *redistest.Process) {
		env.ready(10)
		for range env.rounds(1) {
			connects := env.connects()
			env.disconnectAll()
			env.connectedAgain(connects)
			env.settle()
		}
	})
}

func (env *environment) config(name, value string) {
	env.Helper()
	if err := env.admin.(*redis.Client).ConfigSet(env.Context(), name, value).Err(); err != nil {
		env.Fatal(err)
	}
}

// A primary that lost its replica, or that became a replica itself, refuses writes.
func TestF20_ReadOnlyRedisPublishesNothing(t *testing.T) {
	for name, command := range map[string][2][]any{
		// One replica exists: the tap.
		"NOREPLICAS": {{"CONFIG", "SET", "min-replicas-to-write", "2"}, {"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"READONLY":   {{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(env *environment, _ *redistest.Process) {
				env.ready(2)
				for range env.rounds(1) {
					do := func(command []any) {
						if err := env.admin.Do(env.Context(), command...).Err(); err != nil {
							env.Fatal(err)
						}
					}
					do(command[0])
					env.eventually(0, "writes are refused", func() bool { return strings.Contains(env.writeError(), name) })
					refused := time.Now()
					env.pass(env.leader.RenewInterval) // writes under way have arrived
					messages := env.readers[0].client.Stats().Messages
					version := env.cdn.Publish()
					env.pass(env.leader.LeaseDuration)
					if n := env.readers[0].client.Stats().Messages; n != messages || env.publishedSince(refused) != 0 {
						env.Errorf("%d messages without a write, %d published", n-messages, env.publishedSince(refused))
					}
					do(command[1])
					writable, bound := time.Now(), env.leader.RetryPeriod*6/5+env.poll()
					env.reached(version, bound)
					env.recovered(writable, bound)
					env.settle()
				}
			})
		})
	}
}

// writeError returns the error with which Redis refused a leader's write; empty: none.
func (env *environment) writeError() string {
	for _, r := range env.runners {
		if s := r.stats(); s.WriteError != "" {
			return s.WriteError
		}
	}
	return ""
}
