package test

import (
	"slices"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// repaired waits until the data that Redis has just lost is back. If the lock and the rev
// are lost, the leader cannot know whether another one led meanwhile: it asks the CDN
// before it writes, at the earliest a second after its last request.
func (env *environment) repaired(fetch bool) {
	env.Helper()
	lost, bound := time.Now(), env.leader.RenewInterval+roundTrip
	if fetch {
		bound += time.Second
	}
	env.present(bound)
	env.recovered(lost, bound)
}

func TestF09_FlushedRedisIsRepaired(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		env.ready(3)
		for range env.rounds(3) {
			env.pass(env.upTo(env.leader.RenewInterval))
			env.flushAll()
			env.repaired(true)
			env.settle()
		}
	})
}

func TestF09_EachDeletedKeyIsRepaired(t *testing.T) {
	for name, key := range map[string]func(*environment) []string{
		"entry":          func(env *environment) []string { return []string{env.keys.Entry} },
		"lock":           func(env *environment) []string { return []string{env.keys.Lock} },
		"meta":           func(env *environment) []string { return []string{env.keys.Meta} },
		"blob":           func(env *environment) []string { return []string{env.keys.Blob} },
		"entry and blob": func(env *environment) []string { return []string{env.keys.Entry, env.keys.Blob} },
		"meta and blob":  func(env *environment) []string { return []string{env.keys.Meta, env.keys.Blob} },
		"lock and meta":  func(env *environment) []string { return []string{env.keys.Lock, env.keys.Meta} },
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(env *environment) {
				env.processes()
				env.ready(2)
				for range env.rounds(1) {
					env.pass(env.upTo(env.leader.RenewInterval))
					env.del(key(env)...)
					env.repaired(slices.Contains(key(env), env.keys.Lock) && slices.Contains(key(env), env.keys.Meta))
					env.settle()
				}
				// A new follower finds everything in order.
				env.follow()
				env.reached(env.cdn.Version(), time.Second)
			})
		})
	}
}

// While the CDN does not answer, a leader that led before writes its content back, and does
// not count it as confirmed.
func TestF09_FlushedRedisIsRepairedWithoutTheCDN(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		_, second := env.ready(2)
		second.stop()
		env.reached(env.cdn.Publish(), env.poll())
		env.cdn.Break(fakecdn.Down)
		before := env.readers[0].client.Stats()
		env.flushAll()
		env.present(env.leader.RenewInterval + 10*time.Second) // the CDN fails first
		env.follow()
		env.reached(env.cdn.Version(), time.Second)
		env.pass(env.leader.PollInterval + 2*env.leader.RenewInterval)
		after := env.readers[0].client.Stats()
		if after.Age < before.Age {
			env.Errorf("an age of %v became %v without an answer from the CDN (I14)", before.Age, after.Age)
		}
		env.cdn.Repair()
		env.settle()
	})
}

// F9 and F2 at once: only the followers still have the content.
func TestF09_FlushedRedisIsRepairedByTheNextLeader(t *testing.T) {
	scenario(t, func(env *environment) {
		env.processes()
		first, second := env.ready(2)
		first.kill()
		env.flushAll()
		env.eventually(env.takeover(), "the other leads", second.leads)
		env.present(env.poll())
		env.settle()
	})
}

// A lock whose holder was never a leader expires like any other.
func TestStolenLockExpires(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(1)
		if err := env.admin.Set(env.Context(), env.keys.Lock, "thief:1", env.leader.LeaseDuration).Err(); err != nil {
			env.Fatal(err)
		}
		env.eventually(env.takeover(), "it is noticed", func() bool { return first.stats().Fenced == 1 })
		env.eventually(env.takeover(), "one of the two leads again", func() bool { return first.leads() || second.leads() })
		env.settle()
	})
}

// A process that led long ago has outdated content. It must not write it to an empty Redis
// above the rev of the followers (I1).
func TestOldContentOfAnEarlierLeaderDoesNotComeBack(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(2)
		first.link.Freeze()
		env.eventually(env.takeover(), "the other leads", second.leads)
		first.link.Thaw()
		env.reached(env.cdn.Publish(), env.poll())
		env.eventually(env.takeover(), "the first one watches", func() bool { return first.stats().LockHolder == second.ID() })
		env.pass(2 * env.leader.RetryPeriod)
		env.cdn.Break(fakecdn.Down)
		second.kill()
		env.flushAll()
		env.eventually(env.takeover(), "the first one leads again", first.leads)
		env.eventually(env.poll(), "a poll failed", func() bool { return first.stats().PollErrors > 0 })
		env.pass(3 * env.leader.RenewInterval)
		env.cdn.Repair()
		env.settle()
	})
}

// The same with a process that was cut off, and did not see that its content was replaced:
// it writes the content back below the rev of the followers.
func TestOldContentOfACutOffLeaderDoesNotComeBack(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(2)
		first.link.Freeze()
		env.eventually(env.takeover(), "the other leads", second.leads)
		env.reached(env.cdn.Publish(), env.poll())
		env.cdn.Break(fakecdn.Down)
		second.kill()
		env.flushAll()
		env.audit.forget() // Redis may have old content for a while
		first.link.Thaw()
		env.eventually(env.takeover(), "the first one leads again", first.leads)
		env.eventually(env.poll(), "a poll failed", func() bool { return first.stats().PollErrors > 0 })
		env.pass(3 * env.leader.RenewInterval)
		env.cdn.Repair()
		env.settle()
	})
}
