package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// repaired waits until the data that Redis has just lost is back. If the lock and the rev
// are lost, the leader cannot know whether another one led meanwhile: it asks the CDN
// before it writes, at the earliest a second after its last request.
func repaired(env *harness.Environment, fetch bool) {
	env.Helper()
	lost, bound := time.Now(), env.Leader.RenewInterval+harness.RoundTrip
	if fetch {
		bound += time.Second
	}
	env.AwaitKeys(bound)
	env.Recovered(lost, bound)
}

func TestF09_FlushedRedisIsRepaired(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		env.StartAll(3)
		for range env.Rounds(3) {
			env.Pass(env.RandomBelow(env.Leader.RenewInterval))
			env.FlushAll()
			repaired(env, true)
			env.Settle()
		}
	})
}

func TestF09_EachDeletedKeyIsRepaired(t *testing.T) {
	for name, key := range map[string]func(*harness.Environment) []string{
		"entry":          func(env *harness.Environment) []string { return []string{env.Keys.Entry} },
		"lock":           func(env *harness.Environment) []string { return []string{env.Keys.Lock} },
		"meta":           func(env *harness.Environment) []string { return []string{env.Keys.Meta} },
		"blob":           func(env *harness.Environment) []string { return []string{env.Keys.Blob} },
		"entry and blob": func(env *harness.Environment) []string { return []string{env.Keys.Entry, env.Keys.Blob} },
		"meta and blob":  func(env *harness.Environment) []string { return []string{env.Keys.Meta, env.Keys.Blob} },
		"lock and meta":  func(env *harness.Environment) []string { return []string{env.Keys.Lock, env.Keys.Meta} },
	} {
		t.Run(name, func(t *testing.T) {
			harness.Scenario(t, func(env *harness.Environment) {
				env.UseProcesses()
				env.StartAll(2)
				for range env.Rounds(1) {
					env.Pass(env.RandomBelow(env.Leader.RenewInterval))
					env.Delete(key(env)...)
					repaired(env, slices.Contains(key(env), env.Keys.Lock) && slices.Contains(key(env), env.Keys.Meta))
					env.Settle()
				}
				// A new follower finds everything in order.
				env.Follow()
				env.AwaitVersion(env.CDN.Version(), time.Second)
			})
		})
	}
}

// While the CDN does not answer, a leader that led before writes its content back, and does
// not count it as confirmed.
func TestF09_FlushedRedisIsRepairedWithoutTheCDN(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		_, second := env.StartAll(2)
		second.Stop()
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		env.CDN.Break(fakecdn.Down)
		before := env.Followers[0].Age()
		env.FlushAll()
		env.AwaitKeys(env.Leader.RenewInterval + 10*time.Second) // the CDN fails first
		env.Follow()
		env.AwaitVersion(env.CDN.Version(), time.Second)
		env.Pass(env.Leader.PollInterval + 2*env.Leader.RenewInterval)
		if after := env.Followers[0].Age(); after < before {
			env.Errorf("an age of %v became %v without an answer from the CDN (I14)", before, after)
		}
		env.CDN.Repair()
		env.Settle()
	})
}

// F9 and F2 at once: only the followers still have the content.
func TestF09_FlushedRedisIsRepairedByTheNextLeader(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.UseProcesses()
		first, second := env.StartAll(2)
		first.Kill()
		env.FlushAll()
		env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
		env.AwaitKeys(env.PollBound())
		env.Settle()
	})
}

// Redis forgets its scripts again and again.
func TestF23_FlushedScriptsLoseNoCommit(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, server *redistest.Process) {
		env.StartAll(3)
		flush := func() { env.Do(server, "SCRIPT", "FLUSH") }
		for range env.Rounds(3) {
			flush()
			version := env.CDN.Publish()
			asked := time.Now()
			for flushed := time.Now(); env.Audit.Stored() < version; env.Pass(env.CheckInterval()) {
				if time.Since(flushed) > env.Leader.RenewInterval/2 {
					flushed = time.Now()
					flush()
				}
				if time.Since(asked) > env.PollBound()+env.Slack {
					env.Fatalf("version %d is not stored", version)
				}
			}
			env.AwaitVersion(version, env.PollBound())
			env.Recovered(asked, env.PollBound())
		}
		env.Settle()
	})
}

// I6: Redis restarts without its data.
func TestRestartedRedisIsRepaired(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, server *redistest.Process) {
		env.StartAll(3)
		for range 2 {
			server.Restart(env.T)
			env.AwaitKeys(0)
			env.Settle()
		}
	})
}
