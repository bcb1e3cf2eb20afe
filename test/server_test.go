package test

import (
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
)

// onServer plays what only a real redis-server can do, one with further arguments.
func onServer(t *testing.T, play func(w *world, server *redistest.Process), args ...string) {
	t.Helper()
	t.Parallel()
	start := func(t *testing.T) *world { return startWorld(t, args...) }
	inLanes(t, start, func(w *world) { play(w, w.server) })
}

// Redis is stopped for longer than any lock lives. Evaluation answers at once
// meanwhile, and tells how old the content is.
func TestF15_StoppedRedisKeepsNobodyFromEvaluating(t *testing.T) {
	onServer(t, func(w *world, server *redistest.Process) {
		w.ready(3)
		for range w.rounds(1) {
			before := w.readers[0].client.Stats()
			server.Pause(w.T)
			stopped := time.Now()
			w.eventually(0, "all followers notice", func() bool {
				for _, r := range w.readers {
					if r.client.Stats().State != follower.Disconnected {
						return false
					}
				}
				return true
			})
			version := w.cdn.Publish()
			w.evaluate(version-1, w.leader.LeaseDuration, time.Minute)
			if after := w.readers[0].client.Stats(); after.Age < before.Age+time.Since(stopped)-roundTrip {
				w.Errorf("an age of %v became %v within %v (I14)", before.Age, after.Age, time.Since(stopped))
			}
			server.Resume(w.T)
			resumed, bound := time.Now(), w.follower.BackoffMax+w.follower.Ack+w.poll()
			w.reached(version, bound)
			w.recovered(resumed, bound)
			w.settle()
		}
	})
}

// evaluate goes on evaluating, for few rounds briefly, for many long, and sees to it
// that no evaluation waits: a command to Redis would for seconds.
func (w *world) evaluate(version int64, briefly, long time.Duration) {
	w.Helper()
	if w.left > 0 {
		briefly = long
	}
	for deadline := time.Now().Add(briefly); time.Now().Before(deadline); w.pass(w.pause()) {
		for _, r := range w.readers {
			asked := time.Now()
			if v := r.version(); v != version {
				w.Fatalf("%s answers with version %d", r.name, v)
			}
			if took := time.Since(asked); took > time.Second {
				w.Errorf("an evaluation took %v", took)
			}
		}
	}
}

// I6: Redis comes back with nothing in it.
func TestRestartedRedisIsFilledAgain(t *testing.T) {
	onServer(t, func(w *world, server *redistest.Process) {
		w.ready(3)
		for range 2 {
			server.Restart(w.T)
			w.present(0)
			w.settle()
		}
	})
}

// Redis does not answer for a while that is longer than the lock lives.
func TestF14_SleepingRedis(t *testing.T) {
	const nap = 4 * time.Second
	for name, command := range map[string][]any{
		"CLIENT PAUSE": {"CLIENT", "PAUSE", nap.Milliseconds(), "ALL"},
		"DEBUG SLEEP":  {"DEBUG", "SLEEP", nap.Seconds()},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(w *world, _ *redistest.Process) {
				first, second := w.ready(2)
				for range w.rounds(1) {
					w.pass(w.upTo(w.leader.PollInterval))
					awake := time.Now().Add(nap)
					ended := func() uint64 {
						a, b := first.stats(), second.stats()
						return a.Lapsed + a.Fenced + b.Lapsed + b.Fenced
					}
					before := ended()
					// The reply comes late or not at all, but is no refusal.
					if err := w.admin.Do(w.Context(), command...).Err(); redis.HasErrorPrefix(err, "") {
						w.Fatal(err)
					}
					version := w.cdn.Publish()
					w.pass(time.Until(awake) - w.leader.RenewInterval)
					touches := first.stats().Renewals + second.stats().Renewals // to ask takes a moment
					w.pass(time.Until(awake))
					bound := w.leader.RetryPeriod*6/5 + 2*roundTrip
					w.eventually(bound, "one leads", func() bool { return first.stats().Renewals+second.stats().Renewals > touches })
					w.recovered(awake, bound)
					w.reached(version, w.back()+w.poll())
					w.eventually(w.takeover(), "the leader's term has ended meanwhile", func() bool { return ended() > before })
					w.settle()
				}
			})
		})
	}
}

// By the server's own hand.
func TestF13_KilledClientsComeBack(t *testing.T) {
	onServer(t, func(w *world, _ *redistest.Process) {
		w.ready(10)
		for range w.rounds(1) {
			connects := w.connects()
			for _, kind := range []string{"pubsub", "normal"} {
				if err := w.admin.Do(w.Context(), "CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes").Err(); err != nil {
					w.Fatal(err)
				}
			}
			w.connectedAgain(connects)
			w.settle()
		}
	})
}

func (w *world) config(name, value string) {
	w.Helper()
	if err := w.admin.(*redis.Client).ConfigSet(w.Context(), name, value).Err(); err != nil {
		w.Fatal(err)
	}
}

// A primary that lost its replica, or that became one itself, takes no writes.
func TestF20_RedisWithoutWritesPublishesNothing(t *testing.T) {
	for name, command := range map[string][2][]any{
		// One there is: the tap.
		"NOREPLICAS": {{"CONFIG", "SET", "min-replicas-to-write", "2"}, {"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"READONLY":   {{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(w *world, _ *redistest.Process) {
				w.ready(2)
				for range w.rounds(1) {
					do := func(command []any) {
						if err := w.admin.Do(w.Context(), command...).Err(); err != nil {
							w.Fatal(err)
						}
					}
					do(command[0])
					w.eventually(0, "writes are refused", func() bool { return strings.Contains(w.writeError(), name) })
					refused := time.Now()
					w.pass(w.leader.RenewInterval) // what was under way has arrived
					messages := w.readers[0].client.Stats().Messages
					version := w.cdn.Publish()
					w.pass(w.leader.LeaseDuration)
					if n := w.readers[0].client.Stats().Messages; n != messages || w.publishedSince(refused) != 0 {
						w.Errorf("%d messages without a write, %d published", n-messages, w.publishedSince(refused))
					}
					do(command[1])
					writable, bound := time.Now(), w.leader.RetryPeriod*6/5+w.poll()
					w.reached(version, bound)
					w.recovered(writable, bound)
					w.settle()
				}
			})
		})
	}
}

// writeError is what Redis refused of some leader; empty: nothing.
func (w *world) writeError() string {
	for _, r := range w.runners {
		if s := r.stats(); s.WriteError != "" {
			return s.WriteError
		}
	}
	return ""
}
