package test

import (
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/redistest"
)

// onServer plays what only a real redis-server can do.
func onServer(t *testing.T, play func(w *world, server *redistest.Process)) {
	t.Helper()
	t.Parallel()
	inLanes(t, func(t *testing.T, rounds int) {
		server := guarded(t, "single.acl").Start(t)
		play(onGuarded(t, rounds, server.ClientAs, server), server)
	})
}

// F15: Redis is stopped for longer than any lock lives. Evaluation answers at once
// meanwhile, and tells how old the content is.
func TestF15_StoppedRedisKeepsNobodyFromEvaluating(t *testing.T) {
	onServer(t, func(w *world, server *redistest.Process) {
		w.ready(3)
		before := w.readers[0].client.Stats()
		server.Pause(w.T)
		w.eventually(0, "all followers notice", func() bool {
			for _, r := range w.readers {
				if r.client.Stats().State != follower.Disconnected {
					return false
				}
			}
			return true
		})
		w.pass(w.leader.LockExpiry)
		version := w.cdn.Publish()
		for _, r := range w.readers {
			if v := r.version(); v != version-1 {
				w.Errorf("%s answers with version %d", r.name, v)
			}
		}
		if after := w.readers[0].client.Stats(); after.Age < before.Age+w.leader.LockExpiry {
			w.Errorf("an age of %v became %v (I14)", before.Age, after.Age)
		}
		server.Resume(w.T)
		w.reached(version, 0)
		w.settle()
	})
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

// F14: Redis does not answer for a while that is longer than the lock lives.
func TestF14_SleepingRedis(t *testing.T) {
	for name, command := range map[string][]any{
		"CLIENT PAUSE": {"CLIENT", "PAUSE", 4000, "ALL"},
		"DEBUG SLEEP":  {"DEBUG", "SLEEP", 4},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(w *world, _ *redistest.Process) {
				w.ready(2)
				// The reply comes late or not at all; what counts is what follows.
				_ = w.admin.Do(w.Context(), command...).Err()
				w.reached(w.cdn.Publish(), 0)
				w.settle()
			})
		})
	}
}

// F13, by the server's own hand.
func TestF13_KilledClientsComeBack(t *testing.T) {
	onServer(t, func(w *world, _ *redistest.Process) {
		w.ready(10)
		for _, kind := range []string{"pubsub", "normal"} {
			if err := w.admin.Do(w.Context(), "CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes").Err(); err != nil {
				w.Fatal(err)
			}
		}
		w.settle()
	})
}

// F19: with its memory full Redis refuses every write, and writes no part of any.
func TestF19_FullRedisIsWrittenWhole(t *testing.T) {
	onServer(t, func(w *world, _ *redistest.Process) {
		first, _ := w.ready(2)
		w.audit.check(w.T)
		if err := w.admin.ConfigSet(w.Context(), "maxmemory", "1").Err(); err != nil {
			w.Fatal(err)
		}
		version := w.cdn.Publish()
		w.eventually(0, "a write is refused", func() bool { return first.stats().WriteError != "" })
		w.pass(w.leader.LockExpiry)
		w.audit.check(w.T)
		if v := w.audit.stored(); v != version-1 {
			w.Errorf("version %d is stored", v)
		}
		if err := w.admin.ConfigSet(w.Context(), "maxmemory", "0").Err(); err != nil {
			w.Fatal(err)
		}
		w.reached(version, 0)
		w.settle()
	})
}

// F20: a primary that lost its replica, or that became one itself, takes no writes.
func TestF20_RedisWithoutWritesPublishesNothing(t *testing.T) {
	for name, command := range map[string][2][]any{
		"NOREPLICAS": {{"CONFIG", "SET", "min-replicas-to-write", "1"}, {"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"READONLY":   {{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(w *world, _ *redistest.Process) {
				first, _ := w.ready(2)
				if err := w.admin.Do(w.Context(), command[0]...).Err(); err != nil {
					w.Fatal(err)
				}
				w.eventually(0, "writes are refused", func() bool { return first.stats().WriteError != "" })
				w.pass(w.leader.Renewal) // what was under way has arrived
				messages := w.readers[0].client.Stats().Messages
				w.cdn.Publish()
				w.pass(w.leader.LockExpiry)
				if n := w.readers[0].client.Stats().Messages; n != messages {
					w.Errorf("%d messages without a write", n-messages)
				}
				if err := w.admin.Do(w.Context(), command[1]...).Err(); err != nil {
					w.Fatal(err)
				}
				w.settle()
			})
		})
	}
}
